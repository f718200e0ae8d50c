"""The newest diagnoses of each machine, ours beside the old way, on one MariaDB in one run: `make bench-queries`.

The table holds a million diagnoses of 5 and of 200 machines, and a tenth of that, each in a database of its own on the
one server: `USE` goes from one to the other, so that all are measured by turns and warm. The old way numbers every row
with a window function, then keeps the first ones of each machine. It is given the fastest driver and plain tuples, and
need not sort its answer; ours is timed with its reading of the machines, its sorting and, for the latest, its making of
model instances. For each question both must find the same diagnoses.

How long the old way takes hangs on where the server keeps its temporary table of all rows: by default on disk, as it is
larger than 16 MB. So it is also measured with temporary tables and sorting in memory ("tuned"), which an administrator
may set. Ours makes no use of either.

In each turn, ours is called once to warm up, then some times that count; the old way, which takes seconds and was
called before the first turn, just once. The median over all turns counts, and the order is turned about from turn to
turn.

Ratios: seconds of the old way over ours, above 1 ours is faster; with `_tuned`, of the old way tuned over ours; for
growth, ours at all rows over ours at a tenth.
"""

import argparse
import os
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC
from itertools import product
from typing import NamedTuple

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "himmes.settings")
os.environ.setdefault("DJANGO_SECRET_KEY", "benchmark-" * 6)
django.setup()

from django.core.management import call_command  # noqa: E402  Django first
from django.db import connection  # noqa: E402

from bench.report import print_report  # noqa: E402
from diagnosis.models import CurrentState, VibrationDiagnosis  # noqa: E402
from diagnosis.storage.current_states import read_anew  # noqa: E402
from machines.models import Machine  # noqa: E402

MACHINES = (5, 200)
FEW, MANY = 1, 1_000  # newest of each machine
GROWTH = 10
DAYS = 30
OUR_CALLS = 10  # in a turn
TUNED_VARIABLES = {"tmp_table_size": 2**30, "max_heap_table_size": 2**30, "sort_buffer_size": 2**28}  # bytes

FILL = """
    INSERT INTO vibration_diagnosis (machine_id, detected_at, fault_type, model_name, confidence, created_at)
    SELECT
        1 + MOD(CRC32(seq), %(machines)s),
        @at := '2024-03-04' + INTERVAL (seq * %(step)s + MOD(CRC32(CONCAT(seq, 'at')), %(step)s)) MICROSECOND,
        MOD(CRC32(CONCAT(seq, 'fault')), 4),
        'bench',
        MOD(seq, 1001) / 1000,
        @at
    FROM seq_1_to_{rows}
"""

OLD_WAY = """
    SELECT ranked.machine_id, ranked.detected_at, ranked.model_name, ranked.id, ranked.fault_type, ranked.confidence,
        machine.name
    FROM (
        SELECT d.*, ROW_NUMBER() OVER (PARTITION BY machine_id ORDER BY detected_at DESC) AS place
        FROM vibration_diagnosis d
    ) ranked
    JOIN machines_machine machine ON machine.id = ranked.machine_id
    WHERE ranked.place <= %s
"""


class Filled(NamedTuple):
    """A database with so many diagnoses of so many machines."""

    machines: int
    rows: int
    is_full: bool  # not the tenth

    @property
    def name(self) -> str:
        return connection.ops.quote_name(f"{connection.settings_dict['NAME']}_{self.machines}_{self.rows}")


def execute(sql: str, *params) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, *params)


def fill(database: Filled) -> None:
    """The tables that are asked, with their indexes, and what stands in them."""
    source = connection.ops.quote_name(connection.settings_dict["NAME"])
    execute(f"CREATE DATABASE {database.name}")
    execute(f"USE {database.name}")
    for model in (Machine, VibrationDiagnosis, CurrentState):
        table = connection.ops.quote_name(model._meta.db_table)
        execute(f"CREATE TABLE {table} LIKE {source}.{table}")
    # Not named in the order of their keys
    numbers = range(1, database.machines + 1)
    Machine.objects.bulk_create([Machine(pk=pk, name=f"machine {pk * 7919 % 1000:03}") for pk in numbers])
    # In order of time, as they are posted; which machine is next, and how long after, is as good as random.
    step = DAYS * 24 * 3600 * 10**6 // database.rows
    execute(FILL.format(rows=database.rows), {"machines": database.machines, "step": step})
    for pk in numbers:
        read_anew(pk)
    for model in (Machine, VibrationDiagnosis, CurrentState):
        execute(f"ANALYZE TABLE {model._meta.db_table} PERSISTENT FOR ALL")
    assert VibrationDiagnosis.objects.count() == database.rows


def our_latest() -> list[VibrationDiagnosis]:
    return list(VibrationDiagnosis.objects.latest_per_machine())


def our_newest(limit: int) -> list[tuple]:
    machines = list(Machine.objects.order_by("name"))
    return VibrationDiagnosis.objects.newest_of_each(machines, limit, "pk", "fault_type", "confidence", most=10**9)


