from django.apps import AppConfig
from django.contrib.staticfiles.apps import StaticFilesConfig
from django.utils.translation import gettext_lazy as _


class HimmesConfig(AppConfig):
    name = "himmes"
    verbose_name = _("Programs")
    default = True  # of the configurations in this module, that of `himmes`

    def ready(self):
        from himmes import checks  # noqa: F401  importing it registers the checks


class CollectedFiles(StaticFilesConfig):
    """Leaves out what `collectstatic` would find in the packages and no page loads."""

    ignore_patterns = [*StaticFilesConfig.ignore_patterns, "rest_framework", "bootstrap-*", "*.rtl.*", "*.cjs*"]
