"""CSV downloads of samples."""

from collections.abc import Iterable

from django.http import StreamingHttpResponse

from machines.csv_export import safe_text, stream_csv
from vibration.models import VibrationData
from vibration.states import STATES

TEXT_COLUMNS = ["machine_name", "sensor_no", "recording"]
COLUMNS = [*TEXT_COLUMNS, "collected_at", "measured_time", *STATES]


def export_samples(request, samples: Iterable[dict], *place: str) -> StreamingHttpResponse:
    """Samples as `read_samples` has them, in their order; the file's name tells their place, if it is given."""
    name = "-".join(["vibration-data", *place])
    return stream_csv(request, name, COLUMNS, map(_as_cells, samples), of=VibrationData)


def _as_cells(sample: dict) -> list:
    return [*(safe_text(sample[name]) for name in TEXT_COLUMNS), *(sample[name] for name in COLUMNS[3:])]
