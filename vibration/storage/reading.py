"""Stored samples as rows: one recording after the other, each in order of time."""

import math
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from django.db.models import Q, QuerySet

from common.database.keysets import FETCHED_ROWS
from common.database.limited_reads import rows_of_each
from vibration.models import Recording, VibrationData
from vibration.numbers.states import STATES

_FIELDS = ["recording_id", "measured_time", "collected_at", *STATES]
MOST_TOGETHER = 500  # recordings in one statement
GROWTH = 4

Key = tuple[int, float]  # of a sample: the number of its recording, and its measured_time


class Place(NamedTuple):
    """What a reader of samples needs of a recording. A model instance, of which there may be thousands, is slower."""

    pk: int
    machine: str
    sensor: str
    unit: str
    recording: str
    sample_count: int
    first_time: float | None
    last_time: float | None
    last_written_at: datetime | None
    pruned_before: float
    pruned_count: int
    pruned_at: datetime | None


def places_of(recordings: QuerySet[Recording]) -> list[Place]:
    """These recordings in the order of the queryset; one query."""
    sensor = ("sensor__machine__name", "sensor__sensor_no", "sensor__unit")
    kept = ("sample_count", "first_time", "last_time", "last_written_at")
    pruned = ("pruned_before", "pruned_count", "pruned_at")
    return list(map(Place._make, recordings.values_list("pk", *sensor, "name", *kept, *pruned)))


def names_of(places: list[Place]) -> dict[int, tuple[str, str, str]]:
    """Machine, sensor and recording by the number of the recording, as `as_rows` takes them."""
    return {it.pk: (it.machine, it.sensor, it.recording) for it in places}


def read_tuples(
    places: list[Place],
    window: Q,
    *,
    newest_first: bool = False,
    start: Key | None = None,
    after: Key | None = None,
    limit: int | None = None,
) -> Iterator[tuple]:
    """The samples within a window: recording after recording as they are given, each by time, rising or newest first.

    Each is a tuple (recording, measured_time, collected_at, four values). If the first recording is that of the key
    `start` or `after`, it begins there, or just behind. By the primary key only: a long recording is read by itself,
    5,000 samples at a time; short ones together, and the more of them the fewer of their samples have matched, so that
    hundreds of recordings with a row or none each take a handful of statements.
    """
    wanted = FETCHED_ROWS if limit is None else min(limit, FETCHED_ROWS)
    key = start or after
    time = key[1] if key and places and places[0].pk == key[0] else None
    number, reach = 0, wanted  # how many samples the recordings of the next statement may hold in all
    while number < len(places) and limit != 0:
        group = next_group(places, number, reach if time is None else 0)
        rows: Iterable[tuple] | None = _read_together(group, window, newest_first) if len(group) > 1 else None
        if rows is None:
            group, reach = group[:1], wanted
            rows = _read_alone(group[0], window, newest_first, time, limit, is_included=start is not None)
        count = 0
        for row in rows if limit is None else islice(rows, limit):
            count += 1
            yield row
        if limit is not None:
            limit -= count
        if count * GROWTH < sum(it.sample_count for it in group):
            reach *= GROWTH
        number, time = number + len(group), None


def next_group(places: list[Place], start: int, reach: int) -> list[Place]:
    """The recordings from number `start` on that hold no more samples than `reach`, but at least one recording."""
    held = places[start].sample_count
    end = start + 1
    while end < min(len(places), start + MOST_TOGETHER) and held + places[end].sample_count <= reach:
        held += places[end].sample_count
        end += 1
    return places[start:end]


def _read_together(places: list[Place], window: Q, newest_first: bool) -> list[tuple] | None:
    """The samples of several recordings by one statement; None if they are too many to sort here."""
    rank = {it.pk: number for number, it in enumerate(places)}
    samples = VibrationData.objects.filter(window, recording__in=list(rank))
    rows = list(samples.values_list(*_FIELDS)[: FETCHED_ROWS + 1])
    if len(rows) > FETCHED_ROWS:
        return None
    rows.sort(key=lambda row: row[1], reverse=newest_first)
    rows.sort(key=lambda row: rank[row[0]])
    return rows


def _read_alone(
    place: Place, window: Q, newest_first: bool, time: float | None, limit: int | None, *, is_included: bool
) -> Iterator[tuple]:
    """From `time` on, which is itself left out unless `is_included`; None: all of the recording."""
    samples = VibrationData.objects.of(place.pk).filter(window).values_list(*_FIELDS)
    samples = samples.order_by("-measured_time" if newest_first else "measured_time")
    wanted = FETCHED_ROWS if limit is None else min(limit, FETCHED_ROWS)
    behind = "measured_time__lt" if newest_first else "measured_time__gt"
    lookup = f"{behind}e" if is_included else behind
    while True:
        rows = list(samples.filter(**{} if time is None else {lookup: time})[:wanted])
        yield from rows
        if len(rows) < wanted:
            break
        time, lookup = rows[-1][1], behind


def first_samples(places: list[Place], start: float, end: float, limit: int, *, most: int) -> list[tuple]:
    """The first `limit` samples with start <= measured_time <= end of each recording, as `read_tuples` gives them.

    Raises TooManyRows when there are more than `most` in all.
    """
    window = Q(measured_time__gte=start, measured_time__lte=end)
    rows = rows_of_each(
        [
            VibrationData.objects.of(place.pk).filter(window).order_by("measured_time").values_list(*_FIELDS)[:limit]
            for place in places
        ],
        most=most,
    )
    rank = {it.pk: number for number, it in enumerate(places)}
    rows.sort(key=lambda row: (rank[row[0]], row[1]))
    return rows


def id_of(recording: int, time: float) -> str:
    """What the API calls a sample."""
    return f"{recording}:{time!r}"


def key_of(text: str) -> Key:
    """The key of a sample's id. Raises ValueError when the text is none."""
    if not (found := re.fullmatch(r"(\d{1,18}):(\d[\d.e+-]{0,30})", text, re.ASCII)):
        raise ValueError(text)
    if math.isinf(time := float(found[2])):
        raise ValueError(text)
    return int(found[1]), time
