"""A plant whose stored history grows backwards: what came lately is the same at each size, and more lies behind it.

A machine's diagnoses of the latest week are those of bench/much_data.py. Samples are a short recording of each machine
on the latest day, and one long recording, which holds a fifth of all. They are stored by the code that does so in
production; each week and each day before is a copy within the database, which makes millions of rows in seconds. Rows
that are copied are those that would have been written: rollups and counts too. Nothing here says anything about a real
machine.
"""

from datetime import datetime, timedelta

import numpy as np
from django.db import connection
from django.db.models import F, Model
from django.utils import timezone

from bench.much_data import DAYS, fill, make_samples
from diagnosis.models import VibrationDiagnosis
from diagnosis.storage.current_states import read_anew
from diagnosis.storage.writing import rebuild_episodes
from machines.models import Machine
from vibration.csv.reader import BATCH_ROWS
from vibration.csv.synthetic import DEFAULT_SECONDS, row_count, step_us
from vibration.models import Recording, VibrationData, VibrationRollup
from vibration.numbers.samples import Samples
from vibration.storage.writing import open_recording, write_samples

LONG = "long"
LONG_SHARE = 0.2
SHORT_ROWS = 4_000  # 3 s
LATEST_BEFORE = timedelta(hours=2)  # when the recordings of the latest day started
WEEK = timedelta(days=DAYS)
_COPIED = ["machine_id", "detected_at", "fault_type", "model_name", "confidence", "created_at"]


class Plant:
    """Fills an empty database, and grows it."""

    def __init__(self, machines: int, diagnoses_a_week: int, most_samples: int, now: datetime):
        self.machines, self.now = machines, now
        self._values = make_samples(1, 1, row_count(1, DEFAULT_SECONDS), seed=1)[1]
        fill(0, machines, diagnoses_a_week, now=now)
        self._weeks = 1
        seconds = most_samples * LONG_SHARE * step_us(1) / 1e6
        self.long = open_recording("g1", "sensor1", name=LONG, started_at=now - timedelta(seconds=seconds))
        self._days = 0

    def grow_samples(self, samples: int) -> None:
        """Until there are so many; in whole days, at least one."""
        self._lengthen(round(samples * LONG_SHARE))
        days = round(samples * (1 - LONG_SHARE) / self.rows_a_day)
        if not self._days:
            self._record_latest_day()
        for day in range(max(1, self._days), days):
            self._copy_day(day)
        self._days = max(1, days)

    def grow_diagnoses(self, weeks: int) -> None:
        """Until so many weeks are stored; what is made of diagnoses follows by the code that does so in production."""
        for week in range(self._weeks, weeks):
            self._copy_week(week * WEEK)
        if weeks > self._weeks:
            for machine in Machine.objects.order_by("pk"):
                read_anew(machine.pk)
                rebuild_episodes(machine)
        self._weeks = weeks

    @property
    def rows_a_day(self) -> int:
        return self.machines * SHORT_ROWS

    @property
    def oldest_day(self) -> tuple[datetime, datetime]:
        """From when to when its recordings lie."""
        start = self.now - LATEST_BEFORE - timedelta(days=self._days - 1)
        return start, start + timedelta(minutes=1)

    def _lengthen(self, rows: int) -> None:
        self.long.refresh_from_db()
        for start in range(self.long.sample_count, rows, BATCH_ROWS):
            number = np.arange(start, min(start + BATCH_ROWS, rows))
            values = self._values[number % len(self._values)]
            write_samples(self.long, Samples(number * step_us(1) / 1e6, values))

    def _record_latest_day(self) -> None:
        number = np.arange(SHORT_ROWS)
        for machine in range(self.machines):
            recording = open_recording(f"g{machine + 1}", "sensor1", name=_day(0), started_at=self.now - LATEST_BEFORE)
            values = self._values[(number + machine * SHORT_ROWS) % len(self._values)]
            write_samples(recording, Samples(number * step_us(1) / 1e6, values))

    def _copy_day(self, day: int) -> None:
        back, copies = timedelta(days=day), []
        for recording in Recording.objects.filter(name=_day(0)).order_by("pk"):
            recording.pk, recording.name = None, _day(day)
            recording.started_at -= back
            recording.last_collected_at -= back
            recording.last_written_at = timezone.now()
            copies.append(recording)
        Recording.objects.bulk_create(copies)
        for model, shifted in ((VibrationData, "collected_at"), (VibrationRollup, None)):
            _copy_rows(model, day, shifted)

    def _copy_week(self, back: timedelta) -> None:
        latest = VibrationDiagnosis.objects.filter(detected_at__gt=self.now - WEEK, detected_at__lte=self.now)
        times = {name: F(name) - back for name in ("detected_at", "created_at")}
        copied = [times.get(name, F(name)) for name in _COPIED]
        sql, params = latest.order_by().values_list(*copied).query.sql_with_params()
        with connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO {VibrationDiagnosis._meta.db_table} ({', '.join(_COPIED)}) {sql}", params)


def _day(number: int) -> str:
    return f"day{number}"


def _copy_rows(model: type[Model], day: int, shifted: str | None) -> None:
    """The rows of the recordings of the latest day as those of another; one column is so many days earlier."""
    columns = [it.column for it in model._meta.concrete_fields if it.column != "recording_id"]
    values = [f"held.{it} - INTERVAL {day} DAY" if it == shifted else f"held.{it}" for it in columns]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {model._meta.db_table} (recording_id, {', '.join(columns)}) "
            f"SELECT copied.id, {', '.join(values)} FROM vibration_recording copied "
            "JOIN vibration_recording latest ON latest.sensor_id = copied.sensor_id AND latest.name = %s "
            f"JOIN {model._meta.db_table} held ON held.recording_id = latest.id WHERE copied.name = %s",
            [_day(0), _day(day)],
        )
