"""Months of features for tests: rows as storing makes them, without a signal to make them of."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from machines.models import Machine, Sensor
from vibration.models import Capture, CaptureAxis, CaptureFeatures
from vibration.signals.features import VERSION
from vibration.tests.captures_world import RATE
from vibration.trends import rollups


def axis_of(machine: str = "pump3", sensor: str = "de", axis: str = "x") -> CaptureAxis:
    """An axis without captures."""
    of, _is_new = Machine.objects.get_or_create(name=machine)
    where, _is_new = Sensor.objects.get_or_create(machine=of, sensor_no=sensor)
    at = datetime.fromisoformat("2000-01-01T00:00:00Z")
    return CaptureAxis.objects.get_or_create(sensor=where, axis=axis, defaults={"newest_at": at, "stored_at": at})[0]


def put(
    axis: CaptureAxis,
    starts: Sequence[datetime],
    rms: Sequence[float],
    *,
    unit: str = "g",
    rate: float = RATE,
    more: Mapping[str, Sequence[float | None]] | None = None,
) -> None:
    """Captures at these instants, their samples removed, with this RMS and other features by name."""
    rest = {name: list(values) for name, values in (more or {}).items()}
    place = {"sensor_id": axis.sensor_id, "axis": axis.axis, "unit": unit}
    removed = {"has_samples": False, "data": None, "sha256": "", "codec": 0, "size": 0, "count": 1}
    Capture.objects.bulk_create(Capture(started_at=at, sampling_hz=rate, **place, **removed) for at in starts)
    features = [
        CaptureFeatures(
            **place,
            started_at=at,
            version=VERSION,
            **{"mean": 0.0, "rms": value, "peak": value, "crest_factor": 1.0, "kurtosis": 3.0}
            | {name: values[number] for name, values in rest.items()},
        )
        for number, (at, value) in enumerate(zip(starts, rms, strict=True))
    ]
    CaptureFeatures.objects.bulk_create(features, batch_size=500)
    rollups.add(features)
    axis.newest_at = max([axis.newest_at, *starts])
    axis.save()
