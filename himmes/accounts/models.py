from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from knox.models import AbstractAuthToken
from knox.settings import CONSTANTS


class ApiToken(AbstractAuthToken):
    """The credentials of a program. Only a hash is stored; a token may do what its role may."""

    # knox has the hash as the primary key, which would then stand in the addresses of the administration.
    id = models.BigAutoField(primary_key=True)
    digest = models.CharField(max_length=CONSTANTS.DIGEST_LENGTH, unique=True, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("user"), on_delete=models.CASCADE, related_name="auth_token_set"
    )
    created = models.DateTimeField(_("created at"), auto_now_add=True)
    expiry = models.DateTimeField(_("expires at"), null=True, blank=True, help_text=_("Empty: never."))
    name = models.CharField(_("name"), max_length=100, help_text=_("Which program uses it, and where."))
    role = models.ForeignKey(Group, verbose_name=_("role"), on_delete=models.PROTECT, related_name="api_tokens")
    last_used = models.DateTimeField(_("last used"), null=True, editable=False)

    # The permissions (`app.codename`) of its role while its user has that, of a token that `find_token` found
    granted: frozenset[str] = frozenset()

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")

    def __str__(self):
        return f"{self.name} ({self.user})"

    @property
    def has_expired(self) -> bool:
        return self.expiry is not None and self.expiry <= timezone.now()


class InitialPassword(models.Model):
    """Marks a user whose password somebody else set: they have to choose their own; see initial_passwords.py."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.CASCADE, related_name="initial_password"
    )
    given_at = models.DateTimeField(auto_now_add=True)

    def __str__(self):
        return str(self.user)
