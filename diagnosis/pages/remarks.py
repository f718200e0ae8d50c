"""What people should know of how the data of a machine come in: times that are ahead, clocks that lag, conflicts."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format

from machines.clocks import certain_lags
from machines.models import ClockLag
from vibration.storage.conflicts import conflicting_rows


@dataclass
class Remarks:
    """Of one machine; true if there are any."""

    diagnosis_ahead: datetime | None = None  # the newest one, if it lies ahead of the server's clock
    sample_ahead: datetime | None = None
    lags: list[ClockLag] = field(default_factory=list)
    conflicts: int = 0  # rows of the last 7 days

    def __bool__(self) -> bool:
        return bool(self.diagnosis_ahead or self.sample_ahead or self.lags or self.conflicts)

    @property
    def diagnosis_counts_from(self) -> str:
        return _time(self.diagnosis_ahead)

    @property
    def sample_taken_at(self) -> str:
        return _time(self.sample_ahead)


def remarks_of(now: datetime) -> dict[int, Remarks]:
    """Clocks and conflicts of each machine, by its number; three queries."""
    found: dict[int, Remarks] = defaultdict(Remarks)
    for lag in certain_lags(now):
        found[lag.machine_id].lags.append(lag)
    for rows in conflicting_rows(now).values():
        for number, count in rows.items():
            found[number].conflicts += count
    return found


def ahead(instant: datetime | None, now: datetime) -> datetime | None:
    """The instant, if it lies ahead."""
    return instant if instant is not None and instant > now else None


def _time(instant: datetime | None) -> str:
    """In plant time; with its day if that is not today; "" for None."""
    if instant is None:
        return ""
    local = timezone.localtime(instant)
    return date_format(local, "TIME_FORMAT" if local.date() == timezone.localdate() else "SHORT_DATETIME_FORMAT")
