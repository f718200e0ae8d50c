"""What alarms rest on: captures of their machines whose samples are not to be removed."""

from collections import defaultdict
from datetime import timedelta

from django.db.models import Q

from diagnosis.models import Episode, EpisodeAct
from diagnosis.models.episodes import Attention
from vibration.captures.pruning import Protected, Span

BEFORE, AFTER = timedelta(days=1), timedelta(days=1)  # of when an episode opened


def evidence() -> Protected:
    """The times around the opening of each episode that somebody has yet to see to, or that was a right alarm."""
    spans: dict[int, list[Span]] = defaultdict(list)
    pending = Q(attention__in=[Attention.ACTIVE, Attention.ENDED])
    wanted = Episode.objects.live().filter(pending | Q(verdict=EpisodeAct.Verdict.RIGHT))
    for machine, opened_at in wanted.values_list("machine", "opened_at"):
        spans[machine].append(Span(opened_at - BEFORE, opened_at + AFTER))
    return spans
