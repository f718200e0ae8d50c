"""Instants as pages write them, in plant time."""

from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format


def in_short(instant: datetime) -> str:
    """With its year and its seconds only if that is not this year."""
    local = timezone.localtime(instant)
    this_year = local.year == timezone.localtime().year
    return date_format(local, "SHORT_DATETIME_FORMAT" if this_year else "DATETIME_FORMAT")
