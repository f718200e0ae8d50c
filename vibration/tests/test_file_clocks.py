"""Loggers whose clock is set to another time zone, seen by when their files come."""

import os
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from machines.models import ClockLag
from vibration.files.clocks import note_clock_of_file
from vibration.files.name_patterns import NamePattern
from vibration.files.names import Naming
from vibration.files.storing import Options
from vibration.tests.world import import_csv, write_csv

pytestmark = pytest.mark.django_db

START = NamePattern("{machine}_{sensor}_{start}")
RECORDING = NamePattern("{machine}_{sensor}_{recording}")
FIRST = datetime(2026, 3, 5, 3, 0, tzinfo=UTC)


def come(folder, rows, naming: Naming, *, changed: datetime | None = None, **options):
    """A minute file of a logger whose clock is in UTC, imported; what is told of its clock."""
    begun = (changed or timezone.now()) - timedelta(minutes=1)
    path = write_csv(folder / f"g1_s1_{begun:%Y%m%d_%H%M%S}.csv", rows(begun))
    if changed:
        os.utime(path, (changed.timestamp(),) * 2)
    report = import_csv(path, Options(naming=naming, **options))
    assert report.run.outcome == "complete"
    return note_clock_of_file(path, report, naming.place_of(path))


def counted(begun: datetime) -> str:
    return "0,1,2,3,4\n55,1,2,3,4\n"


def stamped(begun: datetime) -> str:
    return "".join(f"{begun + timedelta(seconds=second):%Y-%m-%dT%H:%M:%S},1,2,3,4\n" for second in (0, 55))


def with_offset(begun: datetime) -> str:
    return stamped(begun).replace(",1,2,3,4", "Z,1,2,3,4")


@pytest.mark.parametrize(("rows", "pattern", "options"), [(counted, START, {}), (stamped, RECORDING, {"time": "iso"})])
def test_a_clock_in_utc_is_told_of_by_when_its_files_were_written(tmp_path, rows, pattern, options):
    naming = Naming(pattern=pattern)
    instants = [FIRST + timedelta(minutes=minute) for minute in range(10)]
    told = [come(tmp_path, rows, naming, changed=changed, **options) for changed in instants]
    assert told[:9] == [None] * 9
    assert "machine g1" in told[9]
    assert "is 9 h behind the server's clock" in told[9]
    assert ClockLag.objects.get().source == f"{tmp_path.name}: s1"


def test_a_file_that_comes_just_now_is_judged_by_now(tmp_path):
    assert come(tmp_path, stamped, Naming(pattern=RECORDING), time="iso") is None
    assert ClockLag.objects.get().hours == "9"


@pytest.mark.parametrize(
    ("rows", "naming", "options"),
    [
        (with_offset, Naming(pattern=RECORDING), {"time": "iso"}),
        (stamped, Naming(pattern=RECORDING), {"time": "iso", "zone": UTC}),
        (counted, Naming(pattern=START, zone=UTC), {}),
        (counted, Naming(pattern=RECORDING), {}),
        (counted, Naming(pattern=RECORDING, started_at=FIRST), {}),
    ],
)
def test_times_whose_offset_is_said_are_no_clock_that_lags(tmp_path, rows, naming, options):
    assert come(tmp_path, rows, naming, **options) is None
    assert not ClockLag.objects.exists()
