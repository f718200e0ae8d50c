"""The extremes of features over buckets of time: pure numbers, no database.

A bucket holds the least and the greatest value of each of QUANTITIES, so whatever stands out in a span is to be seen in
it, however long it is; nothing is averaged. The extremes of a wider bucket are those of the narrower ones in it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any

import numpy as np

from vibration.signals.quantities import QUANTITIES

HOUR, DAY = 3_600, 86_400
WIDTHS = (HOUR, 6 * HOUR, DAY)  # seconds, of buckets that are stored; each is a multiple of those before it
NAMES = tuple(QUANTITIES)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_values_of = attrgetter(*NAMES)


def bucket_of(at: datetime, width: int) -> int:
    """The bucket of this width, seconds, that an instant lies in."""
    return (at - EPOCH) // timedelta(seconds=width)


def begin_of(bucket: int, width: int) -> datetime:
    return EPOCH + timedelta(seconds=bucket * width)


@dataclass(frozen=True, eq=False)
class Extremes:
    """Of the captures of a bucket; a capture alone is one, too."""

    count: int
    flat: int  # captures without any vibration
    first_at: datetime
    values: np.ndarray  # float64 (len(NAMES), 2): least and greatest; NaN where no capture has that feature

    def encoded(self) -> bytes:
        return self.values.astype("<f8").tobytes()


def extremes_of(features: Any) -> Extremes:
    """Of one capture, of whose features each of NAMES and `crest_factor`, `started_at` is an attribute."""
    values = np.array(_values_of(features), np.float64)  # None becomes NaN
    # Of a flat signal alone there is no crest factor.
    return Extremes(1, int(features.crest_factor is None), features.started_at, np.stack([values, values], axis=1))


def decoded(data: bytes) -> np.ndarray:
    """What `encoded` gave."""
    return np.frombuffer(data, "<f8").reshape(-1, 2)


def merged(parts: Iterable[Extremes]) -> Extremes:
    """Those of several buckets, at least one."""
    parts = list(parts)
    values = np.stack([it.values for it in parts])
    return Extremes(
        count=sum(it.count for it in parts),
        flat=sum(it.flat for it in parts),
        first_at=min(it.first_at for it in parts),
        values=np.stack([np.fmin.reduce(values[:, :, 0]), np.fmax.reduce(values[:, :, 1])], axis=1),
    )
