from django.apps import AppConfig
from django.db.models.signals import post_save
from django.utils.translation import gettext_lazy as _


class DiagnosisConfig(AppConfig):
    name = "diagnosis"
    verbose_name = _("Diagnosis")

    def ready(self):
        from diagnosis.storage.writing import follow_rule
        from machines.models import Machine

        post_save.connect(follow_rule, sender=Machine)
