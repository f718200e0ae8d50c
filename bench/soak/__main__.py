"""The site in use for ten minutes, as in production, on MariaDB: `make soak`.

Ten collectors post the samples of each second, or more of them in shorter lists (`--collectors 50`). A program posts
diagnoses, three wall screens ask each second what is new, and four people open one page after the other, admin and
charts' data included. Beside them, 50 slow clients hold connections on which they send nothing, half a head, half a
body or half an upload. The database holds what bench/much_data.py makes. Server (gunicorn, two processes), database and
visitors share the machine.

First the rate of samples is raised in steps of half a minute. The knee is the highest rate at which the server stayed
on time: nobody's post was sent more than 2 seconds late, and nothing failed. Then comes the soak, at 5,000 samples/s or
at the knee if that is lower, on servers started anew. It fails if any answer is a 5xx or missing, if fewer rows are
stored than were acknowledged, or if the resident memory of the server's processes, on average of the last minute, is
more than 10 % off that of the second.

JSON: rates in samples/s, milliseconds, MB (1,000,000 bytes).
"""

import argparse
import io
import json
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "himmes.settings")
os.environ.setdefault("DJANGO_SECRET_KEY", "benchmark-" * 6)
django.setup()

import numpy as np  # noqa: E402  Django first
from django.conf import settings  # noqa: E402
from django.contrib.auth import get_user_model  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402

from bench.attackers import SlowCompany, Target  # noqa: E402
from bench.much_data import FLICKERING, add_flickering, fill  # noqa: E402
from bench.page_requests import requests_of  # noqa: E402
from bench.report import print_table  # noqa: E402
from bench.serving import Server, children_of, in_production  # noqa: E402
from bench.soak.visitors import Answers, Visitors  # noqa: E402
from machines.models import Machine  # noqa: E402
from vibration.models import Recording, VibrationData  # noqa: E402

WANTED = 5_000  # samples/s
WALLS, PEOPLE = 3, 4
SLOW_CLIENTS = 50
STEPS = (2_500, 5_000, 10_000, 15_000, 20_000, 30_000, 40_000, 50_000)  # samples/s
LATE_S = 2.0
MEMORY_MAY_DIFFER = 0.10
KINDS = ("post samples", "post diagnoses", "poll", "page")


