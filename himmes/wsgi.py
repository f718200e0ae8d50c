"""The WSGI entry point: `himmes.wsgi:application`."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "himmes.settings")
django.setup(set_prefix=False)

from himmes.checks import refuse_errors  # noqa: E402  needs the settings
from himmes.handling import Handler  # noqa: E402

refuse_errors()
application = Handler()
