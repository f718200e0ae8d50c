"""System checks of the project's configuration."""

import re

from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.checks import Error, Tags, Warning, register, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from common.periods import FIRST_YEAR

MIN_KEY_CHARACTERS = 50


@register(Tags.security)
def secret_key_is_strong(app_configs, **kwargs):
    """Not only a deploy check: with DEBUG off no command is to run with a key that can be guessed."""
    key = settings.SECRET_KEY
    if settings.DEBUG or (len(key) >= MIN_KEY_CHARACTERS and len(set(key)) >= 5):
        return []
    return [
        Error(
            "DJANGO_SECRET_KEY is too weak to run with DEBUG off.",
            hint=f"Give it {MIN_KEY_CHARACTERS} random characters or more: "
            'python -c "import secrets; print(secrets.token_urlsafe(50))"',
            id="himmes.E001",
        )
    ]


@register()
def rates_can_be_read(app_configs, **kwargs):
    """A rate that can't be read would fail each call of the API."""
    rates = settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"]
    variables = {"caller": "DJANGO_API_RATE", "stranger": "DJANGO_API_STRANGER_RATE", "export": "DJANGO_EXPORT_RATE"}
    return [
        Error(f"{variables[name]} is {rate!r}.", hint="Write it as 200/second or 30/minute.", id="himmes.E002")
        for name, rate in rates.items()
        if not re.fullmatch(r"[1-9]\d*/(second|minute|hour|day)", rate)
    ]


@register()
def earliest_year_is_one_of_measurements(app_configs, **kwargs):
    """Pages know years after 1900; and of a year to come all that is posted would be refused."""
    year, this_year = settings.EARLIEST_YEAR, timezone.now().year
    if FIRST_YEAR < year <= this_year:
        return []
    hint = f"Give a year from {FIRST_YEAR + 1} to {this_year}; times before it are refused."
    return [Error(f"DJANGO_EARLIEST_YEAR is {year}.", hint=hint, id="himmes.E005")]


@register(Tags.staticfiles)
def front_end_packages_are_there(app_configs, **kwargs):
    missing = [name for name in settings.FRONT_END_PACKAGES if not (settings.NODE_MODULES / name).is_dir()]
    if not missing:
        return []
    return [
        Warning(
            f"The front-end packages are not installed ({', '.join(missing)}): pages will have no look and no charts.",
            hint="Run scripts/setup.sh, or `npm ci`.",
            id="himmes.W001",
        )
    ]


@register(Tags.staticfiles, deploy=True)
def static_files_are_collected(app_configs, **kwargs):
    """Without the list of their hashed names no page can be drawn."""
    name = getattr(staticfiles_storage, "manifest_name", None)  # none where files are served from where they lie
    if name is None or (settings.STATIC_ROOT / name).is_file():
        return []
    return [Error("The static files are not collected.", hint="Run `manage.py collectstatic`.", id="himmes.E003")]


@register(deploy=True)
def hosts_are_named(app_configs, **kwargs):
    """With DEBUG off and no host each request would be refused."""
    if settings.DEBUG or settings.ALLOWED_HOSTS:
        return []
    hint = "Name the hosts under which the site is reached, such as mes.example.org."
    return [Error("DJANGO_ALLOWED_HOSTS is empty: every request would be refused.", hint=hint, id="himmes.E004")]


def refuse_errors() -> None:
    """What `manage.py` does before a command, for a server: raises ImproperlyConfigured for an error in the set-up."""
    errors = [str(found) for found in run_checks(include_deployment_checks=True) if found.is_serious()]
    if errors:
        raise ImproperlyConfigured("\n".join(errors))
