"""Synthetic diagnoses that look like those of a plant: long runs of one state, few faults. No Django."""

import numpy as np

# Chance of each state to follow a stretch, and how long it lasts, in hours
SHARES = (0.6, 0.16, 0.16, 0.08)
BAD_SHARES = (0.25, 0.3, 0.25, 0.2)  # of the two bad days of a plant
MEAN_HOURS = (30.0, 6.0, 8.0, 4.0)
BAD_HOURS_BEFORE = (72.0, 120.0)
STORY_HOURS = 24.0  # the last ones, of which each machine has a story


def make_story(number: int, count: int, hours: float, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Fault types int64 (count,) of a machine, evenly spaced over so many hours; bool (count,): which of them came.

    Two days are bad for all machines. Then four stories take turns: unbalance that becomes unbalance and looseness; a
    machine that flaps and falls silent; looseness since some hours; a fault that is over.
    """
    before = np.arange(count)[::-1] * hours / count  # hours before the last one
    states = make_states(count, hours, random)
    bad = (before > BAD_HOURS_BEFORE[0]) & (before <= BAD_HOURS_BEFORE[1])
    if bad.any():
        states[bad] = make_states(int(bad.sum()), BAD_HOURS_BEFORE[1] - BAD_HOURS_BEFORE[0], random, shares=BAD_SHARES)
    states[before <= STORY_HOURS] = 0
    came = np.ones(count, bool)
    match number % 4:
        case 0:
            states[before <= 5.5], states[before <= 0.7] = 1, 3
        case 1:
            flapping = before <= 9
            states[flapping] = np.where(np.arange(count)[flapping] % 3 == 0, 0, 2)
            came = before >= 2
        case 2:
            states[before <= 2.2] = 2
        case 3:
            states[(before > 9) & (before <= 14)] = 1
    return states, came


def make_states(
    count: int, hours: float, random: np.random.Generator, *, shares: tuple[float, ...] = SHARES
) -> np.ndarray:
    """Fault types int64 (count,) of one machine, evenly spaced over so many hours."""
    states = np.empty(count, np.int64)
    first = 0
    while first < count:
        state = random.choice(len(shares), p=shares)
        length = max(1, round(random.exponential(MEAN_HOURS[state]) * count / hours))
        states[first : first + length] = state
        first += length
    return states


def make_confidences(count: int, random: np.random.Generator) -> np.ndarray:
    """float64 (count,) from 0 to 1, mostly high, of three digits."""
    return np.round(random.beta(12, 2, count), 3)
