"""What people did about the alarms of machines in a period, for the timeline."""

from collections import defaultdict
from datetime import datetime

from diagnosis.episodes.standing import Kind
from diagnosis.models import EpisodeAct
from machines.models import Machine

SHOWN = [Kind.ACKNOWLEDGE.value, Kind.CLOSE.value, Kind.NOTE.value]
MOST_ACTS = 1_000  # of a period, the newest; more than a chart could show apart


def acts_between(
    machines: list[Machine], states: set[int], start: datetime, end: datetime
) -> dict[int, list[EpisodeAct]]:
    """Acknowledgements, outcomes and notes about alarms of these states with start <= at < end; one query.

    By the machine's primary key, in the order in which they were done.
    """
    acts = EpisodeAct.objects.filter(
        machine__in=machines, episode__fault_type__in=states, at__gte=start, at__lt=end, kind__in=SHOWN
    )
    found: dict[int, list[EpisodeAct]] = defaultdict(list)
    for act in reversed(acts.select_related("episode").order_by("-at", "-pk")[:MOST_ACTS]):
        found[act.machine_id].append(act)
    return found
