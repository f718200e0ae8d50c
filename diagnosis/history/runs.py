"""Diagnoses of one machine as runs of one state: pure numbers, no database. Times are microseconds since 1970, UTC.

A diagnosis holds until the next one, but no longer than `valid_for`: after that nobody knows. So a run ends where the
state changes, or where no diagnosis came for so long.
"""

from dataclasses import dataclass, fields

import numpy as np


@dataclass(frozen=True)
class Diagnoses:
    """n diagnoses of one machine in rising order of time."""

    at: np.ndarray  # int64 (n,)
    state: np.ndarray  # int8 (n,), the number of the fault type
    confidence: np.ndarray  # float64 (n,), NaN where it is not known
    model: np.ndarray  # int64 (n,), the number of the model's name

    def __len__(self) -> int:
        return len(self.at)

    def take(self, index: np.ndarray | slice) -> "Diagnoses":
        return Diagnoses(*(getattr(self, field.name)[index] for field in fields(Diagnoses)))


@dataclass(frozen=True)
class Runs:
    """m runs in rising order of time, which do not overlap."""

    start: np.ndarray  # int64 (m,): the first diagnosis of the run
    end: np.ndarray  # int64 (m,): up to where the last one of it holds
    state: np.ndarray  # int8 (m,): of several runs drawn as one, the worst
    count: np.ndarray  # int64 (m,): diagnoses
    runs: np.ndarray  # int64 (m,): how many runs this stands for; 1 unless `reduced`
    least_confidence: np.ndarray  # float64 (m,), of those that tell it; NaN if none does
    greatest_confidence: np.ndarray  # float64 (m,)
    least_model: np.ndarray  # int64 (m,); where it differs from the greatest there are several
    greatest_model: np.ndarray  # int64 (m,)

    def __len__(self) -> int:
        return len(self.start)

    def take(self, index: np.ndarray | slice) -> "Runs":
        return Runs(*(getattr(self, field.name)[index] for field in fields(Runs)))


def runs_of(diagnoses: Diagnoses, *, valid_for: int, until: int) -> Runs:
    """The runs of these diagnoses, each of which holds for `valid_for` at most, and none beyond `until`."""
    at, state = diagnoses.at, diagnoses.state
    if not len(at):
        return _join(diagnoses, np.empty(0, np.int64), np.empty(0, np.int64))
    new = np.r_[True, (np.diff(state) != 0) | (np.diff(at) > valid_for)]
    first = np.flatnonzero(new)
    last = np.r_[first[1:], len(at)] - 1
    next_at = np.r_[at[first[1:]], np.iinfo(np.int64).max]
    # A diagnosis with a clock ahead of ours counts from its own instant on.
    end = np.maximum(at[last], np.minimum(np.minimum(next_at, at[last] + valid_for), until))
    return _join(diagnoses, first, end)


def clip(runs: Runs, start: int, end: int) -> Runs:
    """The runs that are at least partly between start (included) and end (left out), with their true ends."""
    return runs.take((runs.end >= start) & (runs.start < end))


def reduce(runs: Runs, start: int, end: int, pixels: int, *, worst_last: list[int]) -> Runs:
    """Runs for a drawing `pixels` wide, from start to end: those thinner than a pixel as the worst within a pixel.

    Runs of a pixel or more stay as they are. So at most some 2 * `pixels` come back, and no fault is lost. `worst_last`
    has the number of each state that occurs, the mildest first.
    """
    pixel = max(1, -(-(end - start) // pixels))
    thin = runs.end - runs.start < pixel
    if not thin.any():
        return runs
    pixel_of_start = (runs.start - start) // pixel
    new = np.r_[True, ~(thin[1:] & thin[:-1] & (pixel_of_start[1:] == pixel_of_start[:-1]))]
    first = np.flatnonzero(new)
    by_severity = np.array(worst_last, runs.state.dtype)
    severity = np.argsort(by_severity)[runs.state]
    return Runs(
        start=runs.start[first],
        end=np.maximum.reduceat(runs.end, first),
        state=by_severity[np.maximum.reduceat(severity, first)],
        count=np.add.reduceat(runs.count, first),
        runs=np.add.reduceat(runs.runs, first),
        least_confidence=np.fmin.reduceat(runs.least_confidence, first),
        greatest_confidence=np.fmax.reduceat(runs.greatest_confidence, first),
        least_model=np.minimum.reduceat(runs.least_model, first),
        greatest_model=np.maximum.reduceat(runs.greatest_model, first),
    )


def _join(diagnoses: Diagnoses, first: np.ndarray, end: np.ndarray) -> Runs:
    """Runs that begin with the diagnoses of these numbers."""

    def of_each(ufunc: np.ufunc, values: np.ndarray) -> np.ndarray:
        return ufunc.reduceat(values, first) if len(first) else values[:0]

    return Runs(
        start=diagnoses.at[first],
        end=end,
        state=diagnoses.state[first],
        count=np.diff(np.r_[first, len(diagnoses)]) if len(first) else np.empty(0, np.int64),
        runs=np.ones(len(first), np.int64),
        least_confidence=of_each(np.fmin, diagnoses.confidence),
        greatest_confidence=of_each(np.fmax, diagnoses.confidence),
        least_model=of_each(np.minimum, diagnoses.model),
        greatest_model=of_each(np.maximum, diagnoses.model),
    )
