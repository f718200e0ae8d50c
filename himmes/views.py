"""The page where a user changes his password."""

from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import ValidationError
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from himmes.initial_passwords import own_password_chosen
from himmes.models import InitialPassword


class AnotherPasswordForm(PasswordChangeForm):
    def clean_new_password1(self):
        new = self.cleaned_data["new_password1"]
        if new == self.cleaned_data.get("old_password"):
            raise ValidationError(_("This is your present password. Choose another."))
        return new


class Password(PasswordChangeView):
    """Wants the present password; his other logins end with it."""

    form_class = AnotherPasswordForm
    template_name = "registration/password.html"
    success_url = reverse_lazy("password-changed")

    def get_context_data(self, **kwargs):
        was_given = InitialPassword.objects.filter(user=self.request.user).exists()
        return super().get_context_data(**kwargs) | {"was_given": was_given}

    def form_valid(self, form):
        answer = super().form_valid(form)
        own_password_chosen(self.request)
        return answer
