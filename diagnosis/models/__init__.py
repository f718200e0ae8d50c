"""The tables of diagnoses: what programs say, what becomes of it, what people do, who is told."""

from diagnosis.models.diagnoses import CurrentState, VibrationDiagnosis
from diagnosis.models.episodes import Episode, EpisodeAct, EpisodeTail
from diagnosis.models.notices import Chore, Notice, Subscription

__all__ = [
    "Chore",
    "CurrentState",
    "Episode",
    "EpisodeAct",
    "EpisodeTail",
    "Notice",
    "Subscription",
    "VibrationDiagnosis",
]
