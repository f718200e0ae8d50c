"""Recognizes times that cannot be seconds from the start of a recording, as they are instants since 1970."""

import numpy as np

FIRST_S, LAST_S = 946_684_800, 4_102_444_800  # 2000 and 2100
UNITS = {"seconds": 1, "milliseconds": 10**3, "microseconds": 10**6, "nanoseconds": 10**9}  # how many a second has


def epoch_unit(time: float) -> str | None:
    """The unit in which this number is an instant of these years; None if it may be seconds from a start.

    No recording lasts for 30 years, so nothing else can be meant; the years of two units do not meet.
    """
    return next((unit for unit, per_s in UNITS.items() if FIRST_S <= time / per_s < LAST_S), None)


def what_it_is(time: float) -> str | None:
    """In words, with the instant that it is; None if it may be seconds from a start."""
    unit = epoch_unit(time)
    return unit and f"{unit} since 1970, {np.datetime64(int(time / UNITS[unit]), 's')}Z"


def notes_on_epochs(time: np.ndarray) -> list[str]:
    """What to tell who posted these times, float64 (n,) in seconds and stored as such: one text, or none."""
    epochs = np.flatnonzero((time >= FIRST_S) & (time < LAST_S))
    if not len(epochs):
        return []
    row = int(epochs[0])
    first = float(time[row])
    return [
        f"measured_time {first!r} of row {row} looks like {what_it_is(first)}; so do {len(epochs):,} of {len(time):,} "
        "rows. They are stored as seconds from the start of the recording: send those, and the instant as collected_at."
    ]
