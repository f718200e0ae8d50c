from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "himmes.audit"
    label = "audit"

    def ready(self):
        from himmes.audit import trail

        trail.listen()
