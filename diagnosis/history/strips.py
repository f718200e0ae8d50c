"""The last 24 hours of a machine, or another stretch, as a small picture, with one SVG path for each state."""

from datetime import UTC, datetime, timedelta

from django.core.cache import cache

from diagnosis.history.reading import microseconds, read_runs
from diagnosis.history.runs import Runs, reduce
from diagnosis.states import FaultType
from machines.models import Machine

SPAN = timedelta(hours=24)
STEP = timedelta(minutes=10)  # how often the picture moves on by itself
WIDTH, HEIGHT = 288, 12  # units of the picture; a unit is 5 minutes wide
# The worse, the taller: told apart without colour
HEIGHTS = {state: HEIGHT * (state.severity + 1) / len(FaultType) for state in FaultType}

Strip = list[tuple[str, str]]  # the key of a state, and the path that covers its time


def strips_of(machines: list[Machine], now: datetime) -> dict[int, Strip]:
    """By primary key, of machines with their current state at hand. At most one query.

    A strip is kept until its machine gets another diagnosis, so that one that does costs only its own reading.
    """
    end = _next_step(now)
    # One key a machine, so that what is kept does not grow; beside the strip, what it was drawn from.
    keys = {machine.pk: f"strip:{machine.pk}" for machine in machines}
    drawn_from = {
        it.pk: (it.current_state.revision, it.current_state.detected_at, it.expected_interval, end) for it in machines
    }
    kept = cache.get_many(keys.values())
    strips = {}
    for pk, key in keys.items():
        source, strip = kept.get(key, (None, None))
        if source == drawn_from[pk]:
            strips[pk] = strip
    missing = [machine for machine in machines if machine.pk not in strips]
    runs = read_runs(missing, end - SPAN, end, now=now).runs
    new = {machine.pk: _draw(runs[machine.pk], end - SPAN, end) for machine in missing}
    cache.set_many({keys[pk]: (drawn_from[pk], strip) for pk, strip in new.items()}, STEP.total_seconds())
    return strips | new


def strip_between(machine: Machine, start: datetime, end: datetime, now: datetime) -> Strip:
    """Of any stretch of time; one query."""
    return _draw(read_runs([machine], start, end, now=now).runs[machine.pk], start, end)


def place_in_strip(instant: datetime, start: datetime, end: datetime) -> float:
    """Where an instant is in the picture of a stretch, from its left edge."""
    return min(float(WIDTH), max(0.0, (instant - start) / (end - start) * WIDTH))


def _next_step(now: datetime) -> datetime:
    start_of_day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return start_of_day + ((now - start_of_day) // STEP + 1) * STEP


def _draw(runs: Runs, start: datetime, end: datetime) -> Strip:
    first, last = microseconds(start), microseconds(end)
    runs = reduce(runs, first, last, WIDTH, worst_last=FaultType.values)
    unit = (last - first) / WIDTH
    paths: dict[FaultType, list[str]] = {state: [] for state in FaultType}
    for run_start, run_end, state in zip(runs.start.tolist(), runs.end.tolist(), runs.state.tolist(), strict=True):
        left = max(0.0, (run_start - first) / unit)
        width = max(1.0, min(WIDTH, (run_end - first) / unit) - left)
        tall = HEIGHTS[state]
        paths[state].append(f"M{left:.4g} {HEIGHT}v-{tall:.4g}h{width:.4g}v{tall:.4g}z")
    return [(state.key, "".join(path)) for state, path in paths.items() if path]
