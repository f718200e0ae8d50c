"""How long the server takes for each page of a large plant, and how much a browser loads for it: `make bench-pages`.

The database holds what bench/much_data.py makes: 1.5 million samples, 200 machines with 100,000 diagnoses of 7 days,
and one machine more whose 7,000 diagnoses each say another state. A request is the whole WSGI application with the
settings of production, in this process: all middleware, a session in the database, compressed with gzip, until the last
byte is out. Each page is asked some times to warm up, then the median counts. "Something new" posts a diagnosis before
each request, which is not timed; "nothing kept" empties the cache before.

Beside it stands what the pages of the former system did: all diagnoses of the last 7 days, or the first 1,000 samples
of each sensor, as JSON rows for the browser to filter. They are given plain rows without models, and are timed without
compression and without a request around them.

Weight: Chromium opens each page with an empty cache; the bodies of all that it loads until its charts are drawn, each
compressed with gzip level 6, as a web server does. This part is skipped where there is no Chromium.

JSON: milliseconds and queries of each request, kB (1,000 bytes) of each page; ratios: former over ours, above 1 ours is
faster or smaller.
"""

import argparse
import gzip
import os
import re
import time
from collections.abc import Callable

import django

from bench.serving import AS_IN_PRODUCTION

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "himmes.settings")
os.environ.setdefault("DJANGO_SECRET_KEY", "benchmark-" * 6)
os.environ |= AS_IN_PRODUCTION | {
    "DJANGO_LOG_LEVEL": "WARNING",  # the lines of the requests would hide the report
    "DJANGO_ALLOW_ASYNC_UNSAFE": "True",  # Playwright keeps an event loop in this thread, in which nothing runs
}
django.setup()

from django.core.management import call_command  # noqa: E402  Django first
from django.db import connection  # noqa: E402

from bench.bench_pages import weight  # noqa: E402
from bench.bench_pages.old_pages import first_samples, week_of_diagnoses  # noqa: E402
from bench.much_data import FLICKERING, add_flickering, fill  # noqa: E402
from bench.page_requests import requests_of, weighed_paths  # noqa: E402
from bench.report import print_report, print_table  # noqa: E402
from bench.whole_requests import Measured, Site, analyze  # noqa: E402
from diagnosis.models import VibrationDiagnosis  # noqa: E402
from diagnosis.pages.forms import MACHINES_PER_PAGE  # noqa: E402
from machines.models import Machine  # noqa: E402
from vibration.csv.synthetic import DEFAULT_SECONDS, row_count  # noqa: E402
from vibration.models import Recording, VibrationData  # noqa: E402

GOAL_MS, GOAL_KB = 100, 400
FORMER_CALLS = 5
FORMER = {"former: diagnoses of 7 days": week_of_diagnoses, "former: first samples": first_samples}
COMPARED = [
    ("former: diagnoses of 7 days", "/diagnosis/"),
    ("former: diagnoses of 7 days", f"timeline data, {MACHINES_PER_PAGE} machines"),
    ("former: first samples", "waveform data, whole"),
    ("former: first samples", "/vibration/table/"),
]


def _key(name: str) -> str:
    name = re.sub(r"^/(?!\w)", "overview ", name)
    return re.sub(r"\W+", "_", name).strip("_")


def former_way(way: Callable[[], bytes]) -> Measured:
    seconds = []
    for _ in range(FORMER_CALLS):
        began = time.perf_counter()
        body = way()
        seconds.append(time.perf_counter() - began)
    return Measured(seconds, 0, len(gzip.compress(body, weight.GZIP_LEVEL)))


# --- What came out ----------------------------------------------------------------------------------------------------


