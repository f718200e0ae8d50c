"""What the records of earlier imports tell."""

from io import BufferedIOBase
from pathlib import Path

from vibration.csv.lines import sha256_of
from vibration.files.names import Place
from vibration.files.paths import name_of
from vibration.models import ImportRun


def was_imported(stream: BufferedIOBase, path: Path, size: int, place: Place) -> bool:
    """Whether all of this very file was taken to this place before, and its recording is there still.

    The stream is at its beginning, and is again afterwards.
    """
    start = {} if place.started_at is None else {"recording__started_at": place.started_at}
    runs = ImportRun.objects.filter(
        recording__sensor__machine__name=place.machine,
        recording__sensor__sensor_no=place.sensor,
        recording__name=place.recording,
        file_name=name_of(path),
        file_size=size,
        outcome=ImportRun.Outcome.COMPLETE,
        **start,
    )
    sums = set(runs.values_list("sha256", flat=True))
    return bool(sums) and sha256_of(stream) in sums
