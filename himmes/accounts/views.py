"""The page where a user changes his password."""

import hashlib

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import ValidationError
from django.db import transaction
from django.shortcuts import redirect
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from common.audit_trail import Action, note
from common.limits.counting import UsedUp, begin_anew, take
from himmes.accounts.initial_passwords import own_password_chosen
from himmes.accounts.models import InitialPassword

WRONG_PASSWORDS = 5  # present ones in one session, until it ends
NEW_PASSWORDS = 10  # of one user in an hour; each leaves entries in the trail
_HOUR_S = 3600


class AnotherPasswordForm(PasswordChangeForm):
    """Tells how many wrong present passwords there were; of a session, which `session_key` names."""

    def __init__(self, *args, session_key: str, **kwargs):
        super().__init__(*args, **kwargs)
        # Not the key itself, which opens the session.
        self._tally = f"wrong-passwords-{hashlib.sha256(session_key.encode()).hexdigest()}"
        self.wrong_passwords = 0

    @sensitive_variables("old")
    def clean_old_password(self):
        """Counted before it is looked at, so that many at the same time are no more than one after the other."""
        try:
            self.wrong_passwords = take(self._tally, WRONG_PASSWORDS, settings.SESSION_COOKIE_AGE)
        except UsedUp:
            raise ValidationError("", code="used_up") from None
        old = super().clean_old_password()
        begin_anew(self._tally)
        return old

    def clean_new_password1(self):
        new = self.cleaned_data["new_password1"]
        if new == self.cleaned_data.get("old_password"):
            raise ValidationError(_("This is your present password. Choose another."))
        return new

    def clean(self):
        cleaned = super().clean()
        if not self.errors:
            try:
                take(f"new-passwords-{self.user.pk}", NEW_PASSWORDS, _HOUR_S)
            except UsedUp:
                message = _("You have changed your password very often just now. Wait an hour.")
                raise ValidationError(message, code="too_often") from None
        return cleaned


class Password(PasswordChangeView):
    """Wants the present password; his other logins end with it.

    Whoever found a browser logged in can't go on guessing here: five wrong ones end the login.
    """

    form_class = AnotherPasswordForm
    template_name = "registration/password.html"
    success_url = reverse_lazy("password-changed")

    def get_form_kwargs(self):
        return super().get_form_kwargs() | {"session_key": self.request.session.session_key}

    def get_context_data(self, **kwargs):
        was_given = InitialPassword.objects.filter(user=self.request.user.pk).exists()
        return super().get_context_data(**kwargs) | {"was_given": was_given}

    def form_valid(self, form):
        with transaction.atomic():  # a new password, and that it is his own
            answer = super().form_valid(form)
            own_password_chosen(self.request)
        return answer

    def form_invalid(self, form):
        if form.has_error("old_password", "used_up"):
            # The one that used them up ends the login and notes it; the rest came with it.
            self.request.session.flush()
            return redirect("login")
        if not form.has_error("old_password", "password_incorrect") or form.wrong_passwords < WRONG_PASSWORDS:
            return super().form_invalid(form)
        user = form.user
        failures = form.wrong_passwords
        note(Action.ACCESS, user, user.get_username(), event="failed login", locked_out=False, failures=failures)
        logout(self.request)
        return redirect("login")
