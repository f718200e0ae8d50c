"""Periods of time in query strings of pages: two plant times, or a range that ends now."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from common.rest.query import with_plus

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise as Text

RANGES = {"1h": timedelta(hours=1), "24h": timedelta(days=1), "7d": timedelta(days=7), "30d": timedelta(days=30)}
RANGE_NAMES = {"1h": _("last hour"), "24h": _("last 24 hours"), "7d": _("last 7 days"), "30d": _("last 30 days")}
# For what is followed over months
LONG_RANGES = RANGES | {"90d": timedelta(days=90), "365d": timedelta(days=365)}
LONG_RANGE_NAMES: "dict[str, Text]" = {**RANGE_NAMES, "90d": _("last 90 days"), "365d": _("last year")}
NO_LONG_RANGE = _("There is no range “%(value)s”. Choose 1h, 24h, 7d, 30d, 90d or 365d.")
# Well within what Python and the databases can reckon with
FIRST_YEAR, LAST_YEAR = 1900, 3000
_NO_TIME = _("“%(value)s” is not a date and time. Write 2026-11-22 or 2026-11-22 09:30, in plant time.")


class InstantField(forms.DateTimeField):
    """An instant; a text without an offset is plant time, a date alone its first instant."""

    widget = forms.DateTimeInput(
        attrs={"type": "datetime-local", "step": 1, "class": "form-control"}, format="%Y-%m-%dT%H:%M:%S"
    )

    def to_python(self, value: Any) -> datetime | None:
        try:
            instant = super().to_python(with_plus(value) if isinstance(value, str) else value)
            if instant and not FIRST_YEAR < instant.year < LAST_YEAR:
                raise forms.ValidationError(_("Enter a date from 1901 to 2999."), "year")
            return instant and instant.astimezone(UTC)
        except forms.ValidationError as error:
            # Django has other words for a time that a change of clocks leaves out or repeats; they name it already.
            if error.code != "invalid":
                raise
        raise forms.ValidationError(_NO_TIME, "invalid", {"value": value})

    def prepare_value(self, value: Any) -> Any:
        """Formatted for `<input type=datetime-local>`, which shows nothing in another form, such as a date alone."""
        if isinstance(value, str):
            try:
                value = self.to_python(value)
            except forms.ValidationError:
                return value  # what is wrong is said beside it
        return super().prepare_value(value)


class PeriodForm(forms.Form):
    """Mixed into a page's form: `after`, `before` and `range` of its query string, and `format` for a CSV of it all."""

    after = InstantField(label=pgettext_lazy("period", "From"), required=False)
    before = InstantField(label=_("Up to"), required=False)
    range = forms.ChoiceField(
        choices=RANGE_NAMES,
        required=False,
        widget=forms.HiddenInput,
        error_messages={"invalid_choice": _("There is no range “%(value)s”. Choose 1h, 24h, 7d or 30d.")},
    )

    format = forms.ChoiceField(
        choices=[("csv", "CSV")],
        required=False,
        widget=forms.HiddenInput,
        error_messages={"invalid_choice": _("There is no format “%(value)s”. The only one is csv.")},
    )

    def clean(self) -> dict[str, Any]:
        super().clean()
        asked = self.cleaned_data
        after, before = asked.get("after"), asked.get("before")
        if after and before and before <= after:
            self.add_error("before", _("The end must be after the start."))
        if asked.get("range") and (after or before):
            self.add_error("range", _("Choose either a range or dates, not both."))
        return asked

    data: QueryDict  # of a page; Django takes any mapping

    # The range that is meant when neither dates nor a range are named; none: all there is
    default_range = ""
    lengths: Mapping[str, timedelta] = RANGES
    range_names: "Mapping[str, Text]" = RANGE_NAMES
    ranges_label: "Text" = _("Or a range until now")

    def period(self, now: datetime) -> tuple[datetime | None, datetime | None]:
        """First instant, included, and last one, left out; None where it is open. The form must be valid."""
        after, before = self.cleaned_data["after"], self.cleaned_data["before"]
        if length := self.lengths.get(self.cleaned_data["range"] or ("" if after or before else self.default_range)):
            return now - length, None
        return after, before

    def ranges(self) -> list[dict]:
        """A link for each range: the query as it is, but for the dates and for what depends on them."""
        dates = self.data.get("after") or self.data.get("before")
        chosen = self.data.get("range") or ("" if dates else self.default_range)
        return [
            {"name": name, "query": self.query(range=key), "chosen": key == chosen}
            for key, name in self.range_names.items()
        ]

    def query(self, **changes: str | int) -> str:
        """This page's query string with these changes; the old dates, range and place in the list are left out."""
        return query_with(self.data, leave_out=("after", "before", "range", "page", "cursor", "format"), **changes)


def query_with(query: QueryDict, *, leave_out: tuple[str, ...] = (), **changes: str | int) -> str:
    """A query string, from its "?" on, without what is empty, is left out or is changed, and with the changes."""
    changed = query.copy()
    for name in list(changed):
        changed.setlist(name, [value for value in changed.getlist(name) if value])
        if name in leave_out or name in changes or not changed.getlist(name):
            del changed[name]
    for name, value in changes.items():
        changed[name] = str(value)
    return f"?{changed.urlencode()}"
