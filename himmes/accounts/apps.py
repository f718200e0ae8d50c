from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "himmes.accounts"
    label = "himmes"  # as tables, permissions and migrations know it
    verbose_name = _("Programs")

    def ready(self):
        from himmes.accounts import initial_passwords, sessions  # noqa: F401  importing them connects them
