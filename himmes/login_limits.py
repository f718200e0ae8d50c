"""When a login is refused for having failed too often: django-axes counts, in the database; here are three limits."""

from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet, Sum
from django.shortcuts import render
from django.utils import timezone

from machines.audit_trail import Action, note


class LoginLimits(AxesDatabaseHandler):
    """Failures of a name from an address, from an address under all names, of a name from all addresses.

    axes has one limit for all of them. So the counts are given in shares of each one's own limit, of which the first
    is axes's.
    """

    def get_failures(self, request, credentials: dict | None = None) -> int:
        counts = [
            attempts.aggregate(total=Sum("failures_since_start"))["total"] or 0
            for attempts in self.get_user_attempts(request, credentials)
        ]
        shares = zip(counts, settings.LOGIN_FAILURE_LIMITS, strict=True)
        return max(count * settings.AXES_FAILURE_LIMIT // limit for count, limit in shares)

    def get_user_attempts(self, request, credentials: dict | None = None) -> list[QuerySet]:
        """Without failures of a clock that was put back since: they would lock until it is there again."""
        return [attempts.exclude(_yet_to_come()) for attempts in super().get_user_attempts(request, credentials)]

    def clean_expired_user_attempts(self, request=None, credentials: dict | None = None) -> int:
        """Also removes those, or the next failure would be added to them."""
        count, _by_model = AccessAttempt.objects.filter(_yet_to_come()).delete()
        return count + super().clean_expired_user_attempts(request, credentials)

    def user_login_failed(self, sender, credentials: dict, request=None, **kwargs) -> None:
        """A failure, and the lock that it led to, are noted. What is tried during a lock is neither counted nor noted.

        So the trail can't be flooded, and one address can't use up the limit of a name.
        """
        was_locked = getattr(request, "axes_locked_out", False)
        super().user_login_failed(sender, credentials, request, **kwargs)
        if request is None or was_locked:
            return
        locked = bool(getattr(request, "axes_locked_out", False))
        name = str(credentials.get("username") or "")
        # An unknown name is not kept: it may be a password that was typed into the wrong field.
        user = get_user_model().objects.filter(username=name.replace("\0", "")).first()
        what = user.get_username() if user else "(unknown name)"
        note(Action.ACCESS, user or get_user_model(), what, event="failed login", locked_out=locked)


def _yet_to_come() -> Q:
    """Failures too far in the future for a difference between the clocks of two servers."""
    return Q(attempt_time__gt=timezone.now() + settings.AXES_COOLOFF_TIME)


def locked_out(request, response, credentials):
    """What is answered during a lock; the same whichever of the limits it is."""
    seconds = int(settings.AXES_COOLOFF_TIME.total_seconds())
    answer = render(request, "registration/locked_out.html", {"minutes": seconds // 60}, status=429)
    answer.headers["Retry-After"] = str(seconds)
    return answer
