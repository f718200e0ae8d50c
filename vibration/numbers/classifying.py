"""The class of each sample of a batch (new, identical, conflicting): pure numbers, no database."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar

import numpy as np

from vibration.numbers.samples import Samples


class RowClass(IntEnum):
    """Every row read is exactly one of these."""

    NEW = 0
    IDENTICAL = 1  # this time is stored with the same four values
    CONFLICTING = 2  # this time is stored with other values
    REJECTED = 3  # not five finite numbers, a time out of range or where samples were removed; never classified here


@dataclass(frozen=True)
class Classified:
    classes: np.ndarray  # int8 (n,), RowClass of each row, in the order of the rows
    insert: np.ndarray  # int64, the rows to store, in rising order of time
    replace: np.ndarray  # int64, the rows that take the place of the stored sample of their time


def classify(samples: Samples, stored: Samples, *, replace: bool) -> Classified:
    """Class samples against those that are stored, which are in rising order of time.

    The rows count one after the other, as if each were stored before the next is looked at: of two rows with one time
    the second is identical to or in conflict with the first. With `replace` the last row of a time is what stays.
    """
    if not len(stored) and (samples.time[1:] > samples.time[:-1]).all():  # as a file comes for the first time
        rows = np.arange(len(samples))
        return Classified(np.full(len(rows), RowClass.NEW, dtype=np.int8), insert=rows, replace=rows[:0])
    order = np.argsort(samples.time, kind="stable")
    t, v = samples.time[order], samples.values[order]
    first = np.ones(len(t), dtype=bool)  # of its time
    first[1:] = t[1:] != t[:-1]
    last = np.ones(len(t), dtype=bool)
    last[:-1] = first[1:]

    position = np.searchsorted(stored.time, t)
    is_stored = np.zeros(len(t), dtype=bool)  # whether there is a sample of its time
    within = position < len(stored)
    is_stored[within] = stored.time[position[within]] == t[within]

    # What each row is compared with: the row before it of the same time, or the sample that is stored
    reference = v[np.maximum.accumulate(np.where(first, np.arange(len(t)), 0))]
    reference[is_stored] = stored.values[position[is_stored]]
    if replace:
        later = np.flatnonzero(~first)
        reference[later] = v[later - 1]
    same = (v == reference).all(axis=1)
    new = first & ~is_stored

    classes = np.empty(len(t), dtype=np.int8)
    classes[order] = np.where(new, RowClass.NEW, np.where(same, RowClass.IDENTICAL, RowClass.CONFLICTING))
    if not replace:
        return Classified(classes, insert=order[new], replace=order[:0])
    changed = last & is_stored
    changed[changed] = (v[changed] != stored.values[position[changed]]).any(axis=1)
    return Classified(classes, insert=order[last & ~is_stored], replace=order[changed])


@dataclass(frozen=True)
class Posted:
    """What became of the rows of a post, in the words of the API.

    A row where raw samples were removed counts as conflicting: another value was there, to send it again changes
    nothing, and the rows beside it are stored. It is in `pruned`, too.
    """

    classes: Sequence[int] | np.ndarray  # RowClass of each row
    notes: Sequence[str] = ()  # what else the poster is told
    status: ClassVar[str] = "success"

    @property
    def received(self) -> int:
        return len(self.classes)

    @property
    def inserted(self) -> int:
        return int(np.count_nonzero(np.asarray(self.classes) == RowClass.NEW))

    @property
    def identical(self) -> int:
        return int(np.count_nonzero(np.asarray(self.classes) == RowClass.IDENTICAL))

    @property
    def conflicting(self) -> int:
        return int(np.count_nonzero(np.asarray(self.classes) >= RowClass.CONFLICTING))

    @property
    def conflicts(self) -> list[int]:
        """Numbers of rows."""
        return np.flatnonzero(np.asarray(self.classes) >= RowClass.CONFLICTING).tolist()

    @property
    def pruned(self) -> list[int]:
        """Numbers of rows."""
        return np.flatnonzero(np.asarray(self.classes) == RowClass.REJECTED).tolist()
