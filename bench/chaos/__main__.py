"""Database and server processes are killed again and again while an import and the API write: `make chaos`.

A MariaDB server of its own gets SIGKILL at random instants of an import of 1.5 million rows, and is started again on
the same data. Meanwhile three collectors and a diagnoser post to the application (gunicorn and a cache in the database,
as compose.yaml has it), remember what was acknowledged, and send again what was not; a reader opens pages and paths of
the API. The kills are spread over the import by the rows that it has stored. Now and then a process of the application
gets SIGKILL too, also while there is no database; one of them lives through it all, as what a break leaves behind is
only seen in such a one. The seed decides when the kills come, as far as a clock can be decided.

Then nothing is killed any more, and for a minute all goes on, with more readers, who come on a new connection each
time: each process must say that it is ready, and answer.

Afterwards every row of the files and every acknowledged row of the API must be stored once with its values, and nothing
else; the import must have ended by itself with each row counted as new; each 5xx must have been a 503 with Retry-After,
and in that minute there must have been none; the rollups must be those that the stored samples give. The last line is
JSON; the exit status is 1 if anything is off.
"""

import argparse
import json
import math
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event

import django

from bench.serving import SESSION_COOKIE, children_of, in_production
from scripts.throwaway_server import Server, running_server
from vibration.csv.synthetic import DEFAULT_SECONDS, row_count, sample_lines

MACHINES, SENSORS = 2, 4
ALL_ROWS = MACHINES * sum(row_count(sensor, DEFAULT_SECONDS) for sensor in range(1, SENSORS + 1))
RECORDING = "synthetic"
END_S = 1_800  # for an import that does not end
CACHE_URL = "dbcache://api_calls"  # as in compose.yaml
COLLECTORS = 3
BOOT_S = 120  # for a process that takes the place of a killed one
ASKERS = 12  # at once: more than the threads that a process has
PAGES = ["/", "/vibration/", "/diagnosis/", "/admin/vibration/importrun/"]
PATHS = ["/api/vibration-diagnosis/latest", "/api/vibration-data?machine_name=chaos&limit=100", "/api/recordings"]


def make_files(folder: Path, rows: int) -> list[Path]:
    """Files of so many rows, or some fewer, in all."""
    folder.mkdir()
    seconds = DEFAULT_SECONDS * rows / ALL_ROWS
    files = []
    for machine in range(1, MACHINES + 1):
        for sensor in range(1, SENSORS + 1):
            files.append(folder / f"g{machine}_sensor{sensor}.csv")
            files[-1].write_text("".join(sample_lines(machine, sensor, seconds, seed=1)))
    return files


@contextmanager
def importing_of(folder: Path, batch_size: int) -> Iterator[subprocess.Popen]:
    """The import of a folder, in a process that is ended whatever happens."""
    command = [sys.executable, "manage.py", "import_vibration", str(folder), "--recording", RECORDING]
    process = subprocess.Popen([*command, "--batch-size", str(batch_size)])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def running(programs: list, end: Event) -> Iterator[None]:
    """The programs are at it, until they have ended as `end` tells them."""
    for program in programs:
        program.start()
    try:
        yield
    finally:
        end.set()
        for program in programs:
            program.join()


def silent_processes(pid: int, log: Path, since: int) -> set[int]:
    """Those that the server has started and that have logged no answer after so many bytes of the log: waited for.

    On a busy machine one that takes the place of a killed one needs its time.
    """
    deadline = time.monotonic() + BOOT_S
    while silent := set(children_of(pid)) - processes_that_answered(log, since):
        if time.monotonic() > deadline:
            break
        time.sleep(1)
    return silent


def processes_that_answered(log: Path, since: int) -> set[int]:
    """The ids of those that have logged a request after so many bytes of the log."""
    found = set()
    for line in log.read_bytes()[since:].splitlines():
        with suppress(ValueError):  # a killed process may leave half a line
            said = json.loads(line)
            if said["logger"] == "himmes.requests":
                found.add(said["process"])
    return found


