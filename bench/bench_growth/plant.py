"""A plant whose stored history grows backwards: what came lately is the same at each size, and more lies behind it.

A machine's diagnoses of a week are those of bench/much_data.py; each week before it is stored as a copy of it. Samples
are short recordings, one of each machine a day, of which older days come as an archive that is imported later, and one
long recording, which holds a fifth of all. Nothing here says anything about a real machine.
"""

from datetime import datetime, timedelta

import numpy as np
from django.db import connection
from django.db.models import F, Sum

from bench.much_data import DAYS, SENSORS, fill, make_samples
from diagnosis.models import VibrationDiagnosis
from diagnosis.storage.current_states import read_anew
from diagnosis.storage.writing import rebuild_episodes
from machines.models import Machine
from vibration.csv.reader import BATCH_ROWS
from vibration.csv.synthetic import DEFAULT_SECONDS, row_count, step_us
from vibration.models import Recording
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
        self._short = 0  # recordings

    def grow_samples(self, samples: int) -> None:
        """Until so many are stored, those counted that came in other ways."""
        self._lengthen(round(samples * LONG_SHARE))
        missing = samples - (Recording.objects.aggregate(stored=Sum("sample_count"))["stored"] or 0)
        for _ in range(max(0, missing) // SHORT_ROWS):
            self._record()

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
    def oldest_day(self) -> tuple[datetime, datetime]:
        """From when to when the recordings of the oldest day lie."""
        start = self._started_at((self._short - 1) // self.machines)
        return start, start + timedelta(minutes=1)

    def _lengthen(self, rows: int) -> None:
        self.long.refresh_from_db()
        for start in range(self.long.sample_count, rows, BATCH_ROWS):
            number = np.arange(start, min(start + BATCH_ROWS, rows))
            values = self._values[number % len(self._values)]
            write_samples(self.long, Samples(number * step_us(1) / 1e6, values))

    def _record(self) -> None:
        day, machine = divmod(self._short, self.machines)
        recording = open_recording(
            f"g{machine + 1}", f"sensor{day % SENSORS + 1}", name=f"day{day}", started_at=self._started_at(day)
        )
        number = np.arange(SHORT_ROWS)
        values = self._values[(number + self._short * SHORT_ROWS) % len(self._values)]
        write_samples(recording, Samples(number * step_us(1) / 1e6, values))
        self._short += 1

    def _started_at(self, day: int) -> datetime:
        return self.now - LATEST_BEFORE - timedelta(days=day)

    def _copy_week(self, back: timedelta) -> None:
        latest = VibrationDiagnosis.objects.filter(detected_at__gt=self.now - WEEK, detected_at__lte=self.now)
        times = {name: F(name) - back for name in ("detected_at", "created_at")}
        copied = [times.get(name, F(name)) for name in _COPIED]
        sql, params = latest.order_by().values_list(*copied).query.sql_with_params()
        with connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO {VibrationDiagnosis._meta.db_table} ({', '.join(_COPIED)}) {sql}", params)
