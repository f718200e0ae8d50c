"""When a login is refused for having failed too often: django-axes keeps the failures, in the database.

Here are three limits, and the order: a try is counted before its password is looked at, see docs/adr/0028.
"""

import logging

from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_client_username
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth import get_user_model
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.db.models import F, Q, QuerySet, Sum
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from common.audit_trail import Action, note
from common.database.transactions import in_transaction
from common.limits.counting import UsedUp, one_at_a_time, take

logger = logging.getLogger(__name__)
LOGINS = 60  # of one account, with the right password, in a time as long as a lock; each leaves entries in the trail


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

    def is_allowed(self, request, credentials: dict | None = None) -> bool:
        """Whether this try is to be evaluated.

        If so it stands as a failure from now on, until `LoginTriesMiddleware` gives it back.
        """
        if not super().is_allowed(request, credentials):
            return False
        return in_transaction(lambda: self._count(request, credentials))

    def _count(self, request, credentials: dict | None) -> bool:
        """axes itself counts when a password was wrong: of tries at the same time each would still find room."""
        one_at_a_time("login")
        self.clean_expired_user_attempts(request, credentials)
        if self.is_locked(request, credentials):
            return False
        attempt, is_first = AccessAttempt.objects.get_or_create(
            username=get_client_username(request, credentials),
            ip_address=request.axes_ip_address,
            user_agent=request.axes_user_agent,
            defaults={
                "http_accept": request.axes_http_accept,
                "path_info": request.axes_path_info,
                "failures_since_start": 1,
            },
        )
        if not is_first:
            AccessAttempt.objects.filter(pk=attempt.pk).update(failures_since_start=F("failures_since_start") + 1)
        request.counted_try = attempt.pk
        request.try_is_the_last = self.is_locked(request, credentials)
        return True

    def user_login_failed(self, sender, credentials: dict, request=None, **kwargs) -> None:
        """A failure, and the lock that it led to, are noted. What is tried during a lock is neither counted nor noted.

        So the trail can't be flooded, and one address can't use up the limit of a name.
        """
        if request is None:
            return
        request.axes_credentials = credentials
        if request.axes_locked_out:
            return
        attempt, request.counted_try = request.counted_try, None
        # The lock lasts from here.
        AccessAttempt.objects.filter(pk=attempt).update(attempt_time=request.axes_attempt_time)
        request.axes_locked_out = locked = request.try_is_the_last
        # Without the name, which may be a password.
        logger.warning("Login failed from %s%s", request.axes_ip_address, ": locked out" if locked else "")
        name = str(credentials.get("username") or "")
        # An unknown name is not kept: it may be a password that was typed into the wrong field.
        user = get_user_model().objects.filter(username=name.replace("\0", "")).first()
        what = user.get_username() if user else "(unknown name)"
        note(Action.ACCESS, user or get_user_model(), what, event="failed login", locked_out=locked)

    def user_logged_in(self, sender, request, user, **kwargs) -> None:
        """Nothing: logins are in the audit trail, and what has ended is cleared away where tries are counted."""

    def user_logged_out(self, sender, request, user, **kwargs) -> None:
        """Nothing, likewise."""


class LoginTriesMiddleware:
    """Middleware: takes back the count of a try to log in that did not fail."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if attempt := getattr(request, "counted_try", None):
            in_transaction(lambda: self._give_back(attempt))
        return response

    @staticmethod
    def _give_back(attempt: int) -> None:
        found = AccessAttempt.objects.filter(pk=attempt)
        found.update(failures_since_start=F("failures_since_start") - 1)
        found.filter(failures_since_start=0).delete()


class NotTooOften(AuthenticationForm):
    """Mixed into a login form: whoever knows a password can't fill the audit trail by logging in and out."""

    def confirm_login_allowed(self, user):
        super().confirm_login_allowed(user)
        try:
            take(f"logins-{user.pk}", LOGINS, int(settings.AXES_COOLOFF_TIME.total_seconds()))
        except UsedUp as used_up:
            minutes = int(used_up.wait_s // 60) + 1
            message = _("This account was logged in to very often just now. Try again in %(minutes)d min.")
            raise ValidationError(message, code="too_often", params={"minutes": minutes}) from None


class LoginForm(NotTooOften, AuthenticationForm):
    """That of the site."""


class AdminLoginForm(NotTooOften, AdminAuthenticationForm):
    """That of the administration, which also wants somebody who may use it."""


def _yet_to_come() -> Q:
    """Failures too far in the future for a difference between the clocks of two servers."""
    return Q(attempt_time__gt=timezone.now() + settings.AXES_COOLOFF_TIME)


def locked_out(request, response, credentials):
    """What is answered during a lock; the same whichever of the limits it is."""
    seconds = int(settings.AXES_COOLOFF_TIME.total_seconds())
    answer = render(request, "registration/locked_out.html", {"minutes": seconds // 60}, status=429)
    answer.headers["Retry-After"] = str(seconds)
    return answer
