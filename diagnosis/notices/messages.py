"""What a notice says, in the language of whoever gets it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from diagnosis.models import Episode, Notice, Subscription
from diagnosis.models.notices import Transition
from machines.models import Machine

TITLES: dict[Transition, Promise] = {
    Transition.OPENED: gettext_lazy("%(machine)s: alarm, %(state)s"),
    Transition.WORSENED: gettext_lazy("%(machine)s: alarm has become worse, %(state)s"),
    Transition.CLEARED: gettext_lazy("%(machine)s: alarm cleared, %(state)s"),
    Transition.UNSHELVED: gettext_lazy("%(machine)s: shelving ended, %(state)s"),
    Transition.SILENT: gettext_lazy("%(machine)s: no diagnoses"),
}
WHAT_TO_DO: dict[Transition, Promise] = {
    Transition.OPENED: gettext_lazy("Look at the machine, and acknowledge the alarm."),
    Transition.WORSENED: gettext_lazy("Look at the machine, and acknowledge the alarm."),
    Transition.CLEARED: gettext_lazy("If nobody has yet, acknowledge the alarm and say what was found."),
    Transition.UNSHELVED: gettext_lazy("The alarm waits to be acknowledged again. Look at the machine."),
    Transition.SILENT: gettext_lazy("Check the machine, its sensors and the program that diagnoses it."),
}


class NotSent(Exception):
    """A message could not be handed over; the text says why, without secrets."""


@dataclass(frozen=True)
class Message:
    """One notice as channels send it. `key` is the same each time that it is sent."""

    key: str
    subject: str
    body: str
    payload: dict[str, Any]  # for programs; in English words, whatever the language


def message_of(notice: Notice) -> Message:
    with translation.override(notice.subscription.language):
        transition, machine, episode = Transition(notice.transition), notice.machine, notice.episode
        title = str(TITLES[transition]) % {"machine": machine.name, "state": episode.state.label if episode else ""}
        subject = " ".join(title.split())  # a header has one line, whatever a machine is called
        url = _url_of(episode or machine)
        lines = [
            f"{_('Machine')}: {machine}",
            *(_about(episode) if episode else []),
            f"{_('Since')}: {_plant_time(episode.opened_at if episode else notice.at)}",
            *([f"{_('Until')}: {_plant_time(notice.at)}"] if transition is Transition.CLEARED else []),
            "",
            str(WHAT_TO_DO[transition]),
            *([url] if url else []),
        ]
        return Message(notice.key, subject, _signed(lines, notice.key), _payload(notice, url))


def trial_message(subscription: Subscription, now: datetime) -> Message:
    """That a subscription's address is right."""
    key = f"test-{subscription.pk}-{now.timestamp():.6f}"
    with translation.override(subscription.language):
        lines = [_("This is a test. Notices of alarms will come here."), f"{_('Sent')}: {_plant_time(now)}"]
        payload = {
            "key": key,
            "transition": "test",
            "at": timezone.localtime(now).isoformat(),
            "url": settings.SITE_URL,
        }
        return Message(key, _("Test notice"), _signed(lines, key), payload)


def _about(episode: Episode) -> list[str]:
    return [
        f"{_('State')}: {episode.state.label}",
        f"{_('Severity')}: {episode.severity}/5",
        f"{_('Model')}: {', '.join(episode.model_names)}",
    ]


def _signed(lines: list[str], key: str) -> str:
    return "\n".join([*lines, "", f"-- \nHIM-MES {key}", ""])


def _plant_time(instant: datetime) -> str:
    return date_format(timezone.localtime(instant), "DATETIME_FORMAT")


def _url_of(it: Episode | Machine) -> str:
    """Empty where the address of this site is not known."""
    return f"{settings.SITE_URL}{it.get_absolute_url()}" if settings.SITE_URL else ""


def _payload(notice: Notice, url: str) -> dict[str, Any]:
    return {
        "key": notice.key,
        "transition": notice.transition,
        "machine": notice.machine.name,
        "episode": _episode(notice.episode) if notice.episode else None,
        "at": timezone.localtime(notice.at).isoformat(),
        "url": url,
    }


def _episode(episode: Episode) -> dict[str, Any]:
    return {
        "id": episode.pk,
        "fault_type": episode.fault_type,
        "state": episode.state.key,
        "severity": episode.severity,
        "models": episode.model_names,
        "opened_at": timezone.localtime(episode.opened_at).isoformat(),
        "ended_at": episode.ended_at and timezone.localtime(episode.ended_at).isoformat(),
    }
