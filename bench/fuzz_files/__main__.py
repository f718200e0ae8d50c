"""Thousands of made-up files go through the import: `make fuzz-files`.

Each file of `made_files` is imported as the command does it, into SQLite. What is stored is held against what is true
of the file: each stored row must be one of its good rows, with its exact values under their own columns, at its own
time, and rows of two measurements must not be in one recording. A file of our rows must be stored whole, but for what
its options keep out; a file of anything else must be refused with nothing stored, and for a reason that is true: the
lines, columns, names and cells that it names are there, and why it says so is what was made wrong. The counts must
add up. As many files of signals in nine formats, of `made_captures`, are read, guessed and applied.

The first file that is wrong is made as small as can be and shown, with exit status 1. The last line is JSON.
"""

import argparse
import json
import os
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import django
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

from bench.fuzz_files.captures import check_capture
from bench.fuzz_files.made_captures import made_captures
from bench.fuzz_files.made_files import MadeFile, Row, made_files, seconds_since

FILES = 2_000
SEPARATORS = {"commas": ",", "semicolons": ";", "tabs": "\t"}
UNITS = {"seconds": "epoch-s", "milliseconds": "epoch-ms"}


class Wrong(AssertionError):
    """What became of a file contradicts what is true of it."""


def check_file(made: MadeFile, folder: Path) -> str:
    """Import a file into a database that is as before afterwards; whether it was stored, refused or partly stored."""
    from django.db import transaction

    from vibration.files.importing import import_file
    from vibration.files.paths import open_file
    from vibration.files.storing import Options

    path = folder / made.name
    path.write_bytes(made.content)
    options = Options(
        time=made.options["time"],
        on_restart="split" if made.options["split"] else "refuse",
        skip_bad_rows=made.options["skip_bad_rows"],
        batch_rows=made.options["batch_rows"],
    )
    with transaction.atomic():
        try:
            with open_file(path, follow=False) as stream:
                report = import_file(stream, path, options)
            return _check(made, report, _stored_rows(made))
        finally:
            transaction.set_rollback(True)


def _stored_rows(made: MadeFile) -> list[Row]:
    """The good rows of the file that are stored. Raises Wrong for any row that is none of them, or not as it is."""
    from vibration.models import Recording, VibrationData

    states = ("normal", "unbalance", "looseness", "unbalance_looseness")
    of_values = {row.values: row for row in made.rows}
    run_of: dict[int, int] = {}
    stored = []
    for recording in Recording.objects.all():
        samples = VibrationData.objects.of(recording).order_by("measured_time").values_list("measured_time", *states)
        rows = []
        for time_s, *values in samples:
            row = of_values.get(tuple(values))
            if row is None:
                raise Wrong(f"{values} at {time_s} s are stored, and no row of the file")
            if run_of.setdefault(recording.pk, row.run) != row.run:
                raise Wrong(f"{recording} holds rows of two measurements")
            rows.append((row, time_s))
        start_ns = 0 if made.time == "seconds" or not rows else rows[0][0].time_ns
        for row, time_s in rows:
            if time_s != seconds_since(start_ns, row.time_ns):
                raise Wrong(f"line {row.line} is stored at {time_s!r} s")
        stored += [row for row, _time in rows]
    if len(set(run_of.values())) < len(run_of):
        raise Wrong("a measurement is in two recordings")
    return sorted(stored, key=lambda row: row.line)


def _check(made: MadeFile, report, stored: list[Row]) -> str:
    run = report.run
    if run.new != len(stored) or run.identical or run.conflicting:
        raise Wrong(f"{len(stored)} rows are stored; counted: {run.new}, {run.identical}, {run.conflicting}")
    _check_reasons(made, report)
    if not stored:
        _check_that_none_had_to_be(made, report)
        return "refused"
    if run.outcome in ("complete", "problems"):
        if not made.is_ours or made.must_be_refused:
            raise Wrong("it was taken, and is to be refused")
        if stored != made.rows:
            raise Wrong(f"of the rows of lines {_lines(made.rows)} those of {_lines(stored)} are stored")
        if run.rejected != len(made.bad_lines):
            raise Wrong(f"{run.rejected} lines were rejected; bad are {made.bad_lines}")
        if (run.outcome == "complete") != (not made.bad_lines):
            raise Wrong(f"it is told as {run.outcome}")
        return "stored" if run.outcome == "complete" else "partly"
    if made.must_be_refused or not made.is_ours:
        raise Wrong("a part of it was taken, and it is to be refused")
    end = _end_of_stored(made, report)
    if stored != [row for row in made.rows if row.line < end]:
        raise Wrong(f"it ended at line {end}; stored are the rows of {_lines(stored)}")
    return "partly"


