from django.apps import AppConfig


class HimmesConfig(AppConfig):
    name = "himmes"

    def ready(self):
        from himmes import checks  # noqa: F401  importing it registers the checks
