"""Samples as one value, on their way from a file or a post to the database and back: pure numbers, no database."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vibration.numbers.states import STATES


@dataclass(frozen=True, eq=False, slots=True)
class Samples:
    """n samples of one recording, in any order unless it is said which."""

    time: np.ndarray  # float64 (n,), seconds from the start of the recording
    values: np.ndarray  # float64 (n, 4), one column a state
    collected_at: np.ndarray | None = None  # datetime64[us] (n,) in UTC, NaT where it is not known; None: of no sample

    def __len__(self) -> int:
        return len(self.time)

    def take(self, rows: np.ndarray | slice) -> "Samples":
        """Those of the given rows: numbers int64 (m,), a mask bool (n,), or a slice."""
        collected_at = None if self.collected_at is None else self.collected_at[rows]
        return Samples(self.time[rows], self.values[rows], collected_at)

    def by_time(self) -> "Samples":
        """The same in rising order of time; those of one time stay as they came."""
        return self.take(np.argsort(self.time, kind="stable"))

    @classmethod
    def concatenate(cls, parts: Sequence["Samples"]) -> "Samples":
        """The samples of all parts, one part after the other; with when they were collected if every part has that.

        A part without samples counts for nothing. What one part alone holds is not copied.
        """
        parts = [part for part in parts if len(part)]
        if len(parts) == 1:
            return parts[0]
        if not parts:
            return cls(np.empty(0), np.empty((0, len(STATES))))
        instants = [part.collected_at for part in parts if part.collected_at is not None]
        return cls(
            np.concatenate([part.time for part in parts]),
            np.concatenate([part.values for part in parts]),
            np.concatenate(instants) if len(instants) == len(parts) else None,
        )
