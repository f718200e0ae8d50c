"""Episodes as the rows of a list, and one in full."""

from datetime import datetime
from typing import Any

from django.utils import timezone

from diagnosis.api import episode_serializers as shapes
from diagnosis.episodes.standing import Stage
from diagnosis.models import Episode
from diagnosis.storage.acts import history_of

NEWEST_FIRST = ("-opened_at", "-pk")
_NAMES = shapes.Episode.names()


def as_rows(episodes: list[Episode]) -> list[dict]:
    """Of episodes with their machines at hand."""
    now = timezone.now()
    return [_as_json(it, now) for it in episodes]


def in_full(episode: Episode) -> dict:
    """What EpisodeDetail tells of one as it is now."""
    more = {
        "followers": list(episode.followers.order_by("pk").values_list("pk", flat=True)),
        "merged": list(episode.merged.order_by("pk").values_list("pk", flat=True)),
        "acts": history_of(episode),
    }
    return shapes.EpisodeDetail.of(dict(zip(_NAMES, _values(episode, timezone.now()), strict=True)) | more)


def message_of(episode: Episode, stage: Stage) -> str:
    """An episode in a sentence, in the words of the API."""
    began, last = _told(episode.began_at), _told(episode.last_at)
    when = f"since {began}" if episode.ended_at is None else f"from {began} to {last}"
    said = f"{episode.count} {'diagnosis' if episode.count == 1 else 'diagnoses'}"
    models = ", ".join(filter(None, episode.model_names))
    by = f" by {models}" if models else ""
    return f"{episode.machine.name}: {episode.state.label} {when}, {said}{by}; {_became(episode, stage)}."


def _became(episode: Episode, stage: Stage) -> str:
    match stage:
        case Stage.UNACKNOWLEDGED:
            return "nobody has acknowledged it"
        case Stage.ACKNOWLEDGED:
            return f"acknowledged by {episode.acknowledged_by}"
        case Stage.SHELVED:
            return "shelved"
        case Stage.CLEARED:
            return "cleared, nobody has acknowledged it"
        case Stage.CONTINUED:
            return "it went on as a worse one"
        case Stage.WITHDRAWN if episode.merged_into_id:
            return f"part of episode {episode.merged_into_id} since late diagnoses came"
        case Stage.WITHDRAWN:
            return "withdrawn, as diagnoses came late or were deleted"
    outcomes = {"right": "closed as right", "false": "closed as a false alarm", "unclear": "closed, could not tell"}
    return outcomes.get(episode.verdict) or f"cleared, and acknowledged by {episode.acknowledged_by}"


def _values(episode: Episode, now: datetime) -> tuple:
    """In the order of the shape."""
    stage = episode.stage(now)
    return (
        episode.pk,
        episode.machine.name,
        episode.family,
        episode.fault_type,
        episode.severity,
        stage.value,
        message_of(episode, stage),
        episode.began_at,
        episode.opened_at,
        episode.last_at,
        episode.ended_at,
        episode.ending,
        episode.count,
        episode.model_names,
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
    )


def _as_json(episode: Episode, now: datetime) -> dict[str, Any]:
    values = [_told(it) if isinstance(it, datetime) else it for it in _values(episode, now)]
    return dict(zip(_NAMES, values, strict=True))


def _told(instant: datetime) -> str:
    return timezone.localtime(instant).isoformat()
