"""Trends and waterfalls asked of our whole application, on SQLite and on MariaDB in one run: `make bench-trends`.

A machine with a capture of three axes each 10 minutes grows backwards to five years, then others stand beside it
(plant.py): 10,000 features, and ten times more each time up to `--features`. At each size the same is asked, with the
settings of production, in this process; then what reaches over years. A cost that grows reads more than it shows.

Beside them: features by SQL into pandas and from a Parquet file into polars, resampled there (peer.py); and what
storing a capture of three axes takes more for what is kept for trends and waterfalls, with and without in turn.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.report import print_report

GOALS_MS = {
    "trend_90_days_x_3": 60,
    "trend_5_years_x_3": 100,
    "machine_page": 100,
    "waterfall_500_captures": 300,
    "spectrum_10_s": 60,
}
GOAL_BYTES = 60_000
GOAL_GROWTH = 1.3


def measured(name: str, address: str, given: argparse.Namespace) -> dict:
    """The figures of one database."""
    print(f"on {name}", file=sys.stderr, flush=True)
    command = [sys.executable, "-m", "bench.bench_trends.engine"]
    command += [f"--{it}={getattr(given, it)}" for it in ("features", "days", "requests")]
    run = subprocess.run(command, env=os.environ | {"DATABASE_URL": address}, stdout=subprocess.PIPE, check=True)
    return json.loads(run.stdout.decode().splitlines()[-1])


def lines_of(told: dict[str, dict]) -> list[list[str]]:
    """A line of each cost: milliseconds on each database, growth of these and of the rows that MariaDB reads, bytes."""
    first = next(iter(told.values()))
    sizes = sum(key.startswith("features_") for key in first)
    lines = []
    for key in sorted(it.removesuffix("_cpu_ms_growth") for it in first if it.endswith("_cpu_ms_growth")):
        last = [them[f"{key}_ms_{sizes}"] for them in told.values()]
        grown = " / ".join(f"{them[f'{key}_ms_growth']:.2f}" for them in told.values())
        rows = " / ".join(f"{it:.2f}" for them in told.values() if (it := them.get(f"{key}_rows_growth")))
        lines.append([key, *(f"{it:,.1f}" for it in last), grown, rows or "-", f"{first[f'{key}_bytes_{sizes}']:,}"])
    for key in sorted(it.removesuffix("_ms") for it in first if it.endswith("_ms")):
        size = f"{first[f'{key}_bytes']:,}" if f"{key}_bytes" in first else "-"
        lines.append([key, *(f"{them[f'{key}_ms']:,.1f}" for them in told.values()), "-", "-", size])
    return lines


def main() -> None:
    parser = argparse.ArgumentParser("bench_trends", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--features", type=int, default=1_000_000, help="at most so many, from 10,000; 10000000 for all; %(default)s"
    )
    parser.add_argument("--days", type=int, default=1_826, help="of the machine's history; %(default)s")
    parser.add_argument("--requests", type=int, default=21, help="timed, of each kind; %(default)s")
    parser.add_argument("--only", choices=["SQLite", "MariaDB"], help="this database alone")
    given = parser.parse_args()
    if given.features < 10_000 or given.requests < 2 or given.days < 30:
        parser.error("--features from 10000, --requests from 2, --days from 30")
    server = os.environ.get("DATABASE_URL", "")
    assert server.startswith("mysql"), "this benchmark wants MariaDB or MySQL in DATABASE_URL"
    with tempfile.TemporaryDirectory(prefix="himmes-bench-") as folder:
        addresses = {"SQLite": f"sqlite:///{Path(folder, 'bench.sqlite3')}", "MariaDB": server}
        told = {
            name: measured(name, address, given) for name, address in addresses.items() if given.only in (None, name)
        }
    figures = {f"{name.lower()}_{key}": value for name, them in told.items() for key, value in them.items()}
    goals = ", ".join(f"{key} {ms} ms" for key, ms in GOALS_MS.items())
    print_report(
        f"Milliseconds with {given.features:,} features; goals: "
        f"{goals}, 5 years in {GOAL_BYTES:,} bytes, growth {GOAL_GROWTH}",
        ["cost", *told, "growth", "of rows", "bytes"],
        lines_of(told),
        figures,
    )


if __name__ == "__main__":
    main()
