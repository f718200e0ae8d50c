"""The samples of a capture, as they were stored."""

import numpy as np

from vibration.models import Capture
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
