"""The outlines of spectra: stored with captures, thinned when samples go, so that years can be laid side by side."""

from collections.abc import Iterable

import numpy as np

from vibration.models import Capture, FeatureRollup, SpectrumOutline
from vibration.signals.transform import Transform
from vibration.spectra.outline import outline_of
from vibration.trends.extremes import DAY, bucket_of
from vibration.trends.rollups import Key, key_of, rows_of


def outline_row(capture: Capture, transform: Transform | None, shaft_hz: float | None) -> SpectrumOutline | None:
    """That of a capture as a row, not saved, its sensor to be set; None where a signal has no spectrum."""
    if transform is None:
        return None
    return SpectrumOutline(
        axis=capture.axis,
        started_at=capture.started_at,
        unit=capture.unit,
        sampling_hz=capture.sampling_hz,
        shaft_hz=shaft_hz,
        data=outline_of(transform).astype("<u2").tobytes(),
    )


def codes_of(row: SpectrumOutline) -> np.ndarray:
    """uint16 (bands,), see vibration/spectra/outline.py."""
    return np.frombuffer(bytes(row.data), "<u2")


def thin(captures: Iterable[Capture]) -> None:
    """Delete the outlines of these, whose samples are removed; that of the first capture of a day and axis stays."""
    day_of = {it: Key(it.sensor_id, it.axis, it.unit, DAY, bucket_of(it.started_at, DAY)) for it in captures}
    days: list[FeatureRollup] = list(rows_of(sorted(set(day_of.values())))) if day_of else []
    first_at = {key_of(row): row.first_at for row in days}
    gone = [(it.sensor_id, it.axis, it.started_at) for it, key in day_of.items() if it.started_at != first_at.get(key)]
    SpectrumOutline.objects.filter(pk__in=gone).delete()
