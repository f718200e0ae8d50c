"""The database is killed again and again while an import and the API write to it: `make chaos`.

A MariaDB server of its own gets SIGKILL at random instants of an import of 1.5 million rows, and is started again on
the same data. Meanwhile three collectors and a diagnoser post to the application (gunicorn, as in production), remember
what was acknowledged, and send again what was not; a reader opens pages and paths of the API. The kills are spread over
the import by the rows that it has stored. The seed decides when they come, as far as a clock can be decided.

Afterwards every row of the files and every acknowledged row of the API must be stored once with its values, and nothing
else; the import must have ended by itself with each row counted as new; each 5xx must have been a 503 with Retry-After;
the rollups must be those that the stored samples give. The last line is JSON; the exit status is 1 if anything is off.
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
from pathlib import Path
from threading import Event

import django

from scripts.throwaway_mariadb import Server, running_server
from vibration.sample_csv import DEFAULT_SECONDS, row_count, sample_lines

MACHINES, SENSORS = 2, 4
ALL_ROWS = MACHINES * sum(row_count(sensor, DEFAULT_SECONDS) for sensor in range(1, SENSORS + 1))
RECORDING = "synthetic"
KILLED_UNTIL = 0.9  # of the import
DOWN_S = (0.1, 3.0)  # from a kill to the next start
MAX_BATCH_S = 1.0  # more was a wait for the database
POLL_S = 0.02
END_S = 1_800  # for an import that does not end
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


def kill_at_random(server: Server, importing: subprocess.Popen, rows: int, kills: int, choose: random.Random):
    """Kill the server and start it again; yields for how many seconds it was away each time, as it comes back.

    Ends early when the import has ended, which then was too short for so many.
    """
    from django.db.models import Sum

    from vibration.models import ImportRun
    from vibration.waiting import Patience

    patience = Patience(60)

    def stored() -> int:
        return patience.until_done(lambda: ImportRun.objects.aggregate(rows=Sum("new"))["rows"] or 0)

    for number in range(kills):
        wanted = (number + choose.random()) / kills * KILLED_UNTIL * rows
        before, batch_s, changed = stored(), 0.0, time.monotonic()
        while before < wanted and importing.poll() is None:
            time.sleep(POLL_S)
            if (now := stored()) != before:
                before, batch_s, changed = now, time.monotonic() - changed, time.monotonic()
        time.sleep(choose.uniform(0, min(batch_s, MAX_BATCH_S)))  # anywhere within a batch
        if importing.poll() is not None:
            return
        began = time.monotonic()
        server.kill()
        time.sleep(choose.uniform(*DOWN_S))
        server.start()
        yield time.monotonic() - began


def run(server: Server, folder: Path, given: argparse.Namespace) -> dict:
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.contrib.auth.models import Group
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client

    from bench.chaos_checks import wrong_imports, wrong_posts, wrong_rollups
    from bench.chaos_clients import Collector, Diagnoser, Reader, Tally
    from bench.serving import SESSION_COOKIE, in_production
    from himmes.tokens import make_token
    from vibration.models import ImportRun

    call_command("migrate", verbosity=0)
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
    with in_production(folder, workers=2, pages=not given.api_only) as application:
        common = (application.address, bearer["collector"], tally, end)
        collectors = [Collector(number, *common) for number in range(3)]
        diagnoser = Diagnoser(application.address, bearer["diagnoser"], tally, end)
        read = PATHS if given.api_only else PAGES + PATHS
        programs = [*collectors, diagnoser, Reader(read, application.address, session, tally, end)]
        for program in programs:
            program.start()
        command = [sys.executable, "manage.py", "import_vibration", str(folder / "files"), "--recording", RECORDING]
        command += ["--batch-size", str(given.batch_size)]
        began = time.monotonic()
        importing = subprocess.Popen(command)
        try:
            away = []
            for seconds in kill_at_random(server, importing, rows, given.kills, random.Random(given.seed)):
                away.append(seconds)
                print(f"killed {len(away)} of {given.kills} times, away for {seconds:.1f} s", flush=True)
            status = importing.wait(END_S)
            import_s = time.monotonic() - began
        finally:
            importing.kill()
            end.set()
            for program in programs:
                program.join()
        said = "\n".join(log.read_text(errors="replace") for log in folder.glob("*.log"))

    connection.close()  # it may have been broken by the last kill
    wrong = [*tally.faults, *wrong_imports(files, RECORDING), *wrong_posts(collectors, diagnoser), *wrong_rollups()]
    if status:
        wrong.append(f"the import ended with {status}")
    if len(away) < given.kills:
        wrong.append(f"the import was over after {len(away)} of {given.kills} kills")
    if "Traceback" in said:
        wrong.append(f"the application wrote a traceback: {said[said.index('Traceback') :][:5_000]}")
    if not tally.unavailable:
        wrong.append("nobody met the absence of the database")
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
        "answers_503": tally.unavailable,
        "other_faults": len(tally.faults),
        "broken_connections": tally.broken,
        "kills": len(away),
        "seconds_away": round(math.fsum(away), 1),
        "mismatches": len(wrong),
        "ok": not wrong,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=ALL_ROWS, help="to import; %(default)s")
    parser.add_argument("--batch-size", type=int, default=50_000, help="of the import; %(default)s")
    parser.add_argument("--kills", type=int, default=10, help="%(default)s")
    parser.add_argument("--seed", type=int, default=1, help="of the instants of the kills; %(default)s")
    parser.add_argument("--api-only", action="store_true", help="no pages, whose static files take time to collect")
    given = parser.parse_args()
    # Else SIGTERM would end this program alone, and leave its servers running.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    with tempfile.TemporaryDirectory(prefix="himmes-chaos-") as name:
        folder = Path(name)
        with running_server(folder, "--innodb-buffer-pool-size=1G") as server:
            os.environ["DATABASE_URL"] = server.database_url
            os.environ.setdefault("DJANGO_SETTINGS_MODULE", "himmes.settings")
            os.environ.setdefault("DJANGO_SECRET_KEY", "benchmark-" * 6)
            django.setup()
            result = run(server, folder, given)
    print(json.dumps(result))
    sys.exit(not result["ok"])


if __name__ == "__main__":
    main()
