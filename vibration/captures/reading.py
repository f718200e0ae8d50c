"""Captures as they were stored: their samples, and the features of many."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
from django.db.models import F

from vibration.models import Capture, CaptureFeatures
from vibration.signals.codec import decode, scaled


class SamplesRemoved(Exception):
    """The samples of this capture are past their time and were removed; its features are kept."""


def raw_samples(capture: Capture) -> np.ndarray:
    """As they came: int16, float32 or float64 (n,). Raises SamplesRemoved, and DamagedCapture."""
    if capture.data is None:
        raise SamplesRemoved(f"The samples of {capture} were removed; its features are kept.")
    return decode(capture.codec, bytes(capture.data), capture.count)


def samples_of(capture: Capture) -> np.ndarray:
    """In the unit of the capture, float64 (n,). Raises as `raw_samples` does."""
    return scaled(raw_samples(capture), capture.scale)


FEATURES_AT_ONCE = 500  # in one statement
FullKey = tuple[int, str, datetime]  # number of the sensor, axis and start


def key_of(it: Capture | CaptureFeatures) -> FullKey:
    return it.sensor_id, it.axis, it.started_at


def features_of_captures(captures: Sequence[Capture]) -> dict[FullKey, CaptureFeatures]:
    """The features of these by their keys, see `key_of`: looked up capture by capture, both tables by primary key."""
    found: dict[FullKey, CaptureFeatures] = {}
    for start in range(0, len(captures), FEATURES_AT_ONCE):
        numbers = [it.pk for it in captures[start : start + FEATURES_AT_ONCE]]
        rows = CaptureFeatures.objects.filter(
            sensor__captures__in=numbers,
            sensor__captures__axis=F("axis"),
            sensor__captures__started_at=F("started_at"),
        )
        found |= {key_of(it): it for it in rows}
    return found
