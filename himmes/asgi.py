"""The ASGI entry point: `himmes.asgi:application`."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "himmes.settings")

application = get_asgi_application()
