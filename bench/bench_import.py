"""Our import beside other ways into the same table, on one MariaDB in one run: `make bench-import`.

Every way gets the same synthetic files. The limit is a bare LOAD DATA LOCAL INFILE, which neither
looks for duplicates nor keeps rollups. Ways that are much slower get a part of the rows, as their rate does not change
with the number. The order is turned about from round to round, and the median of the rounds counts.

Ratios: seconds a row of the first named way over those of the second; below 1 the first is faster.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "himmes.settings")
os.environ.setdefault("DJANGO_SECRET_KEY", "benchmark-" * 6)
django.setup()

import pandas as pd  # noqa: E402  Django first
import sqlalchemy  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from bench.report import print_report  # noqa: E402
from vibration.csv.numbers import COLUMNS  # noqa: E402
from vibration.csv.reader import CsvReader  # noqa: E402
from vibration.files.importing import Options, import_file  # noqa: E402
from vibration.files.paths import open_file  # noqa: E402
from vibration.models import ImportRun, Recording, VibrationData, VibrationRollup  # noqa: E402
from vibration.numbers.states import STATES  # noqa: E402
from vibration.storage.writing import open_recording  # noqa: E402

NAIVE_ROWS = 100_000  # of each slow way


def load_data(files: list[Path]) -> int:
    rows = 0
    for number, path in enumerate(files):
        recording = open_recording("bench", str(number))
        with connection.cursor() as cursor:
            cursor.execute(
                f"LOAD DATA LOCAL INFILE '{path}' INTO TABLE vibration_data FIELDS TERMINATED BY ',' "
                f"({', '.join(COLUMNS)}) SET recording_id = {recording.pk}"
            )
            rows += cursor.rowcount
    return rows


def our_import(files: list[Path]) -> int:
    runs = []
    for path in files:
        with open_file(path, follow=True) as stream:
            runs.append(import_file(stream, path, Options(started_by="bench")).run)
    assert {run.outcome for run in runs} == {ImportRun.Outcome.COMPLETE}
    return sum(run.read for run in runs)


def model_instances(files: list[Path]) -> int:
    """What most Django projects do: csv, float, instances, bulk_create in batches."""
    recording = open_recording("bench", "instances")
    rows, batch = 0, []
    with files[0].open() as file:
        for line in file:
            time_s, *values = map(float, line.split(","))
            batch.append(
                VibrationData(recording=recording, measured_time=time_s, **dict(zip(STATES, values, strict=True)))
            )
            if len(batch) == 5_000:
                VibrationData.objects.bulk_create(batch)
                rows += len(batch)
                batch = []
            if rows >= NAIVE_ROWS:
                break
    return rows


def pandas_to_sql(files: list[Path]) -> int:
    recording = open_recording("bench", "pandas")
    given = connection.settings_dict
    url = sqlalchemy.URL.create(
        "mysql+mysqldb", given["USER"], given["PASSWORD"], given["HOST"], int(given["PORT"]), given["NAME"]
    )
    frame = pd.read_csv(files[0], header=None, names=list(COLUMNS), nrows=NAIVE_ROWS)
    frame["recording_id"] = recording.pk
    frame.to_sql("vibration_data", sqlalchemy.create_engine(url), if_exists="append", index=False, chunksize=5_000)
    return len(frame)


def timed(way, files: list[Path]) -> float:
    """Microseconds a row."""
    began = time.perf_counter()
    rows = way(files)
    return (time.perf_counter() - began) / rows * 1e6


def clear() -> None:
    ImportRun.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("SET foreign_key_checks = 0")
        for model in (VibrationData, VibrationRollup):
            cursor.execute(f"TRUNCATE {model._meta.db_table}")
        cursor.execute("SET foreign_key_checks = 1")
    Recording.objects.all().delete()


def assert_stored_as_in_file(path: Path) -> None:
    recording = Recording.objects.get(source=path.name)
    stored = VibrationData.objects.of(recording).as_samples()
    with path.open("rb") as stream:
        batches = list(CsvReader(stream))
    assert b"".join(batch.time.tobytes() for batch in batches) == stored.time.tobytes()
    assert b"".join(batch.values.tobytes() for batch in batches) == stored.values.tobytes()


def peak_memory_mb(files: list[Path]) -> float:
    """Of the command as it is used, in a process of its own."""
    # Not ru_maxrss, which begins with what the parent had when it forked
    script = (
        "import re, sys, pathlib; from django.core.management import execute_from_command_line as run; run(sys.argv); "
    )
    script += "print(re.search(r'VmHWM:\\s+(\\d+)', pathlib.Path('/proc/self/status').read_text())[1])"
    command = [sys.executable, "-c", script, "import_vibration", *map(str, files)]
    done = subprocess.run(command, cwd=settings.BASE_DIR, check=True, capture_output=True, text=True)
    return int(done.stdout.splitlines()[-1]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=140.0, help="length of the recordings; 140: 1.5 million rows")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    assert connection.vendor == "mysql", "this benchmark wants MariaDB or MySQL in DATABASE_URL"
    settings.DATABASES["default"]["OPTIONS"]["local_infile"] = 1
    connection.close()
    call_command("migrate", verbosity=0)
    with tempfile.TemporaryDirectory() as folder:
        call_command("make_sample_csv", folder, seconds=given.seconds)
        files = sorted(Path(folder).iterdir())
        measure(files, given.rounds)


def measure(files: list[Path], rounds: int) -> None:
    took: dict[str, list[float]] = defaultdict(list)
    for number in range(rounds):
        ways = [("LOAD DATA LOCAL INFILE", load_data), ("our import", our_import)]
        ways += [("bulk_create of instances", model_instances), ("pandas to_sql", pandas_to_sql)]
        for name, way in ways if number % 2 == 0 else ways[::-1]:
            clear()
            took[name].append(timed(way, files))
            if way is our_import:
                assert_stored_as_in_file(files[0])
                took["our import, again"].append(timed(way, files))
                assert_stored_as_in_file(files[-1])
    median = {name: statistics.median(values) for name, values in took.items()}
    limit = median["LOAD DATA LOCAL INFILE"]
    clear()
    peak = max(peak_memory_mb(files), peak_memory_mb(files))  # first import, then again
    print(f"Peak memory of manage.py import_vibration: {peak:.0f} MB")
    order = ["LOAD DATA LOCAL INFILE", "our import", "our import, again", "bulk_create of instances", "pandas to_sql"]
    print_report(
        f"Into vibration_data on {connection.mysql_server_info}, median of {rounds} rounds",
        ["way", "rows/s", "times LOAD DATA", "spread"],
        [
            [
                name,
                f"{1e6 / median[name]:,.0f}",
                f"{median[name] / limit:.2f}",
                f"{min(took[name]) / median[name]:.2f} - {max(took[name]) / median[name]:.2f}",
            ]
            for name in order
        ],
        {
            "import_over_load_data": round(median["our import"] / limit, 3),
            "reimport_over_import": round(median["our import, again"] / median["our import"], 3),
            "instances_over_import": round(median["bulk_create of instances"] / median["our import"], 3),
            "pandas_over_import": round(median["pandas to_sql"] / median["our import"], 3),
            "rows_per_second": round(1e6 / median["our import"]),
            "peak_memory_mb": round(peak),
        },
    )


if __name__ == "__main__":
    main()