def report(took: dict[str, Measured], former: dict[str, Measured], weights: dict[str, weight.Weight]) -> None:
    numbers: dict[str, float] = {}
    lines = []
    for name, it in (took | former).items():
        numbers[f"{_key(name)}_ms"] = round(it.ms, 2)
        spread = f"{min(it.seconds) * 1e3:,.1f} - {max(it.seconds) * 1e3:,.1f}"
        lines.append([name, f"{it.ms:,.1f}", spread, f"{it.queries or '-'}", f"{it.sent / 1e3:,.1f}"])
        if it.queries:
            numbers[f"{_key(name)}_queries"] = it.queries
    slow = [name for name, it in took.items() if it.ms >= GOAL_MS]
    title = f"On {connection.mysql_server_info}; goal: each below {GOAL_MS} ms; above it: {', '.join(slow) or 'none'}"
    print_table(title, ["request", "median ms", "least - most", "queries", "kB sent"], lines)

    lines = [
        [name, *(f"{part / 1e3:,.1f}" for part in (it.total, it.document, it.static, it.data)), str(it.requests)]
        for name, it in weights.items()
    ]
    heavy = [name for name, it in weights.items() if it.total >= GOAL_KB * 1e3]
    title = f"First visit, each body with gzip {weight.GZIP_LEVEL}; goal: each below {GOAL_KB} kB; "
    title += f"above it: {', '.join(heavy) or 'none'}"
    if weights:
        print_table(title, ["page", "kB", "document", "static files", "data", "requests"], lines)
        numbers |= {f"{_key(name)}_kB": round(it.total / 1e3, 1) for name, it in weights.items()}
    else:
        print("page weight skipped: no Chromium")

    lines = []
    for theirs, ours in COMPARED:
        faster, smaller = former[theirs].ms / took[ours].ms, former[theirs].sent / took[ours].sent
        lines.append([f"{theirs} / {ours}", f"{faster:,.1f}", f"{smaller:,.1f}"])
        numbers[f"{_key(theirs)}_over_{_key(ours)}_ms"] = round(faster, 1)
        numbers[f"{_key(theirs)}_over_{_key(ours)}_bytes"] = round(smaller, 1)
    print_report("Former way over ours", ["former / ours", "times the ms", "times the bytes"], lines, numbers)


def fill_database(given: argparse.Namespace) -> Recording:
    """Fill it, assert that all is there, and give a whole recording."""
    began = time.perf_counter()
    fill(given.samples, given.machines, given.diagnoses)
    add_flickering()
    analyze()
    found = [model.objects.count() for model in (VibrationData, Machine, VibrationDiagnosis)]
    print("{:,} samples, {:,} machines, {:,} diagnoses".format(*found), f"in {time.perf_counter() - began:.0f} s")
    assert found[0] == given.samples
    assert found[1] == given.machines + 1
    recording = Recording.objects.with_place().get(sensor__machine__name="g1", sensor__sensor_no="sensor1")
    assert recording.sample_count == row_count(1, DEFAULT_SECONDS)
    return recording


def main() -> None:
    parser = argparse.ArgumentParser("bench_pages", description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=1_500_000, help="%(default)s")
    parser.add_argument("--machines", type=int, default=200, help="beside the one that flickers; %(default)s")
    parser.add_argument("--diagnoses", type=int, default=100_000, help="of these machines; %(default)s")
    parser.add_argument("--requests", type=int, default=31, help="timed, of each page; %(default)s")
    given = parser.parse_args()
    if given.samples < 300_000 or given.machines < MACHINES_PER_PAGE or given.requests < 1:
        parser.error(f"--samples from 300000, --machines from {MACHINES_PER_PAGE}, --requests from 1")
    assert connection.vendor == "mysql", "this benchmark wants MariaDB or MySQL in DATABASE_URL"
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    recording = fill_database(given)
    site = Site()
    names = list(Machine.objects.order_by("name").exclude(name=FLICKERING).values_list("name", flat=True))
    took = {it.name: site.measure(it, given.requests) for it in requests_of(recording, site.older_rows(), names)}
    former = {name: former_way(way) for name, way in FORMER.items()}
    weights = {}
    if weight.chromium():
        weights = weight.weigh(site.application, site.sessions["viewer"], weighed_paths(recording))
    report(took, former, weights)


if __name__ == "__main__":
    main()
