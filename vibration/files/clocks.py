"""The clock of a logger, judged by when its files arrive."""

from datetime import UTC, datetime
from pathlib import Path

from django.utils import timezone

from machines.clocks import behind_of, note_clock
from machines.models import PostedData
from vibration.files.names import SensorPlace
from vibration.files.report import Report


def note_clock_of_file(path: Path, report: Report, place: SensorPlace) -> str | None:
    """Note how far the newest time of a file that came just now lies behind; what to tell, or None.

    It came now or, if it lay there since it was written, when it was changed last.
    """
    newest, came = report.newest_local, timezone.now()
    if newest is not None and behind_of(newest, came) is None and (changed := _changed(path)):
        came = min(changed, came)
    source = f"{path.absolute().parent.name}: {place.sensor}"[:300]
    return note_clock(place.machine, newest, data=PostedData.SAMPLES, source=source, now=came)


def _changed(path: Path) -> datetime | None:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except OSError:  # taken away meanwhile
        return None
