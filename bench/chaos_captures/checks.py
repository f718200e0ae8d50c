"""Whether what is stored is what was acknowledged, once, with the features that a rebuild gives."""

from collections.abc import Iterable, Iterator

import numpy as np

from bench.chaos_captures.made import Key, Made
from vibration.captures.reading import samples_of
from vibration.captures.storing import made_of
from vibration.models import Capture, CaptureFeatures


def wrong_captures(made: Iterable[Made]) -> Iterator[str]:
    """What is missing, other than it was sent, or never was sent."""
    expected: dict[Key, np.ndarray] = {key: values for it in made for key, values in it.axes()}
    for capture in Capture.objects.select_related("sensor__machine").iterator(100):
        key = (capture.sensor.machine.name, capture.sensor.sensor_no, capture.axis, capture.started_at)
        values = expected.pop(key, None)
        if values is None:
            yield f"{capture} was stored twice, or never sent"
        elif not np.array_equal(samples_of(capture), values) or capture.unit != "g":
            yield f"{capture} has other samples than were sent"
    yield from (f"{' / '.join(map(str, key))} is lost" for key in expected)


def wrong_features() -> Iterator[str]:
    """Captures whose features are not there, or not those of a rebuild; and features of no capture."""
    names = [it.attname for it in CaptureFeatures._meta.concrete_fields]
    stored = {(it.sensor_id, it.axis, it.started_at): it for it in CaptureFeatures.objects.iterator(1000)}
    for capture in Capture.objects.select_related("sensor__machine").iterator(100):
        kept = stored.pop((capture.sensor_id, capture.axis, capture.started_at), None)
        if kept is None:
            yield f"{capture} has no features"
            continue
        anew = made_of(capture, samples_of(capture), capture.sensor.machine.rated_rpm).features
        anew.sensor_id = capture.sensor_id
        if differing := [name for name in names if getattr(kept, name) != getattr(anew, name)]:
            yield f"{capture}: {', '.join(differing)} are others than a rebuild gives"
    yield from (f"there are features of no capture: {it}" for it in stored.values())
