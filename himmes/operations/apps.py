from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "himmes.operations"
    label = "operations"

    def ready(self):
        from himmes.operations import checks  # noqa: F401  importing it registers them
