from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class HimmesConfig(AppConfig):
    name = "himmes"
    verbose_name = _("Programs")

    def ready(self):
        from himmes import checks  # noqa: F401  importing it registers the checks
