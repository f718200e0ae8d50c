"""How long a login lasts."""

import time
from contextlib import suppress

from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.backends.base import UpdateError
from django.dispatch import receiver

from common.database.bookkeeping import Notes

RENEWALS = Notes("That a login is in use")


@receiver(user_logged_in)
def _begin(request, **kwargs) -> None:
    """Django keeps the key of the session when the same user logs in once more; it might be known to somebody."""
    request.session.cycle_key()
    request.session["renewed"] = int(time.time())


class SessionRenewalMiddleware:
    """Moves the end of a login that is in use on, when half of its time is over: not a write for each request."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        session = request.session
        if session.session_key and request.user.is_authenticated:
            now = int(time.time())
            if abs(now - session.get("renewed", 0)) > settings.SESSION_COOKIE_AGE / 2:  # also if the clock was put back
                self._renew(session, now)
        return self.get_response(request)

    def _renew(self, session, now: int) -> None:
        """Saved here already: while the database takes no writes, the page comes all the same."""
        before, was_modified = session.get("renewed", 0), session.modified
        session["renewed"] = now
        with suppress(UpdateError):  # ended meanwhile, as Django says when it saves the session after the answer
            if not RENEWALS.written(session.save):
                session["renewed"], session.modified = before, was_modified
