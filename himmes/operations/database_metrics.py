"""Metrics read from the database at each scrape, in thirteen reads that do not grow with samples or diagnoses.

They do with the records of imports, of which all are summed up: about 1 ms for 1,000.
"""

import platform
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import django
from django.conf import settings
from django.db import connection
from django.db.models import Count, Max, Sum
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from diagnosis.episodes.spans import Ending
from diagnosis.episodes.standing import Stage, Standing, stage_of
from diagnosis.models import Episode
from diagnosis.models.episodes import Attention
from diagnosis.notices.backlog import backlog
from diagnosis.notices.clock import last_look
from diagnosis.pages.overview import state_of
from diagnosis.states import BY_URGENCY, FAULTS
from diagnosis.storage.current_states import as_of
from himmes.operations.health import disks
from machines.clocks import certain_lags
from machines.models import Machine, PostedData
from vibration.captures.arrivals import newest_arrivals
from vibration.files.report import COUNTS
from vibration.models import ImportRun
from vibration.storage.conflicts import conflicting_rows

ALARM_STAGES = [Stage.UNACKNOWLEDGED, Stage.ACKNOWLEDGED, Stage.SHELVED, Stage.CLEARED]
KILLED_FOR = timedelta(days=7)  # how long a killed import that nobody repeats is told of


class Kept:
    """Figures that were read already, as prometheus_client wants them: so a failing read leaves no half of them."""

    def __init__(self, figures: Iterable[Metric]):
        self._figures = list(figures)

    def collect(self) -> list[Metric]:
        return self._figures


def server_figures(*, database_up: bool) -> list[Metric]:
    """What is known without the database."""
    free = GaugeMetricFamily(
        "himmes_disk_free_bytes", "Space left on a disk that this server writes to.", labels=["disk"]
    )
    size = GaugeMetricFamily("himmes_disk_size_bytes", "Size of that disk.", labels=["disk"])
    for name, folder in disks().items():
        usage = shutil.disk_usage(folder)
        free.add_metric([name], usage.free)
        size.add_metric([name], usage.total)
    build = GaugeMetricFamily(
        "himmes_build_info", "1; the labels tell.", labels=["build", "django", "python", "database"]
    )
    build.add_metric([settings.BUILD, django.__version__, platform.python_version(), connection.vendor], 1)
    up = GaugeMetricFamily("himmes_database_up", "1 when the database answers, else 0.", value=database_up)
    return [up, free, size, build]


def read_figures(now: datetime, *, unapplied: int) -> list[Metric]:
    """What is in the database; `unapplied` is the number of migrations that are not. Raises django.db.Error."""
    migrations = GaugeMetricFamily(
        "himmes_unapplied_migrations", "Migrations of this version that the database does not have.", value=unapplied
    )
    if unapplied:
        return [migrations]  # whose tables may not be there
    return [migrations, *_of_machines(now), *_of_alarms(now), *_of_imports(now), *_of_notices(now)]


def _of_machines(now: datetime) -> list[Metric]:
    states = GaugeMetricFamily("himmes_machines", "Active machines, by what the overview shows.", labels=["state"])
    diagnosed, taken, stored = (
        GaugeMetricFamily(f"himmes_machine_{name}_timestamp_seconds", text, labels=["machine"])
        for name, text in (
            ("diagnosed", "Time of the newest diagnosis of an active machine."),
            ("sample_taken", "When the newest sample of an active machine was taken, where that is known."),
            ("sample_stored", "When samples of an active machine were stored last."),
        )
    )
    ahead, behind, conflicting = (
        GaugeMetricFamily(f"himmes_machine_{name}", text, labels=["machine", label])
        for name, text, label in (
            ("ahead_seconds", "By how much the newest time of an active machine is ahead of now, or 0.", "data"),
            ("clock_behind_seconds", "How far the clock of a sender seems to be set back, or 0.", "data"),
            ("conflicting_rows", "Rows of an active machine that were in conflict in the last 7 days.", "way"),
        )
    )
    rows = conflicting_rows(now)
    lags: defaultdict[tuple[int, str], timedelta] = defaultdict(timedelta)
    for lag in certain_lags(now):
        lags[lag.machine_id, lag.data] = max(lag.behind, lags[lag.machine_id, lag.data])
    samples = newest_arrivals()
    counts: Counter = Counter()
    for machine in Machine.objects.filter(is_active=True).select_related("current_state"):
        current = getattr(machine, "current_state", None)
        counts[state_of(machine, as_of(current, now), now)] += 1
        sample_taken_at, sample_stored_at = samples.get(machine.pk, (None, None))
        times = ((diagnosed, current and current.detected_at), (taken, sample_taken_at), (stored, sample_stored_at))
        for family, instant in times:
            if instant is not None:
                family.add_metric([machine.name], instant.timestamp())
        newest = ((PostedData.DIAGNOSES, current and current.detected_at), (PostedData.SAMPLES, sample_taken_at))
        for data, instant in newest:
            if instant is not None:
                ahead.add_metric([machine.name, data.value], max(0.0, (instant - now).total_seconds()))
            behind.add_metric([machine.name, data.value], lags[machine.pk, data].total_seconds())
        for way, of_machines in rows.items():
            conflicting.add_metric([machine.name, way], of_machines[machine.pk])
    for state in BY_URGENCY:
        states.add_metric([state.key], counts[state])
    return [states, diagnosed, taken, stored, ahead, behind, conflicting]


