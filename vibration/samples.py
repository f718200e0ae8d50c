"""Stored samples as rows, in the order in which they are kept: by recording, then by time."""

import math
import re
from collections.abc import Iterable, Iterator

from django.db.models import Q
from django.utils import timezone

from machines.limited_reads import rows_of_each
from vibration.models import Recording, VibrationData
from vibration.states import STATES

_FIELDS = ["recording_id", "measured_time", "collected_at", *STATES]
FETCHED_ROWS = 5_000

Key = tuple[int, float]  # of a sample: the number of its recording, and its measured_time


def read_samples(
    recordings: list[Recording], window: Q, *, after: Key | None = None, limit: int | None = None
) -> Iterator[dict]:
    """The samples of these recordings within a window, as the API shows them, from behind the key `after` on.

    One index read for each recording and 5,000 samples, none for a recording that lies before `after`.
    """
    for recording in sorted(recordings, key=lambda it: it.pk):
        if after and recording.pk < after[0]:
            continue
        time = after[1] if after and recording.pk == after[0] else None
        while limit is None or limit > 0:
            wanted = FETCHED_ROWS if limit is None else min(limit, FETCHED_ROWS)
            samples = VibrationData.objects.of(recording).filter(window)
            if time is not None:
                samples = samples.filter(measured_time__gt=time)
            rows = list(samples.order_by("measured_time").values_list(*_FIELDS)[:wanted])
            yield from as_rows([recording], rows)
            if limit is not None:
                limit -= len(rows)
            if len(rows) < wanted:
                break
            time = rows[-1][1]


def first_samples(recordings: list[Recording], start: float, end: float, limit: int, *, most: int) -> list[dict]:
    """The first `limit` samples with start <= measured_time <= end of each recording, in the order of the recordings.

    Raises TooManyRows when there are more than `most` in all.
    """
    window = Q(measured_time__gte=start, measured_time__lte=end)
    rows = rows_of_each(
        [
            VibrationData.objects.of(recording).filter(window).order_by("measured_time").values_list(*_FIELDS)[:limit]
            for recording in recordings
        ],
        most=most,
    )
    place = {recording.pk: number for number, recording in enumerate(recordings)}
    rows.sort(key=lambda row: (place[row[0]], row[1]))
    return list(as_rows(recordings, rows))


def as_rows(recordings: Iterable[Recording], rows: Iterable[tuple]) -> Iterator[dict]:
    names = {it.pk: (it.sensor.machine.name, it.sensor.sensor_no, it.name) for it in recordings}
    zone = timezone.get_current_timezone()
    for recording, time, collected_at, *values in rows:
        machine, sensor, name = names[recording]
        yield {
            "id": f"{recording}:{time!r}",
            "machine_name": machine,
            "sensor_no": sensor,
            "recording": name,
            "collected_at": collected_at and collected_at.astimezone(zone).isoformat(),
            "measured_time": time,
            **dict(zip(STATES, values, strict=True)),
        }


def key_of(text: str) -> Key:
    """The key of a sample's id. Raises ValueError when the text is none."""
    if not (found := re.fullmatch(r"(\d{1,18}):(\d[\d.e+-]{0,30})", text, re.ASCII)):
        raise ValueError(text)
    if math.isinf(time := float(found[2])):
        raise ValueError(text)
    return int(found[1]), time