def run(server: Server, folder: Path, given: argparse.Namespace) -> dict:
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.contrib.auth.models import Group
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client

    from bench.chaos.checks import wrong_imports, wrong_posts, wrong_rollups
    from bench.chaos.clients import Asker, Collector, Diagnoser, Reader, Tally
    from bench.chaos.kills import WorkerKiller, kill_at_random
    from himmes.accounts.tokens import make_token
    from vibration.models import ImportRun

    call_command("migrate", verbosity=0)
    call_command("createcachetable")
    user = get_user_model().objects.create_superuser("chaos")
    bearer = {}
    for name in ("collector", "diagnoser"):
        role = Group.objects.get(name=name)
        user.groups.add(role)
        bearer[name] = {"Authorization": f"Bearer {make_token(user, role, name=name)[1]}"}
    browser = Client()
    browser.force_login(user)
    session = {"Cookie": f"{SESSION_COOKIE}={browser.cookies[settings.SESSION_COOKIE_NAME].value}"}
    files = make_files(folder / "files", given.rows)
    rows = sum(file.read_bytes().count(b"\n") for file in files)
    tally, end = Tally(), Event()
    read = PATHS if given.api_only else PAGES + PATHS
    with in_production(folder, workers=2, pages=not given.api_only) as application:
        common = (application.address, bearer["collector"], tally, end)
        collectors = [Collector(number, *common) for number in range(COLLECTORS)]
        diagnoser = Diagnoser(application.address, bearer["diagnoser"], tally, end)
        reader = Reader(read, application.address, session, tally, end)
        with running([*collectors, diagnoser, reader], end):
            began, away = time.monotonic(), []
            with (
                importing_of(folder / "files", given.batch_size) as importing,
                WorkerKiller(application.pid, given.worker_seconds, random.Random(f"{given.seed} workers")) as killer,
            ):
                for seconds in kill_at_random(server, importing, rows, given.kills, random.Random(given.seed)):
                    away.append(seconds)
                    print(f"killed {len(away)} of {given.kills} times, away for {seconds:.1f} s", flush=True)
                status = importing.wait(END_S)
                import_s = time.monotonic() - began
            print(f"killed {killer.kills} processes; nothing is killed any more", flush=True)
            before, logged = Counter(tally.answers), application.log.stat().st_size
            askers = [Asker(read, application.address, session, tally, end) for _number in range(ASKERS)]
            with running(askers, end):
                time.sleep(given.seconds_after)
                silent = silent_processes(application.pid, application.log, logged)
        after = tally.answers - before
        said = "\n".join(log.read_text(errors="replace") for log in folder.glob("*.log"))

    connection.close()  # it may have been broken by the last kill
    wrong = [*tally.faults, *wrong_imports(files, RECORDING), *wrong_posts(collectors, diagnoser), *wrong_rollups()]
    if status:
        wrong.append(f"the import ended with {status}")
    if len(away) < given.kills:
        wrong.append(f"the import was over after {len(away)} of {given.kills} kills")
    if "Traceback" in said:
        wrong.append(f"the application wrote a traceback: {said[said.index('Traceback') :][:5_000]}")
    if not before[503]:
        wrong.append("nobody met the absence of the database")
    if not killer.kills:
        wrong.append("no process was killed")
    wrong += [f"{count} answers were {status} after the last kill" for status, count in after.items() if status >= 300]
    if silent:
        wrong.append(f"{len(silent)} processes have not answered")
    for text in wrong[:20]:
        print(text, file=sys.stderr)
    return {
        "rows": rows,
        "rows_imported": sum(ImportRun.objects.values_list("new", flat=True)),
        "import_seconds": round(import_s, 1),
        "import_exit_status": status,
        "samples_acknowledged": sum(len(it.time) for it in collectors),
        "diagnoses_acknowledged": len(diagnoser.acknowledged),
        "posts": tally.posts,
        "reads": tally.reads,
        "answers_503": tally.answers[503],
        "answers_500": tally.answers[500],
        "other_faults": len(tally.faults),
        "broken_connections": tally.broken,
        "kills": len(away),
        "seconds_away": round(math.fsum(away), 1),
        "worker_kills": killer.kills,
        "answers_after": after.total(),
        "answers_503_after": after[503],
        "answers_500_after": after[500],
        "ready_after": tally.ready,
        "silent_processes": len(silent),
        "mismatches": len(wrong),
        "ok": not wrong,
    }


def main() -> None:
    parser = argparse.ArgumentParser("chaos", description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=ALL_ROWS, help="to import; %(default)s")
    parser.add_argument("--batch-size", type=int, default=50_000, help="of the import; %(default)s")
    parser.add_argument("--kills", type=int, default=10, help="%(default)s")
    parser.add_argument("--seed", type=int, default=1, help="of the instants of the kills; %(default)s")
    parser.add_argument("--worker-seconds", type=float, default=5, help="between two kills of a process; %(default)s")
    parser.add_argument("--seconds-after", type=float, default=60, help="of calls after the kills; %(default)s")
    parser.add_argument("--api-only", action="store_true", help="no pages, whose static files take time to collect")
    given = parser.parse_args()
    # Else SIGTERM would end this program alone, and leave its servers running.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    with tempfile.TemporaryDirectory(prefix="himmes-chaos-") as name:
        folder = Path(name)
        with running_server(folder, "--innodb-buffer-pool-size=1G") as server:
            os.environ |= {"DATABASE_URL": server.database_url, "DJANGO_CACHE_URL": CACHE_URL}
            os.environ.setdefault("DJANGO_SETTINGS_MODULE", "himmes.settings")
            os.environ.setdefault("DJANGO_SECRET_KEY", "benchmark-" * 6)
            django.setup()
            result = run(server, folder, given)
    print(json.dumps(result))
    sys.exit(not result["ok"])


if __name__ == "__main__":
    main()