def _check_that_none_had_to_be(made: MadeFile, report) -> None:
    open_line = len(made.lines) if made.has_open_end else 0
    has_rows = made.is_ours and any(row.line != open_line for row in made.rows)
    if not has_rows or made.must_be_refused or made.causes:
        return  # of a row that is cut off alone nobody can tell what it was
    if made.options["skip_bad_rows"] or not made.bad_lines or made.bad_lines[0] > made.rows[0].line:
        raise Wrong(f"nothing is stored: {report.run.message}, {report.problems}")


def _end_of_stored(made: MadeFile, report) -> int:
    """Up to which line all good rows have to be stored, of a file that was not taken to its end."""
    if report.run.outcome == "stopped":
        return int(re.search(r"the rows after line (\d+)", report.run.message)[1])
    if made.is_cut_gzip:
        # As many as came out of it
        return 1 + max(row.line for row in made.rows[: report.run.new])
    raise Wrong(f"it failed after rows were stored: {report.run.message}")


def _lines(rows: list[Row]) -> list[int]:
    return [row.line for row in rows]


def _check_reasons(made: MadeFile, report) -> None:
    """Raises Wrong for a reason that is not true."""
    if report.run.outcome == "failed":
        _check_reason(made, report.run.message)
    problems = [re.fullmatch(r".*?:(\d+): (\w+): (.*)", text, re.DOTALL).groups() for text in report.problems]
    for line, _word, reason in problems:
        number = int(line)
        if not 1 <= number <= len(made.lines):
            raise Wrong(f"line {number} is told of, of {len(made.lines)}")
        is_fall = "the time falls back" in reason
        if (
            made.is_ours
            and not made.must_be_refused
            and is_fall != (number in made.fall_lines and number not in made.bad_lines)
        ):
            raise Wrong(f"line {number}: {reason}; the time falls back at {made.fall_lines}")
        if not is_fall and number not in made.bad_lines and not (made.must_be_refused or made.causes):
            raise Wrong(f"line {number} was rejected, and is good: {reason}")
        _check_facts(made, reason, number)
    if report.run.outcome == "stopped" and not report.problems:
        raise Wrong("it stopped without a reason")
    if report.run.outcome == "failed" and not report.run.message:
        raise Wrong("it failed without a reason")


# What a reason begins with or says, and whether that is so of a file
REASONS: list[tuple[str, Callable[[MadeFile, re.Match], bool]]] = [
    (r"the file is empty|begins with blank lines only", lambda made, found: "empty" in made.causes),
    (r"this is UTF-16 or binary data", lambda made, found: "binary" in made.causes),
    (r"lines end in CR alone", lambda made, found: "CR" in made.causes),
    (r"the gzip data (ends|is damaged)", lambda made, found: made.is_cut_gzip),
    (r"its first lines are single numbers", lambda made, found: not made.rows or made.is_cut_gzip),
    (r"no (number|row of numbers)", lambda made, found: not made.rows or made.is_cut_gzip),
    (r"has a header line and no rows|the file has no rows", lambda made, found: not made.rows or made.is_cut_gzip),
    (r"decimal commas, as in (\S+), in", lambda made, found: "decimal commas" in made.causes and found[1] in made.text),
    (r"has an unknown column", lambda made, found: "names" in made.causes),
    (r"repeats the column (\w+)", lambda made, found: made.names.count(found[1]) > 1),
    (r"lacks the column (\w+)", lambda made, found: "names" in made.causes and found[1] not in made.names),
    # Of rows with decimal commas the comma may be taken for what is between the columns
    (
        r"not separated as the rows are",
        lambda made, found: bool(made.names) and not {"names", "decimal commas"}.isdisjoint(made.causes),
    ),
    (r"looks like a header", lambda made, found: "names" in made.causes),
    (r"has '(\w+)' as the unit of the time", lambda made, found: "unit" in made.causes and found[1] in made.text),
    (r"since 1970", lambda made, found: "time" in made.causes and made.time.startswith("epoch")),
    (
        r"(?:begins with|has the time) (\S+), a number; it is not a time of day",
        lambda made, found: made.options["time"] == "iso" and found[1] in made.text,
    ),
    (r"a time of day", lambda made, found: "time" in made.causes and made.time == "iso"),
    (r"there is (no number|nothing) in any of the first", lambda made, found: "columns" in made.causes),
    (r"has (\d+) columns(?: of numbers)?, separated by", lambda made, found: found[1] != "5"),
]


