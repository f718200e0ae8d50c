"""CSV downloads of samples."""

from collections.abc import Iterable
from operator import itemgetter

from django.http import StreamingHttpResponse

from machines.csv_export import stream_csv
from vibration.models import VibrationData
from vibration.states import STATES

COLUMNS = ["machine_name", "sensor_no", "recording", "collected_at", "measured_time", *STATES]


def export_samples(request, samples: Iterable[dict], *place: str) -> StreamingHttpResponse:
    """Samples as `read_samples` has them, in their order; the file's name tells their place, if it is given."""
    rows = map(itemgetter(*COLUMNS), samples)
    return stream_csv(request, "-".join(["vibration-data", *place]), COLUMNS, rows, of=VibrationData)
