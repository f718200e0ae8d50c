"""CSV downloads of samples."""

from collections.abc import Iterator

from django.db.models import Q
from django.http import StreamingHttpResponse

from common.csv_export import stream_csv
from vibration.models import VibrationData
from vibration.numbers.states import STATES
from vibration.storage.reading import Place, read_tuples

COLUMNS = ["machine_name", "sensor_no", "recording", "collected_at", "measured_time", *STATES]


def export_samples(
    request, places: list[Place], window: Q, *place: str, newest_first: bool = False
) -> StreamingHttpResponse:
    """The samples within a window, as `read_tuples` orders them; the file's name tells their place, if it is given."""
    rows = _rows(places, window, newest_first)
    return stream_csv(request, "-".join(["vibration-data", *place]), COLUMNS, rows, of=VibrationData)


def _rows(places: list[Place], window: Q, newest_first: bool) -> Iterator[tuple]:
    names = {it.pk: (it.machine, it.sensor, it.recording) for it in places}
    for recording, time, collected_at, *values in read_tuples(places, window, newest_first=newest_first):
        yield *names[recording], collected_at, time, *values
