"""Synthetic diagnoses that look like those of a plant: long runs of one state, few faults. No Django."""

import numpy as np

# Chance of each state to follow a stretch, and how long it lasts, in hours
SHARES = (0.6, 0.16, 0.16, 0.08)
MEAN_HOURS = (30.0, 6.0, 8.0, 4.0)


def make_states(count: int, hours: float, random: np.random.Generator) -> np.ndarray:
    """Fault types int64 (count,) of one machine, evenly spaced over so many hours."""
    states = np.empty(count, np.int64)
    first = 0
    while first < count:
        state = random.choice(len(SHARES), p=SHARES)
        length = max(1, round(random.exponential(MEAN_HOURS[state]) * count / hours))
        states[first : first + length] = state
        first += length
    return states


def make_confidences(count: int, random: np.random.Generator) -> np.ndarray:
    """float64 (count,) from 0 to 1, mostly high, of three digits."""
    return np.round(random.beta(12, 2, count), 3)
