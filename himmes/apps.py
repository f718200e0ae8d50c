from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class HimmesConfig(AppConfig):
    name = "himmes"
    verbose_name = _("Programs")

    def ready(self):
        from himmes import auditing, checks, initial_passwords, sessions  # noqa: F401  importing them connects them

        auditing.listen()
