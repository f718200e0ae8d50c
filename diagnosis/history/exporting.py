"""CSV downloads of diagnoses, of runs and of episodes."""

from collections.abc import Iterator
from datetime import datetime
from itertools import chain

from django.http import HttpRequest, StreamingHttpResponse
from rest_framework.request import Request

from common.csv_export import stream_csv
from common.database.keysets import read_by_key
from diagnosis.episodes.standing import Stage
from diagnosis.history.reading import read_runs
from diagnosis.history.run_objects import Run, tell_runs
from diagnosis.models import Episode, VibrationDiagnosis
from diagnosis.querysets import EpisodeQuerySet, VibrationDiagnosisQuerySet
from machines.models import Machine

DIAGNOSIS_COLUMNS = ["machine_name", "detected_at", "fault_type", "model_name", "confidence"]
RUN_COLUMNS = [
    "machine_name",
    "fault_type",
    "state",
    "from",
    "to",
    "begins_before",
    "seconds",
    "diagnoses",
    "first_model",
    "last_model",
    "least_confidence",
    "greatest_confidence",
]

# As the API names them
EPISODE_COLUMNS = [
    "id",
    "machine_name",
    "family",
    "fault_type",
    "state",
    "severity",
    "stage",
    "began_at",
    "opened_at",
    "last_at",
    "ended_at",
    "ending",
    "count",
    "model_names",
    "least_confidence",
    "greatest_confidence",
    "acknowledged_at",
    "acknowledged_by",
    "shelved_until",
    "closed_at",
    "verdict",
    "follows",
    "merged_into",
    "revised_at",
    "revision",
]


def export_diagnoses(request: Request, diagnoses: VibrationDiagnosisQuerySet) -> StreamingHttpResponse:
    """Each of these, in their order."""
    found = read_by_key(diagnoses.prefetch_related("machine"))
    rows = map(_as_cells, chain.from_iterable(found))
    return stream_csv(request, "vibration-diagnosis", DIAGNOSIS_COLUMNS, rows, of=VibrationDiagnosis)


def export_runs(
    request: HttpRequest,
    machines: list[Machine],
    states: list[int],
    start: datetime,
    end: datetime,
    now: datetime,
) -> StreamingHttpResponse:
    """The runs of these machines that touch start <= t < end, of some states or, where none is named, of all."""
    rows = _runs(machines, states, start, end, now)
    return stream_csv(request, "fault-timeline", RUN_COLUMNS, rows, of=VibrationDiagnosis)


def export_episodes(request: HttpRequest | Request, episodes: EpisodeQuerySet, now: datetime) -> StreamingHttpResponse:
    """Each of these as it stands at an instant, newest first."""
    found = read_by_key(episodes.prefetch_related("machine").order_by("-opened_at", "-pk"))
    rows = (_episode_as_cells(it, now) for it in chain.from_iterable(found))
    return stream_csv(request, "episodes", EPISODE_COLUMNS, rows, of=Episode)


def _runs(machines: list[Machine], states: list[int], start: datetime, end: datetime, now: datetime) -> Iterator[list]:
    for machine in machines:  # one after the other, so that memory does not grow with them
        history = read_runs([machine], start, end, now=now)
        for run in tell_runs(machine, history, start, now):
            if not states or run.state in states:
                yield _run_as_cells(run)


def _run_as_cells(run: Run) -> list:
    return [
        run.machine.name,
        run.state.value,
        run.state.key,
        run.start,
        run.end,
        "yes" if run.begins_before else "no",
        run.duration.total_seconds(),
        run.count,
        run.models[0],
        run.models[-1],
        run.least_confidence,
        run.greatest_confidence,
    ]


def _episode_as_cells(episode: Episode, now: datetime) -> list:
    stage = episode.stage(now)
    return [
        episode.pk,
        episode.machine.name,
        episode.family,
        episode.fault_type,
        episode.state.key,
        episode.severity,
        stage.value,
        episode.began_at,
        episode.opened_at,
        episode.last_at,
        episode.ended_at,
        episode.ending,
        episode.count,
        "; ".join(episode.model_names),
        episode.least_confidence,
        episode.greatest_confidence,
        episode.acknowledged_at,
        episode.acknowledged_by,
        episode.shelved_until if stage is Stage.SHELVED else None,
        episode.closed_at,
        episode.verdict,
        episode.follows_id,
        episode.merged_into_id,
        episode.revised_at,
        episode.revision,
    ]


def _as_cells(diagnosis: VibrationDiagnosis) -> list:
    return [
        diagnosis.machine.name,
        diagnosis.detected_at,
        diagnosis.fault_type,
        diagnosis.model_name,
        diagnosis.confidence,
    ]
