"""The small world that the tests of notices speak of: somebody who subscribes, and an episode of g1."""

from datetime import datetime, timedelta

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.utils import timezone

from diagnosis.models import Episode, Subscription
from machines.models import Machine


def person(name: str = "kim", **fields):
    """A user who may see episodes."""
    user = get_user_model().objects.create_user(name, f"{name}@example.org", **fields)
    user.user_permissions.add(Permission.objects.get(codename="view_episode"))
    return user


def subscription(user=None, *machines: Machine, **fields) -> Subscription:
    values = {"channel": Subscription.Channel.EMAIL, "target": "kim@example.org", "language": "en"} | fields
    made = Subscription.objects.create(user=user or person(), **values)
    made.machines.set(machines)
    return made


def machine(name: str = "g1", **fields) -> Machine:
    return Machine.objects.get_or_create(name=name, defaults=fields)[0]


def episode(of: Machine | None = None, *, opened_at: datetime | None = None, **fields) -> Episode:
    opened_at = opened_at or timezone.now() - timedelta(minutes=5)
    values = {"family": "cnn", "fault_type": 1, "severity": 3, "count": 2, "model_names": ["cnn-v3"]} | fields
    values = {"began_at": opened_at - timedelta(minutes=1), "last_at": opened_at} | values
    return Episode.objects.create(machine=of or machine(), opened_at=opened_at, **values)