def _of_alarms(now: datetime) -> list[Metric]:
    alarms = GaugeMetricFamily(
        "himmes_alarms",
        "Alarms that are not over, and those that cleared and that nobody acknowledged.",
        labels=["stage", "severity"],
    )
    waiting = Episode.objects.live().filter(attention__in=[Attention.ACTIVE, Attention.ENDED]).order_by()
    counts: Counter = Counter()
    grouped = waiting.values_list("standing", "shelved_until", "ending", "severity").annotate(Count("pk"))
    for standing, shelved_until, ending, severity, count in grouped:
        stage = stage_of(Standing(standing), shelved_until, Ending(ending), now)
        counts[stage.value, severity] += count
    for stage in ALARM_STAGES:
        for severity in sorted({fault.alarm_severity for fault in FAULTS}):
            alarms.add_metric([stage.value, str(severity)], counts[stage.value, severity])
    return [alarms]


def _of_imports(now: datetime) -> list[Metric]:
    rows = CounterMetricFamily(
        "himmes_import_rows", "Rows of imported and uploaded files, by what became of each.", labels=["row_class"]
    )
    runs = GaugeMetricFamily("himmes_import_runs", "Imported and uploaded files, by outcome.", labels=["outcome"])
    sums = {name: Sum(name) for name in COUNTS}
    found: dict[str, Any] = {
        it["outcome"]: it for it in ImportRun.objects.order_by().values("outcome").annotate(runs=Count("pk"), **sums)
    }
    for outcome in ImportRun.Outcome.values:
        runs.add_metric([outcome], found[outcome]["runs"] if outcome in found else 0)
    for name in COUNTS:
        rows.add_metric([name], sum(it[name] for it in found.values()))

    progress = _progress_of_unfinished(now - KILLED_FOR)
    unfinished = GaugeMetricFamily(
        "himmes_imports_unfinished",
        "Imports of the last 7 days that are running or were killed, and were not repeated since.",
        value=len(progress),
    )
    stalled = GaugeMetricFamily(
        "himmes_import_stalled_seconds",
        "Since when the one of them that stood still for longest has stored nothing; 0 if there is none.",
        value=max(0.0, max(((now - it).total_seconds() for it in progress), default=0.0)),
    )
    return [rows, runs, unfinished, stalled]


def _of_notices(now: datetime) -> list[Metric]:
    found, looked = backlog(now), last_look()
    oldest = (now - found.oldest_due_at).total_seconds() if found.oldest_due_at else 0.0
    return [
        GaugeMetricFamily("himmes_notices_waiting", "Notices that are not sent yet.", value=found.waiting),
        GaugeMetricFamily(
            "himmes_notices_overdue_seconds",
            "Since when the oldest notice that is due has been so, or 0.",
            value=oldest,
        ),
        GaugeMetricFamily("himmes_notices_given_up", "Notices given up in the last 24 hours.", value=found.given_up),
        GaugeMetricFamily(
            "himmes_mail_configured", "1 when a mail server is named, else 0.", value=settings.MAIL_IS_CONFIGURED
        ),
        GaugeMetricFamily(
            "himmes_worker_seen_timestamp_seconds",
            "When a worker (manage.py work) looked for something to do last; 0: none ever did.",
            value=looked.timestamp() if looked else 0,
        ),
    ]


def _progress_of_unfinished(since: datetime) -> list[datetime]:
    """When each import that runs, or was killed and not repeated, last stored something; started since an instant."""
    recent = ImportRun.objects.filter(started_at__gte=since).order_by()
    fields = ("pk", "sha256", "place", "started_at", "recording__last_written_at")
    unfinished = list(recent.filter(outcome=ImportRun.Outcome.UNFINISHED).values_list(*fields))
    # Not as a subquery, which would look through all runs for each of these.
    same = recent.filter(sha256__in={sha256 for _pk, sha256, *_rest in unfinished})
    newest = {tuple(file): pk for *file, pk in same.values_list("sha256", "place").annotate(Max("pk"))}
    return [
        max(started_at, written_at or started_at)
        for pk, sha256, place, started_at, written_at in unfinished
        if pk == newest.get((sha256, place), pk)
    ]
