"""A password that somebody else has given is good for one thing: to choose one's own."""

from django.contrib.auth.signals import user_logged_in
from django.core.exceptions import PermissionDenied
from django.dispatch import receiver
from django.shortcuts import redirect

from himmes.accounts.models import InitialPassword

_FLAG = "choose_password"  # in the session, so that no request has to ask the database
_ALLOWED = {"password", "logout", "set_language"}


def give_initial_password(user) -> None:
    """Say that the user's password is not of his own choice; he has to choose one when he next logs in."""
    if user.has_usable_password():
        InitialPassword.objects.update_or_create(user=user)


def own_password_chosen(request) -> None:
    InitialPassword.objects.filter(user=request.user).delete()
    request.session.pop(_FLAG, None)


@receiver(user_logged_in)
def _flag_session(request, user, **kwargs) -> None:
    if InitialPassword.objects.filter(user=user).exists():
        request.session[_FLAG] = True


class InitialPasswordMiddleware:
    """Middleware: leads whoever logged in with a given password to the page where he chooses his own."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        if not request.session.session_key or _FLAG not in request.session:
            return None
        if request.resolver_match.view_name in _ALLOWED:
            return None
        if request.path.startswith("/api/"):
            raise PermissionDenied("Choose a password of your own first, at /password/.")
        return redirect("password")
