"""The samples as pages of a table, newest first."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from urllib.parse import urlencode

from django.contrib.humanize.templatetags.humanize import intcomma
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from vibration.storage.reading import Key, Place, key_of, read_tuples

PAGE_ROWS = 500
LINKED_SAMPLES = 1_000  # that the waveform of a row shows around it, about
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Cursor(NamedTuple):
    """The last sample of a page, and when its recording had been written last by then.

    The latter, as recordings that are written while somebody reads move to the top of the list: from there those that
    follow are known all the same, and none comes twice. What has moved to the top is seen there.
    """

    key: Key
    written_at: datetime

    def __str__(self):
        (recording, time), written_at = self
        return f"{recording}:{time!r}@{(written_at - _EPOCH) // _MICROSECOND}"

    @classmethod
    def read(cls, text: str) -> "Cursor":
        """Raises ValueError when the text is no cursor."""
        key, _at, microseconds = text.rpartition("@")
        if not re.fullmatch(r"\d{1,16}", microseconds, re.ASCII):
            raise ValueError(text)
        return cls(key_of(key), _EPOCH + int(microseconds) * _MICROSECOND)

    def those_after(self, places: list[Place]) -> list[Place]:
        """Of recordings newest first: the cursor's own, then those that came after it when the cursor was made."""
        number, _time = self.key
        own = [it for it in places if it.pk == number]
        place = (self.written_at, number)
        return own + [it for it in places if (it.last_written_at, it.pk) < place and it.pk != number]


class Row(NamedTuple):
    """A sample with every digit, as text."""

    machine: str
    sensor: str
    recording: str
    unit: str
    collected_at: str  # plant time to the microsecond, or a dash
    numbers: list[str]  # measured time, then the values of the four states
    waveform: str  # address of the waveform around it


@dataclass(frozen=True)
class Page:
    rows: list[Row]
    is_first: bool
    older: Cursor | None  # where the next page begins
    total: int | None  # rows of all pages, where that is known without counting

    def caption(self) -> str:
        """What the page shows of what there is, in words."""
        count = len(self.rows)
        numbers = {"rows": intcomma(count), "total": intcomma(self.total or 0)}
        if self.is_first and not self.older:
            return ngettext("%(rows)s row in all.", "All %(rows)s rows, newest first.", count) % numbers
        if self.is_first and self.total is None:
            return _("The newest %(rows)s rows, newest first. There are older ones.") % numbers
        if self.is_first:
            return _("The newest %(rows)s of %(total)s rows, newest first.") % numbers
        if self.older:
            text = _("%(rows)s older rows, newest first. There are still older ones.") % numbers
        else:
            text = ngettext("%(rows)s row, the oldest.", "The oldest %(rows)s rows, newest first.", count) % numbers
        return text if self.total is None else " ".join([text, _("%(total)s rows in all.") % numbers])


def read_page(places: list[Place], window: Q, cursor: Cursor | None) -> Page:
    """A page of the samples of these recordings, which are given newest first, within a window."""
    asked = places if cursor is None else cursor.those_after(places)
    found = list(
        read_tuples(asked, window, newest_first=True, after=cursor and cursor.key, limit=PAGE_ROWS + 1),
    )
    by_number = {it.pk: it for it in asked}
    addresses: dict[int, tuple[str, float]] = {}
    rows = [_row(by_number[sample[0]], sample, addresses) for sample in found[:PAGE_ROWS]]
    older = None
    if len(found) > PAGE_ROWS:
        number, time, *_values = found[PAGE_ROWS - 1]
        # On its own later pages the cursor's recording keeps the place that it had.
        is_own = cursor is not None and cursor.key[0] == number
        older = Cursor(
            (number, time), cursor.written_at if cursor and is_own else by_number[number].last_written_at or _EPOCH
        )
    total = None if window else sum(it.sample_count for it in places)
    return Page(rows, cursor is None, older, total)


def _row(place: Place, sample: tuple, addresses: dict[int, tuple[str, float]]) -> Row:
    """`addresses`: of each recording, its waveform's address and half the width of a window in seconds, kept here."""
    _number, time, collected_at, *values = sample
    if place.pk not in addresses:
        query = {"machine": place.machine, "sensor": place.sensor, "recording": place.recording}
        span = (place.last_time or 0.0) - (place.first_time or 0.0)
        half = LINKED_SAMPLES / 2 * span / (place.sample_count + place.pruned_count - 1) if span else 0.5
        addresses[place.pk] = f"{reverse('waveform')}?{urlencode(query)}", half
    address, half = addresses[place.pk]
    return Row(
        place.machine,
        place.sensor,
        place.recording,
        place.unit,
        f"{timezone.localtime(collected_at):%Y-%m-%d %H:%M:%S.%f}" if collected_at else "–",
        [repr(time), *map(repr, values)],
        f"{address}&start={max(0.0, time - half):.6f}&end={time + half:.6f}",
    )
