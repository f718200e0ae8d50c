"""What the page of a machine says about it: each of its fields, unless that is shown elsewhere."""

from collections.abc import Iterator
from datetime import timedelta

from django.db import models
from django.template.defaultfilters import linebreaksbr
from django.utils.translation import gettext as _

from common.database.columns import fields_of
from machines.models import Machine

# Name and title head the page; who registered a machine is of interest to administrators, who see it in their lists.
ELSEWHERE = {"id", "name", "title", "registered_by"}
ALSO_EMPTY = {"rated_rpm"}  # without it spectra have no orders, so that it is missing is worth a line


def about(machine: Machine) -> Iterator[tuple[str, object]]:
    """Name and value of each field, for a template; those that are empty are left out."""
    for field in fields_of(Machine, without=ELSEWHERE):
        value = getattr(machine, field.name)
        if field.name == "expected_interval_min":
            yield _stale_after(machine)
        elif value not in (None, "") or field.name in ALSO_EMPTY:
            yield str(field.verbose_name), _in_words(field, value)


def _in_words(field: models.Field, value: object) -> object:
    """Numbers and dates stay what they are: a template writes them as its language does."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if field.choices:
        return dict(field.flatchoices)[value]
    return linebreaksbr(value) if isinstance(value, str) else value


def _stale_after(machine: Machine) -> tuple[str, str]:
    """What the expected interval comes to, which may be that of all machines."""
    minutes = machine.expected_interval // timedelta(minutes=1)
    return _("stale after"), _("%(minutes)s min without a diagnosis") % {"minutes": minutes}
