"""How the costs grow with what is stored: `make bench-growth`.

One database on MariaDB grows step by step: to 1, 10 and 30 million samples, and to 0.1, 1 and 5 million diagnoses of
200 machines. Its history grows backwards, so that what came lately is the same at each size: a cost that grows reads
more than it shows. At each size the same is measured: an import, posts, pages and calls of the API, each as the whole
application with the settings of production, in this process. See costs.py for what counts, plant.py for the data.

The table has milliseconds at each size, and the last over the first; goal: at most 1.3. A second one has the rows that
the database reads for one call. A picture of the first is written as SVG.

JSON: milliseconds and rows of each cost at each size, and its growth.
"""

import argparse
import os
import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import django

from bench.serving import AS_IN_PRODUCTION

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "himmes.settings")
os.environ.setdefault("DJANGO_SECRET_KEY", "benchmark-" * 6)
os.environ |= AS_IN_PRODUCTION | {"DJANGO_LOG_LEVEL": "WARNING"}  # the lines of the requests would hide the report
django.setup()

from django.conf import settings  # noqa: E402  Django first
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from bench.bench_growth.costs import Cost, Writers, measure, requests  # noqa: E402
from bench.bench_growth.picture import Line, draw  # noqa: E402
from bench.bench_growth.plant import LONG_SHARE, SHORT_ROWS, Plant  # noqa: E402
from bench.report import print_report, print_table  # noqa: E402
from bench.whole_requests import Site, analyze  # noqa: E402
from diagnosis.models import Episode, VibrationDiagnosis  # noqa: E402
from vibration.models import Recording, VibrationData  # noqa: E402

GOAL = 1.3
STORED = {"samples": VibrationData, "recordings": Recording, "diagnoses": VibrationDiagnosis, "episodes": Episode}
Costs = dict[str, list[Cost]]  # at each size


def measure_all(
    plant: Plant, site: Site, writers: Writers, times: int, wanted: re.Pattern
) -> Iterator[tuple[str, Cost]]:
    for name, way in writers.ways(plant).items():
        if wanted.search(name):
            yield name, measure(way, times)
    for asked in requests(plant, site):
        if wanted.search(asked.name):
            yield asked.name, measure(lambda asked=asked: site.ask(asked)[0], times)


def growth(costs: list[Cost]) -> float:
    return costs[-1].ms / costs[0].ms


def report(costs: Costs, stored: list[list[int]], sizes: list[str]) -> None:
    grown = [name for name, them in costs.items() if growth(them) > GOAL]
    columns = ["cost", *sizes, "last / first"]
    print_table(
        "Rows that the database reads for one call",
        columns,
        [
            [name, *(f"{it.rows:,}" for it in them), f"{them[-1].rows / max(1, them[0].rows):,.2f}"]
            for name, them in costs.items()
        ],
    )
    numbers: dict[str, float] = {"costs": len(costs), "costs_above_goal": len(grown)}
    for number, counts in enumerate(stored, start=1):
        numbers |= {f"{kind}_{number}": held for kind, held in zip(STORED, counts, strict=True)}
    for name, them in costs.items():
        key = re.sub(r"\W+", "_", name)
        for number, it in enumerate(them, start=1):
            numbers |= {f"{key}_ms_{number}": round(it.ms, 2), f"{key}_rows_{number}": it.rows}
        numbers[f"{key}_growth"] = round(growth(them), 2)
    print_report(
        f"Milliseconds at each size, on {connection.mysql_server_info}; goal: at most {GOAL} times; "
        f"above it: {', '.join(grown) or 'none'}",
        columns,
        [[name, *(f"{it.ms:,.1f}" for it in them), f"{growth(them):,.2f}"] for name, them in costs.items()],
        numbers,
    )


def size_in_words(samples: int, diagnoses: int) -> str:
    return f"{samples / 1e6:g} M + {diagnoses / 1e6:g} M"


def main() -> None:
    parser = argparse.ArgumentParser("bench_growth", description=__doc__.splitlines()[0])
    millions = [1_000_000, 10_000_000, 30_000_000], [100_000, 1_000_000, 5_000_000]
    parser.add_argument("--samples", type=int, nargs="+", default=millions[0], help="rising; %(default)s")
    parser.add_argument(
        "--diagnoses", type=int, nargs="+", default=millions[1], help="multiples of the first; %(default)s"
    )
    parser.add_argument("--machines", type=int, default=200, help="%(default)s")
    parser.add_argument("--requests", type=int, default=31, help="timed, of each kind; %(default)s")
    parser.add_argument("--costs", type=re.compile, default="", help="only those in whose name this pattern is found")
    parser.add_argument("--picture", type=Path, default=settings.BASE_DIR / "var" / "growth.svg", help="%(default)s")
    parser.add_argument(
        "--uncollected", action="store_true", help="static files as they lie, with the settings of bench.api_settings"
    )
    given = parser.parse_args()
    week = given.diagnoses[0]
    if len(given.samples) != len(given.diagnoses) or any(it % week for it in given.diagnoses):
        parser.error("--samples and --diagnoses: as many sizes of each; those of diagnoses are multiples of the first")
    if given.requests < 2:
        parser.error("--requests from 2")
    if sorted(given.samples) != given.samples or sorted(given.diagnoses) != given.diagnoses:
        parser.error("--samples and --diagnoses: from the least to the most")
    if given.samples[0] * (1 - LONG_SHARE) < given.machines * SHORT_ROWS:
        parser.error(
            f"--samples from {given.machines * SHORT_ROWS / (1 - LONG_SHARE):.0f}, for each machine to have some"
        )
    assert connection.vendor == "mysql", "this benchmark wants MariaDB or MySQL in DATABASE_URL"
    call_command("migrate", verbosity=0)
    if not given.uncollected:
        call_command("collectstatic", interactive=False, verbosity=0)
    site = Site()
    plant = Plant(given.machines, week, given.samples[-1], timezone.now())
    costs: Costs = {}
    stored: list[list[int]] = []
    with tempfile.TemporaryDirectory(prefix="himmes-bench-") as folder:
        writers = Writers(site, Path(folder))
        for samples, diagnoses in zip(given.samples, given.diagnoses, strict=True):
            began = time.perf_counter()
            plant.grow_samples(samples)
            plant.grow_diagnoses(diagnoses // week)
            analyze()
            counts = [model.objects.count() for model in STORED.values()]
            took = f"in {time.perf_counter() - began:.0f} s"
            print(", ".join(f"{held:,} {kind}" for kind, held in zip(STORED, counts, strict=True)), took, flush=True)
            stored.append(counts)
            for name, cost in measure_all(plant, site, writers, given.requests, given.costs):
                print(f"{name}: {cost.ms:,.1f} ms, {cost.rows:,} rows", flush=True)
                costs.setdefault(name, []).append(cost)
    sizes = [size_in_words(*it) for it in zip(given.samples, given.diagnoses, strict=True)]
    report(costs, stored, sizes)
    lines = [Line(name, [it.ms for it in them], growth(them)) for name, them in costs.items()]
    given.picture.write_text(draw(lines, sizes, GOAL), encoding="utf-8")


if __name__ == "__main__":
    main()
