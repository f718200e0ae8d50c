"""Days of a plant whose three loggers write a file a minute into watched folders: `make watch-days`.

One logger counts seconds from 0 in each file and at each start, and stamps its names; one stamps its rows with seconds
since 1970; one writes date and time by a clock that is set to UTC. Now and then the power fails: a logger goes on in
the same file, or a file ends within a line. Each folder has an `import_vibration --watch` of its own, which is ended
and started again in the middle of some of the days, at whatever it is. A day is written as fast as it can be taken,
each file with the time of change that it had at the plant.

Afterwards each whole row must be stored once, under its own machine, in the recording of its own file and start, at its
own time; each line that is no row must have been told of; no machine may be there that no pattern names; and it must
have been told of the one clock that lags. Then it is measured how much of a processor the watches need where nothing
comes any more. The last line is JSON; the exit status is 1 if anything is off.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import django

from bench.watch_days.minute_loggers import MINUTE, Logger, MinuteFile, serial_numbers, three_loggers

MINUTES_A_DAY = 24 * 60
OPTIONS = ("--on-error", "skip", "--on-restart", "split")
END_S = 3_600  # for a watch that does not get on
POLL_S = 0.5
IDLE_S = 20.0


class Watch:
    """`import_vibration --watch` of one logger's folder, in a process that can be ended and started again."""

    def __init__(self, logger: Logger, parent: Path):
        self.logger, self.folder, self.log = logger, parent / logger.machine, parent / f"{logger.machine}.log"
        self.folder.mkdir()
        self.written: list[MinuteFile] = []
        self.starts = 0
        self._told: set[str] = set()
        self._read = 0

    def start(self) -> None:
        command = [sys.executable, "manage.py", "import_vibration", "--watch", str(self.folder)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen([*command, *self.logger.options, *OPTIONS], stdout=log, stderr=log)
        self.starts += 1
        # From then on it can be told to end
        self._wait_until(lambda: self.log.read_bytes().count(b"Watching ") == self.starts)

    def end(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        if returncode := self.process.wait():
            sys.exit(f"A watch has ended with {returncode}:\n{self.log.read_text()[-5_000:]}")

    def write(self, file: MinuteFile, at: datetime) -> None:
        """A file comes whole into the folder, as one that was copied there with its time of change."""
        part = self.folder / "part"
        part.write_text(file.text)
        os.utime(part, (at.timestamp(),) * 2)
        part.rename(self.folder / file.name)
        self.written.append(file)

    def wait_until_told_of(self, files: int) -> None:
        """Until a result was told of so many of the files."""
        self._wait_until(lambda: len(self._names_told()) >= files)

    def _wait_until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + END_S
        while not condition():
            if self.process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"The watch of {self.logger.machine} does not get on:\n{self.log.read_text()[-5_000:]}")
            time.sleep(POLL_S)

    def processor_s(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _names_told(self) -> set[str]:
        with self.log.open("rb") as log:
            log.seek(self._read)
            new = log.read()
        whole = new[: new.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in whole.decode().splitlines():
            path, arrow, _result = line.partition(" -> ")
            if arrow:
                self._told.add(path.rpartition("/")[2])
        return self._told


def watch_days(watches: list[Watch], first: datetime, given: argparse.Namespace) -> float:
    """Write the days, end and start the watches meanwhile; how much of a processor they need at the end, at rest."""
    choose, serials = random.Random(given.seed), serial_numbers()
    files = [watch.logger.files(first, given.minutes, serials, random.Random(choose.random())) for watch in watches]
    for watch in watches:
        watch.start()
    stops = set(given.stops)
    for minute, batch in enumerate(zip(*files, strict=True)):
        day, of_day = divmod(minute, MINUTES_A_DAY)
        if minute and of_day == 0:
            for watch in watches:
                watch.wait_until_told_of(minute)
            print(f"{day} days: {len(watches) * minute:,} files", flush=True)
        for watch, file in zip(watches, batch, strict=True):
            watch.write(file, first + (minute + 1) * MINUTE)
        if minute + 1 in stops:
            for watch in watches:
                watch.end()
                watch.start()
    for watch in watches:
        watch.wait_until_told_of(given.minutes)
    before = sum(watch.processor_s() for watch in watches)
    time.sleep(given.idle_seconds)
    needed = (sum(watch.processor_s() for watch in watches) - before) / given.idle_seconds
    for watch in watches:
        watch.end()
    return needed


def wrong_rows(watch: Watch) -> Counter:
    """How many rows of a logger are missing, twice, foreign, at a wrong time, or in a wrong recording."""
    from vibration.models import Recording, VibrationData

    expected = {row.serial: (number, row) for number, file in enumerate(watch.written) for row in file.rows}
    recordings = Recording.objects.filter(sensor__machine__name=watch.logger.machine)
    starts = dict(recordings.values_list("pk", "started_at"))
    samples = VibrationData.objects.filter(recording__sensor__machine__name=watch.logger.machine)
    wrong, seen, run_of = Counter(), set(), {}
    fields = ("recording", "measured_time", "normal", "unbalance", "looseness", "unbalance_looseness")
    for recording, time_s, serial, logger, minute, run in samples.values_list(*fields).iterator():
        wrong["twice"] += serial in seen
        seen.add(serial)
        if serial not in expected:
            wrong["foreign"] += 1
            continue
        number, row = expected[serial]
        wrong["values"] += (logger, minute, run) != (watch.logger.number, number, row.run)
        wrong["time"] += abs(time_s - row.time_s) > 1e-6 or starts[recording] != row.start
        wrong["recording"] += run_of.setdefault(recording, (number, row.run)) != (number, row.run)
    wrong["missing"] = len(expected.keys() - seen)
    return +wrong


def run(folder: Path, given: argparse.Namespace) -> dict:
    from django.core.management import call_command
    from django.db.models import Max, Sum
    from django.utils import timezone

    from machines.models import ClockLag, Machine
    from vibration.models import ImportRun

    call_command("migrate", verbosity=0)
    zone = timezone.get_current_timezone()
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    watches = [Watch(logger, folder) for logger in three_loggers(zone)]
    began = time.monotonic()
    try:
        idle = watch_days(watches, now - given.minutes * MINUTE, given)
    finally:
        for watch in watches:
            watch.process.kill()
            watch.process.wait()
    seconds = time.monotonic() - began
    written = [file for watch in watches for file in watch.written]
    wrong = sum(map(wrong_rows, watches), Counter())
    counts = ImportRun.objects.aggregate(
        **{name: Sum(name) for name in ("new", "identical", "conflicting")}, read=Sum("rejected")
    )
    rejected = ImportRun.objects.values("file_name").annotate(most=Max("rejected")).aggregate(Sum("most"))
    found = {
        "files": len(written),
        "rows_written": sum(len(file.rows) + file.bad_lines for file in written),
        "rows_whole": sum(len(file.rows) for file in written),
        "rows_new": counts["new"],
        "rows_identical": counts["identical"],
        "rows_conflicting": counts["conflicting"],
        "lines_bad": sum(file.bad_lines for file in written),
        "rows_rejected": rejected["most__sum"],
        "files_failed": ImportRun.objects.filter(outcome=ImportRun.Outcome.FAILED).count(),
        "rows_wrong": dict(wrong),
        "machines": sorted(Machine.objects.values_list("name", flat=True)),
        "lagging": sorted(f"{lag.machine.name}: {lag.hours} h" for lag in ClockLag.objects.filter(sightings__gte=4)),
        "imports": ImportRun.objects.count(),
        "stops": len(given.stops),
        "idle_processor": round(idle, 3),
        "seconds": round(seconds, 1),
    }
    offset = timezone.localtime(now).utcoffset() / timedelta(hours=1)
    found["ok"] = (
        not wrong
        and found["rows_new"] == found["rows_whole"]
        and found["rows_conflicting"] == found["files_failed"] == 0
        and found["rows_rejected"] == found["lines_bad"]
        and found["machines"] == sorted(watch.logger.machine for watch in watches)
        and found["lagging"] == [f"press: {offset:g} h"]
    )
    return found


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="watch_days", description=__doc__.partition("\n")[0])
    parser.add_argument("--days", type=float, default=10.0)
    parser.add_argument("--stops", type=int, default=3, help="how often the watches are ended and started again")
    parser.add_argument("--idle-seconds", type=float, default=IDLE_S, help="how long they are looked at, at rest")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    given.minutes = round(given.days * MINUTES_A_DAY)
    choose = random.Random(given.seed)
    given.stops = sorted(choose.randrange(given.minutes // 4, given.minutes) for _stop in range(given.stops))
    return given


def main() -> None:
    given = arguments()
    with tempfile.TemporaryDirectory(prefix="himmes-watch-days-") as folder:
        os.environ |= {"DATABASE_URL": f"sqlite:///{folder}/days.sqlite3", "DJANGO_TIME_ZONE": "Asia/Seoul"}
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "himmes.settings")
        os.environ.setdefault("DJANGO_SECRET_KEY", "benchmark-" * 6)
        django.setup()
        found = run(Path(folder), given)
    print(json.dumps(found))
    sys.exit(0 if found["ok"] else 1)


if __name__ == "__main__":
    main()
