from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class VibrationConfig(AppConfig):
    name = "vibration"
    verbose_name = _("Vibration")
