"""Where the time falls back within a file: a second recording in it, or rows out of order. Pure numbers, no Django."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Fall:
    """A row whose time is less than that of the row before."""

    line: int
    before: float | int
    after: float | int


class FallFinder:
    """Finds the falls in batches that follow each other; equal times are none."""

    def __init__(self) -> None:
        self._last: np.ndarray | None = None  # the last time by now, as an array of one

    def find(self, lines: np.ndarray, time: np.ndarray) -> list[Fall]:
        """The falls among the rows of the next batch; `lines` int64 (n,), `time` (n,) as they stand in the file."""
        if not len(time):
            return []
        before = np.concatenate([time[:1] if self._last is None else self._last, time[:-1]])
        self._last = time[-1:].copy()
        falls = np.flatnonzero(time < before)
        return [
            Fall(*it) for it in zip(lines[falls].tolist(), before[falls].tolist(), time[falls].tolist(), strict=True)
        ]