def _check_reason(made: MadeFile, reason: str) -> None:
    found = [(is_so, match) for pattern, is_so in REASONS if (match := re.search(pattern, reason))]
    if not found:
        raise Wrong(f"a reason that is not known here: {reason}")
    is_so, match = found[0]
    if not is_so(made, match):
        raise Wrong(f"not true: {reason}")
    if line := re.search(r"\bline (\d+)\b", reason):
        _check_facts(made, reason, int(line[1]))


def _check_facts(made: MadeFile, reason: str, number: int) -> None:
    """What a reason says of a line has to be so."""
    if not 1 <= number <= len(made.lines):
        raise Wrong(f"there is no line {number}: {reason}")
    line = made.lines[number - 1]
    own = reason.partition(". ")[0]
    if told := re.search(r"(the rows below have )?(\d+) columns?(?: of numbers)?, separated by (\w+)", own):
        lines = made.lines[number:] if told[1] else [line]
        counts = {line.count(SEPARATORS[told[3]]) + 1 for line in lines}
        if int(told[2]) not in counts:
            raise Wrong(f"{counts} columns: {reason}")
    if (told := re.search(r"begins with ([^\s,…]+)", own)) and not line.lstrip('"').startswith(told[1]):
        raise Wrong(f"not so: {reason}")
    if told := re.search(r"^(\d+) columns? where 5 belong", own):
        counts = {line.count(separator) + 1 for separator in SEPARATORS.values()}
        if int(told[1]) not in counts:
            raise Wrong(f"line {number} has {counts} columns: {reason}")
    for cell in re.findall(r"is '([^'…]*)", own):
        if cell not in line and cell.encode().decode("unicode_escape", "replace") not in line:
            raise Wrong(f"{cell!r} does not stand in line {number}: {reason}")


def fuzz(made_up: SearchStrategy, check: Callable[..., str], files: int, number: int, found: Counter) -> None:
    """Count what becomes of so many files. Raises Wrong, or a group of them, with the smallest files that show it."""

    @seed(number)
    @settings(
        max_examples=files,
        deadline=None,
        database=None,
        derandomize=False,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
        print_blob=False,
    )
    @given(made_up)
    def each(made: Any) -> None:
        found["files"] += 1
        found[check(made)] += 1

    each()


def faults_of(made_up: SearchStrategy, check: Callable[..., str], files: int, number: int, found: Counter) -> int:
    """How many files, as small as can be, are wrong; each is shown."""
    faults: tuple[Exception, ...] = ()
    try:
        fuzz(made_up, check, files, number, found)
    except ExceptionGroup as group:
        faults = group.exceptions
    except Exception as error:  # noqa: BLE001  also of the import itself, which has to say in words what a file is
        faults = (error,)
    for fault in faults:
        print(f"{type(fault).__name__}: {fault}", *getattr(fault, "__notes__", []), sep="\n", file=sys.stderr)
    return len(faults)


def main() -> None:
    parser = argparse.ArgumentParser(prog="fuzz_files", description=__doc__.partition("\n")[0])
    parser.add_argument("--files", type=int, default=FILES, help="of samples, and as many of captures")
    parser.add_argument("--seed", type=int, default=1, help="another one makes others")
    given_ = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="himmes-fuzz-files-") as name:
        folder = Path(name)
        os.environ["DATABASE_URL"] = f"sqlite:///{folder}/fuzz.sqlite3"
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "himmes.settings")
        os.environ.setdefault("DJANGO_SECRET_KEY", "benchmark-" * 6)
        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        samples: Counter = Counter()
        captures: Counter = Counter()
        wrong = faults_of(made_files(), partial(check_file, folder=folder), given_.files, given_.seed, samples)
        wrong += faults_of(made_captures(), partial(check_capture, folder=folder), given_.files, given_.seed, captures)
    counts = {name: samples[name] for name in ("files", "stored", "refused", "partly")}
    of_captures = {name: captures[name] for name in ("files", "stored", "refused")}
    seconds = round(time.monotonic() - began, 1)
    told = {"captures": of_captures, "wrong": wrong, "ok": not wrong, "seed": given_.seed, "seconds": seconds}
    print(json.dumps(counts | told))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
