"""Which captures have features of another version than the present one; storing.py makes them anew."""

from collections.abc import Iterator

from django.db.models import Exists, OuterRef, Subquery

from common.database.keysets import read_by_key
from machines.models import Machine, Sensor
from vibration.captures.pruning import OLDEST_FIRST
from vibration.models import Capture, CaptureFeatures
from vibration.signals.features import VERSION

BATCH = 20  # captures of one transaction; each may have 8 MB of samples, one at a time


def outdated(machines: list[Machine] | None, *, of_every_version: bool = False) -> Iterator[list[int]]:
    """The primary keys of captures with samples whose features are of another version, or of any; BATCH at a time.

    Of these machines, or of all; oldest first. One that has no features, as nothing but a fault could bring about,
    is among them.
    """
    own = CaptureFeatures.objects.filter(
        sensor=OuterRef("sensor"), axis=OuterRef("axis"), started_at=OuterRef("started_at")
    )
    captures = Capture.objects.with_samples().order_by(*OLDEST_FIRST).annotate(version=Subquery(own.values("version")))
    sensors = _sensors(machines)
    batch: list[int] = []
    for rows in read_by_key(captures.values_list("pk", *OLDEST_FIRST, "version", named=True)):
        for row in rows:
            if (sensors is None or row.sensor_id in sensors) and (of_every_version or row.version != VERSION):
                batch.append(row.pk)
            if len(batch) == BATCH:
                yield batch
                batch = []
    if batch:
        yield batch


def count_without_samples(machines: list[Machine] | None, *, of_every_version: bool = False) -> int:
    """How many features of another version, or of any, stay, as their samples were removed. Reads all features."""
    captures = Capture.objects.filter(
        has_samples__in=[False],
        sensor=OuterRef("sensor"),
        axis=OuterRef("axis"),
        started_at=OuterRef("started_at"),
    )
    features = CaptureFeatures.objects.all() if of_every_version else CaptureFeatures.objects.exclude(version=VERSION)
    if machines is not None:
        features = features.filter(sensor__in=list(_sensors(machines) or ()))
    return features.filter(Exists(captures)).count()


def _sensors(machines: list[Machine] | None) -> set[int] | None:
    if machines is None:
        return None
    return set(Sensor.objects.filter(machine__in=machines).values_list("pk", flat=True))
