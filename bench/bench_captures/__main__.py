"""Captures posted to our API and read back, on SQLite and on MariaDB in one run: `make bench-captures`.

A collector posts captures of 25,600 samples of three axes over one kept connection, each once the one before it is
answered: the signals are those of a 16-bit converter (signals.py), once as float32 and once as int16 with a scale. The
server is gunicorn with the settings of production, and stores each with its features. Then it looks whether all are
stored to the last bit, and reads some back. After that 20 axes a second come for `--seconds`, and the memory of the
server in the last quarter is held against that of the first.

Beside them on the same database, without a server in between: the same captures as plain rows of time and value; and,
as people keep them today, as .npy files, forced to the disk. Server, database and collector share the machine.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.report import print_report

FIGURES = {
    "stored, p50 ms": "{kind}_p50_ms",
    "stored, p95 ms": "{kind}_p95_ms",
    "CPU of a post, ms": "{kind}_cpu_ms",
    "bytes a sample": "{kind}_bytes_per_sample",
    "read back, p95 ms": "{kind}_read_samples_p95_ms",
}
BESIDE = {
    "stored, p50 ms": "{way}_p50_ms",
    "stored, p95 ms": "{way}_p95_ms",
    "CPU of a post, ms": "",
    "bytes a sample": "{way}_bytes_per_sample",
    "read back, p95 ms": "{way}_read_p95_ms",
}


def measured(name: str, address: str, posts: int, seconds: float) -> dict:
    """The figures of one database."""
    print(f"on {name}", file=sys.stderr, flush=True)
    command = [sys.executable, "-m", "bench.bench_captures.engine", f"--posts={posts}", f"--seconds={seconds}"]
    run = subprocess.run(command, env=os.environ | {"DATABASE_URL": address}, stdout=subprocess.PIPE, check=True)
    return json.loads(run.stdout.decode().splitlines()[-1])


def lines_of(name: str, told: dict) -> list[list[str]]:
    ways = [(f"ours, {kind}", FIGURES, {"kind": kind}) for kind in ("float32", "int16")]
    ways += [("plain rows", BESIDE, {"way": "plain_rows"})]
    ways += [(f".npy, {kind}", BESIDE, {"way": f"npy_{kind}"}) for kind in ("float32", "int16")]
    return [
        [f"{name}: {way}", *(f"{told[key.format(**names)]:,}" if key else "-" for key in figures.values())]
        for way, figures, names in ways
    ]


def main() -> None:
    parser = argparse.ArgumentParser("bench_captures", description=__doc__.splitlines()[0])
    parser.add_argument("--posts", type=int, default=100, help="of three axes, of each type; %(default)s")
    parser.add_argument("--seconds", type=float, default=60, help="of 20 axes a second; 600 for the whole; %(default)s")
    given = parser.parse_args()
    if given.posts < 20 or given.seconds < 2:
        parser.error("--posts from 20, --seconds from 2")
    server = os.environ.get("DATABASE_URL", "")
    assert server.startswith("mysql"), "this benchmark wants MariaDB or MySQL in DATABASE_URL"
    with tempfile.TemporaryDirectory(prefix="himmes-bench-") as folder:
        addresses = {"SQLite": f"sqlite:///{Path(folder, 'bench.sqlite3')}", "MariaDB": server}
        told = {name: measured(name, address, given.posts, given.seconds) for name, address in addresses.items()}
    figures = {f"{name.lower()}_{key}": value for name, them in told.items() for key, value in them.items()}
    title = f"{given.posts} posts of 25,600 samples x 3 axes of each type; {given.seconds:g} s of 20 axes a second"
    print_report(
        title,
        ["database: way", *FIGURES],
        [line for name, them in told.items() for line in lines_of(name, them)],
        figures,
    )


if __name__ == "__main__":
    main()
