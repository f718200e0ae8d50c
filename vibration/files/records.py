"""The records of imports: writing them, and what those of earlier ones say."""

from io import BufferedIOBase
from pathlib import Path

from common.database.transactions import Patience, in_transaction
from vibration.csv.lines import sha256_of
from vibration.files.names import Place
from vibration.files.paths import name_of
from vibration.files.report import COUNTS
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


def begin_run(run: ImportRun, patience: Patience) -> None:
    """Store the record of an import, once, with its entry in the audit trail."""

    def begin() -> None:
        run.pk = None  # that of an attempt which is undone may be another's by now
        run.save()

    def is_stored() -> bool:
        return ImportRun.objects.filter(pk=run.pk, started_at=run.started_at, sha256=run.sha256).exists()

    in_transaction(begin, patience=patience, is_stored=is_stored)


def finish_run(
    run: ImportRun, outcome: ImportRun.Outcome, message: str, seconds: float, patience: Patience | None = None
) -> None:
    """Store how it ended, with its counts."""
    run.outcome, run.message, run.seconds = outcome, message, seconds
    # Not the recording: it may be deleted by now.
    fields = ["outcome", "message", "seconds", *COUNTS]
    in_transaction(lambda: run.save(update_fields=fields), patience=patience)
