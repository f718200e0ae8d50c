"""How long a login lasts."""

import time

from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver


@receiver(user_logged_in)
def _begin(request, **kwargs) -> None:
    """Django keeps the key of the session when the same user logs in once more; it might be known to somebody."""
    request.session.cycle_key()
    request.session["renewed"] = int(time.time())


class SessionRenewal:
    """Moves the end of a login that is in use on, when half of its time is over: not a write for each request."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        session = request.session
        if session.session_key and request.user.is_authenticated:
            now = int(time.time())
            if abs(now - session.get("renewed", 0)) > settings.SESSION_COOKIE_AGE / 2:  # also if the clock was put back
                session["renewed"] = now
        return self.get_response(request)