def the_old_way(limit: int) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(OLD_WAY, [limit])
        return cursor.fetchall()


# Ours to each question, and how many newest of each machine the old way is asked for: the latest is the newest one.
QUESTIONS: dict[str, tuple[Callable, int]] = {
    "latest": (our_latest, FEW),
    f"newest_{FEW}": (lambda: our_newest(FEW), FEW),
    f"newest_{MANY}": (lambda: our_newest(MANY), MANY),
}


def assert_same_found(database: Filled) -> None:
    for limit in (FEW, MANY):
        expected = {(row[0], row[1].replace(tzinfo=UTC)) for row in the_old_way(limit)}
        assert len(expected) >= database.machines
        for question, (ours, wanted) in QUESTIONS.items():
            if wanted == limit:
                found = [it[:2] if isinstance(it, tuple) else (it.machine_id, it.detected_at) for it in ours()]
                assert len(found) == len(expected), question
                assert set(found) == expected, question


def timed(way: Callable, *given) -> float:
    """Seconds."""
    began = time.perf_counter()
    way(*given)
    return time.perf_counter() - began


def tune(tuned: bool) -> None:
    values = [f"{name} = {value if tuned else 'DEFAULT'}" for name, value in TUNED_VARIABLES.items()]
    execute(f"SET SESSION {', '.join(values)}")


def measure(databases: list[Filled], repeats: int) -> tuple[dict, dict]:
    """Seconds of each call: ours by database and question, the old way's by database, number of newest and tuned."""
    took, old_took = defaultdict(list), defaultdict(list)
    for number in range(repeats):
        turn = 1 if number % 2 == 0 else -1
        for database in databases[::turn]:
            execute(f"USE {database.name}")
            for question, (ours, _limit) in list(QUESTIONS.items())[::turn]:
                ours()
                took[database, question] += [timed(ours) for _ in range(OUR_CALLS)]
            if database.is_full:
                for limit, tuned in list(product((FEW, MANY), (False, True)))[::turn]:
                    tune(tuned)
                    old_took[database, limit, tuned].append(timed(the_old_way, limit))
                tune(False)
    return took, old_took


def report(took: dict, old_took: dict, rows: int, repeats: int) -> None:
    median = {key: statistics.median(values) for key, values in took.items()}
    old_median = {key: statistics.median(values) for key, values in old_took.items()}
    lines, ratios, growths = [], {}, {}
    for machines in MACHINES:
        full, tenth = Filled(machines, rows, True), Filled(machines, rows // GROWTH, False)
        for question, (_ours, limit) in QUESTIONS.items():
            key = full, question
            ours, less = median[key], median[tenth, question]
            old, tuned = old_median[full, limit, False], old_median[full, limit, True]
            ratios[f"{question}_{machines}_machines"] = round(old / ours, 1)
            ratios[f"{question}_{machines}_machines_tuned"] = round(tuned / ours, 1)
            # With as many rows found in both; a tenth of the rows may not have so many of each machine.
            comparable = tenth.rows >= 2 * limit * machines
            if comparable:
                growths[f"growth_{question}_{machines}"] = round(ours / less, 3)
            lines.append(
                [
                    f"{question.replace('_', ' ')}, {machines}",
                    f"{old * 1e3:,.0f}",
                    f"{tuned * 1e3:,.0f}",
                    f"{ours * 1e3:,.1f}",
                    f"{old / ours:,.0f}",
                    f"{tuned / ours:,.0f}",
                    f"{min(took[key]) / ours:.2f} - {max(took[key]) / ours:.2f}",
                    f"{less * 1e3:,.1f}",
                    f"{ours / less:.2f}" if comparable else "-",
                ]
            )
    print_report(
        f"Of {rows:,} diagnoses on {connection.mysql_server_info}, median of {repeats} turns",
        ["question, machines", "old ms", "tuned", "ours", "ratio", "tuned", "spread", f"at 1/{GROWTH}", "growth"],
        lines,
        ratios | growths,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000, help="diagnoses in the table; %(default)s")
    parser.add_argument("--repeats", type=int, default=5, help="turns; %(default)s")
    given = parser.parse_args()
    if given.rows < GROWTH * max(MACHINES) ** 2 or given.repeats < 1:
        parser.error(f"--rows from {GROWTH * max(MACHINES) ** 2}, so that each machine has some; --repeats from 1")
    # The tables seq_1_to_N are MariaDB's alone.
    assert connection.vendor == "mysql" and connection.mysql_is_mariadb, "this benchmark wants MariaDB in DATABASE_URL"
    call_command("migrate", verbosity=0)
    tenths = [Filled(machines, given.rows // GROWTH, False) for machines in MACHINES]
    databases = tenths + [Filled(machines, given.rows, True) for machines in MACHINES]
    with ExitStack() as at_end:
        for database in databases:
            at_end.callback(execute, f"DROP DATABASE IF EXISTS {database.name}")
            fill(database)
            assert_same_found(database)
        took, old_took = measure(databases, given.repeats)
    report(took, old_took, given.rows, given.repeats)


if __name__ == "__main__":
    main()
