"""The page where a user changes his password."""

from django.contrib.auth import logout
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import ValidationError
from django.db import transaction
from django.shortcuts import redirect
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from himmes.initial_passwords import own_password_chosen
from himmes.models import InitialPassword
from machines.audit_trail import Action, note

WRONG_PASSWORDS = 5  # present ones in one session, until it ends
_COUNT = "wrong_passwords"  # in the session


class AnotherPasswordForm(PasswordChangeForm):
    def clean_new_password1(self):
        new = self.cleaned_data["new_password1"]
        if new == self.cleaned_data.get("old_password"):
            raise ValidationError(_("This is your present password. Choose another."))
        return new


class Password(PasswordChangeView):
    """Wants the present password; his other logins end with it.

    Whoever found a browser logged in can't go on guessing here: five wrong ones end the login.
    """

    form_class = AnotherPasswordForm
    template_name = "registration/password.html"
    success_url = reverse_lazy("password-changed")

    def get_context_data(self, **kwargs):
        was_given = InitialPassword.objects.filter(user=self.request.user).exists()
        return super().get_context_data(**kwargs) | {"was_given": was_given}

    def form_valid(self, form):
        with transaction.atomic():  # a new password, and that it is his own
            answer = super().form_valid(form)
            own_password_chosen(self.request)
        self.request.session.pop(_COUNT, None)
        return answer

    def form_invalid(self, form):
        if not form.has_error("old_password", "password_incorrect"):
            return super().form_invalid(form)
        session, user = self.request.session, self.request.user
        session[_COUNT] = session.get(_COUNT, 0) + 1
        if session[_COUNT] < WRONG_PASSWORDS:
            return super().form_invalid(form)
        note(Action.ACCESS, user, user.get_username(), event="failed login", locked_out=False, failures=session[_COUNT])
        logout(self.request)
        return redirect("login")
