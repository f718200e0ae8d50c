"""Samples as the API lists them: by recording number, then by time."""

from collections.abc import Iterable, Iterator
from itertools import islice, takewhile

from django.db.models import Q
from django.utils import timezone

from common.database.keysets import FETCHED_ROWS
from common.rest.lists import Rows, UnknownCursor
from vibration.api.serializers import Sample
from vibration.models import VibrationData
from vibration.storage.reading import (
    GROWTH,
    Key,
    Place,
    id_of,
    key_of,
    names_of,
    next_group,
    read_tuples,
)


class SampleRows:
    """A `Listing` of the samples of recordings within a window. The cursor is the id of the sample that begins a page.

    It need not be stored any more: what comes behind its place is known all the same.
    """

    def __init__(self, places: list[Place], window: Q):
        """`places` in order of their numbers."""
        self.places, self.window = places, window

    def key_of(self, cursor: str) -> Key:
        try:
            return key_of(cursor)
        except ValueError:
            raise UnknownCursor from None

    def cursor_of(self, key: Key) -> str:
        return id_of(*key)

    def first(self, start: Key | None, count: int) -> Rows:
        places = self._since(start)
        return list(as_rows(names_of(places), read_tuples(places, self.window, start=start, limit=count)))

    def key_at(self, start: Key | None, number: int) -> Key | None:
        """See `Listing`. Recordings that are listed as a whole are not read: it is known how many samples they hold.

        Of the others some `number` keys are counted, by the primary key: of a long recording by itself, of short ones
        together, and the more of them the fewer of their samples have matched.
        """
        places = self._since(start)
        position, reach = 0, number  # how many samples the recordings of the next statement may hold in all
        begun = start if start and places and places[0].pk == start[0] else None  # within the first of them
        while position < len(places):
            group = next_group(places, position, 0 if begun else reach)
            samples = VibrationData.objects.filter(self.window, recording__in=[it.pk for it in group])
            if begun:
                samples = samples.filter(measured_time__gte=begun[1])
            held = sum(it.sample_count for it in group)
            if held <= number and not self.window and not begun:
                count = held
            elif len(group) == 1:
                times = samples.order_by("measured_time").values_list("measured_time", flat=True)
                if (time := next(iter(times[number : number + 1]), None)) is not None:
                    return group[0].pk, time
                count = samples.count()
            elif (count := samples[: number + 1].count()) > number:
                reach = 0  # one by one
                continue
            number = max(0, number - count)
            reach = (reach or 1) * GROWTH if count * GROWTH < held else number
            position, begun = position + len(group), None
        return None

    def read(self, start: Key | None, before: Key | None) -> Iterator[Rows]:
        places = self._since(start)
        samples = read_tuples(places, self.window, start=start)
        if before:
            samples = takewhile(lambda sample: sample[:2] < before, samples)
        rows = as_rows(names_of(places), samples)
        return iter(lambda: list(islice(rows, FETCHED_ROWS)), [])

    def total(self) -> int | None:
        return None if self.window else sum(it.sample_count for it in self.places)

    def _since(self, start: Key | None) -> list[Place]:
        return [it for it in self.places if start is None or it.pk >= start[0]]


def as_rows(names: dict[int, tuple[str, str, str]], samples: Iterable[tuple]) -> Iterator[dict]:
    """What `read_tuples` gives, each as a `Sample`; `names` are those of `names_of`."""
    zone, fields = timezone.get_current_timezone(), Sample.names()
    for recording, time, collected_at, *values in samples:
        instant = collected_at and collected_at.astimezone(zone).isoformat()
        # Not strict, which takes its time with rows by the thousand
        yield dict(zip(fields, (id_of(recording, time), *names[recording], instant, time, *values)))  # noqa: B905
