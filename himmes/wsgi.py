"""The WSGI entry point: `himmes.wsgi:application`."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "himmes.settings")
django.setup(set_prefix=False)

from himmes.operations.checks import refuse_errors  # noqa: E402  needs the settings
from himmes.wsgi_handler import Handler  # noqa: E402

refuse_errors()
application = Handler()
