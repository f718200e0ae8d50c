"""The samples as pages of a table, newest first."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from urllib.parse import urlencode

from django.contrib.humanize.templatetags.humanize import intcomma
from django.db.models import Q, QuerySet, Sum
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from common.database.keysets import FETCHED_ROWS, behind, fields_of
from vibration.models import Recording
from vibration.querysets import NEWEST_FIRST
from vibration.storage.reading import GROWTH, Key, Place, key_of, places_of, read_tuples

PAGE_ROWS = 500
FIRST_RECORDINGS = 100  # that are looked at for a page to begin with
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

    def those_after(self, recordings: QuerySet[Recording]) -> QuerySet[Recording]:
        """Of recordings newest first, those that came after the cursor's own when the cursor was made."""
        number, _time = self.key
        return recordings.filter(behind(NEWEST_FIRST, (self.written_at, number))).exclude(pk=number)


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


def read_page(recordings: QuerySet[Recording], window: Q, cursor: Cursor | None) -> Page:
    """A page of the samples of these recordings, which are given newest first, within a window."""
    found: list[tuple] = []
    asked: list[Place] = []
    for places in _in_turn(recordings, cursor):
        asked += places
        wanted = PAGE_ROWS + 1 - len(found)
        found += read_tuples(places, window, newest_first=True, after=cursor and cursor.key, limit=wanted)
        if len(found) > PAGE_ROWS:
            break
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
    total = None if window else recordings.aggregate(stored=Sum("sample_count"))["stored"] or 0
    return Page(rows, cursor is None, older, total)


def _in_turn(recordings: QuerySet[Recording], cursor: Cursor | None) -> Iterator[list[Place]]:
    """The cursor's recording, then those after it, some at a time and ever more: mostly the first ones fill a page."""
    if cursor:
        yield places_of(recordings.filter(pk=cursor.key[0]))
        recordings = cursor.those_after(recordings)
    others, count = recordings, FIRST_RECORDINGS
    # Keys first: of recordings with their sensors MariaDB begins at the sensors, and sorts all.
    while keys := list(others.values_list(*fields_of(NEWEST_FIRST))[:count]):
        yield places_of(recordings.filter(pk__in=[pk for _written_at, pk in keys]))
        if len(keys) < count:
            break
        others = recordings.filter(behind(NEWEST_FIRST, keys[-1]))
        count = min(count * GROWTH, FETCHED_ROWS)


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
