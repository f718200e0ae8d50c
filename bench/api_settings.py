"""The settings of a server that is asked for no page: static files are not collected, which takes half a minute."""

from himmes.settings import *  # noqa: F403
from himmes.settings import STORAGES

STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