class Plant:
    """A filled database, and what visitors need to get in."""

    def __init__(self, samples: int, machines: int, diagnoses: int, collectors: int):
        self.collectors = collectors
        call_command("migrate", verbosity=0)
        fill(samples, machines, diagnoses)
        add_flickering()
        self.collector = _token("collector")
        self.diagnoser = _token("diagnoser")
        user = get_user_model().objects.create_superuser("soak")
        client = Client()
        client.force_login(user)
        self.session = client.cookies[settings.SESSION_COOKIE_NAME].value
        self.machines = list(Machine.objects.exclude(name=FLICKERING).values_list("name", flat=True))
        recording = Recording.objects.with_place().get(sensor__machine__name="g1", sensor__sensor_no="sensor1")
        asked = requests_of(recording, "", self.machines)
        # Each page as a person opens it: not what the measurement asks for in a special way
        self.pages = [(it.name, it.path) for it in asked if it.status == 200 and "new" not in it.name]

    def visitors(self, server: Server, answers: Answers, rate: int) -> Visitors:
        visitors = Visitors(server.address, answers)
        for number in range(self.collectors):
            visitors.add_collector(self.collector, f"sensor{number}", rate // self.collectors)
        visitors.add_diagnoser(self.diagnoser, self.machines)
        for path in ("/", "/?kiosk=1", "/machines/g1/")[:WALLS]:
            visitors.add_wall(self.session, path)
        for number in range(PEOPLE):
            visitors.add_person(self.session, self.pages, number)
        return visitors


def _token(role: str) -> str:
    text = io.StringIO()
    call_command("create_api_token", f"soak-{role}", role=role, stdout=text, stderr=io.StringIO())
    return text.getvalue().strip()


def resident_bytes(pid: int) -> int:
    """Of a process and all that it started."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") + sum(map(resident_bytes, children_of(pid)))


def find_knee(plant: Plant, folder: Path, seconds: float) -> tuple[int, list[list[str]]]:
    """The highest of the rates that the server carries, and a line for each rate tried; 0 if it carries none."""
    knee, lines = 0, []
    with in_production(folder, workers=2) as server:
        for rate in STEPS:
            answers = Answers()
            with plant.visitors(server, answers, rate):
                time.sleep(seconds)
            carried = not answers.failures and answers.late <= LATE_S
            lines.append([f"{rate:,}", f"{answers.rows / seconds:,.0f}", f"{answers.late:.1f}", *_times(answers)])
            if not carried:
                break
            knee = rate
    return knee, lines


def _times(answers: Answers) -> list[str]:
    """Median and 99th percentile of posts and pages, in ms."""
    found = [answers.seconds_of(kind) * 1e3 for kind in ("post samples", "page")]
    return [f"{np.median(it):.0f} / {np.percentile(it, 99):.0f}" if len(it) else "-" for it in found]


def soak(plant: Plant, folder: Path, rate: int, seconds: float) -> dict:
    before = VibrationData.objects.count()
    answers, memory = Answers(), []
    with (
        in_production(folder, workers=2) as server,
        plant.visitors(server, answers, rate),
        SlowCompany(Target("directly", server.address), plant.collector, SLOW_CLIENTS) as slow,
    ):
        began = time.monotonic()
        while (passed := time.monotonic() - began) < seconds:
            memory.append((passed, resident_bytes(server.pid)))
            time.sleep(1)
            if round(passed) % 60 == 59:
                print(f"{passed / 60:.0f} min: {memory[-1][1] / 1e6:.0f} MB, {answers.rows:,} rows", flush=True)
    minute = seconds / 10  # of ten minutes; a shorter run is for trying this program
    second = np.mean([held for passed, held in memory if minute <= passed < 2 * minute])
    last = np.mean([held for passed, held in memory if passed >= seconds - minute])
    stored = VibrationData.objects.count() - before
    statuses = answers.statuses()
    bad = sum(count for status, count in statuses.items() if status == 0 or status >= 500)
    result = {
        "seconds": round(seconds),
        "samples_per_second": rate,
        "rows_a_list": rate // plant.collectors,
        "rows_acknowledged": answers.rows,
        "rows_stored": stored,
        "statuses": statuses,
        "slow_clients": SLOW_CLIENTS,
        "slow_connections": slow.opened,
        "latest_post_s": round(answers.late, 2),
        "memory_second_minute_mb": round(second / 1e6, 1),
        "memory_last_minute_mb": round(last / 1e6, 1),
        "memory_ratio": round(last / second, 3),
    }
    for kind in KINDS:
        times = answers.seconds_of(kind) * 1e3
        result[kind.replace(" ", "_") + "_ms"] = {
            "count": len(times),
            "median": round(float(np.median(times)), 1),
            "p99": round(float(np.percentile(times, 99)), 1),
            "max": round(float(times.max()), 1),
        }
    wrong = sorted(set(answers.failures))
    if wrong:
        print("\n".join(wrong[:20]), file=sys.stderr)
    result["ok"] = bool(
        bad == 0
        and not wrong
        and stored >= answers.rows
        and abs(last / second - 1) <= MEMORY_MAY_DIFFER
        and answers.rows >= 0.95 * rate * seconds
    )
    return result


def main() -> None:
    parser = argparse.ArgumentParser("soak", description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=600, help="%(default)s")
    parser.add_argument("--step-seconds", type=float, default=30, help="at each rate, to find the knee; %(default)s")
    parser.add_argument("--rate", type=int, help="of the soak, instead of looking for the knee")
    parser.add_argument("--samples", type=int, default=1_500_000, help="stored beforehand; %(default)s")
    parser.add_argument("--collectors", type=int, default=10, help="each posts a list a second; %(default)s")
    given = parser.parse_args()
    assert connection.vendor == "mysql", "this wants MariaDB or MySQL in DATABASE_URL"
    # Else SIGTERM would end this program alone, and leave its servers running.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    plant = Plant(given.samples, 200, 100_000, given.collectors)
    knee = None
    with tempfile.TemporaryDirectory(prefix="himmes-soak-") as name:
        folder = Path(name)
        if given.rate is None:
            knee, lines = find_knee(plant, folder, given.step_seconds)
            columns = ["asked samples/s", "acknowledged", "late s", "posts ms", "pages ms"]
            print_table("Rates tried; ms: median / 99 %", columns, lines)
            if not knee:
                sys.exit(f"not even {STEPS[0]:,} samples/s were carried")
        result = soak(plant, folder, given.rate or min(WANTED, knee), given.seconds)
    print(json.dumps({"knee_samples_per_second": knee} | result))
    sys.exit(not result["ok"])


if __name__ == "__main__":
    main()
