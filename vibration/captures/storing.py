"""The only writer of captures: each is stored once, with its features, or classed against the one that is stored.

What retention removes, what people keep or delete, and features that are made anew, is written here too.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import numpy as np
from django.db.models import DateTimeField, F, Model, QuerySet, Value
from django.db.models.functions import Greatest
from django.utils import timezone

from common.audit_trail import Action, note
from common.database.transactions import Patience, in_transaction
from common.rest.rows import InvalidRows
from machines.models import Machine, RegisteredBy, Sensor
from machines.registering import register_sensor
from vibration.captures.conflicts import Stored, note_conflicting
from vibration.captures.incoming import Key, NewCapture, Place, wrong_with
from vibration.captures.reading import samples_of
from vibration.models import Capture, CaptureAxis, CaptureFeatures, SpectrumOutline
from vibration.models.captures import MAX_BYTES
from vibration.numbers.classifying import RowClass
from vibration.signals.codec import DamagedCapture, encode, scaled
from vibration.signals.features import features_and_transform
from vibration.signals.flags import is_clipped, is_flat
from vibration.trends import outlines, rollups
from vibration.trends.rollups import Changed


def store_captures(
    new: Sequence[NewCapture],
    *,
    register: RegisteredBy | None,
    poster: str | None = None,
    also: Callable[[list[Stored]], None] = lambda stored: None,
    is_stored: Callable[[], bool] | None = None,
    patience: Patience | None = None,
) -> list[Stored]:
    """Store these in one transaction, each with its features; what became of each, in their order.

    They count one after the other: of two with one key the second is identical to or in conflict with the first. New
    ones are stored beside others in conflict, which are noted for people with the name of the `poster`, if it is given.
    Raises InvalidRows, and stores nothing, when one is not as it must be; so too when its machine or sensor is not
    known and `register` does not say how to register it.

    `also` is called with what became of them within the transaction, for what has to be stored with them or not at all;
    `is_stored` tells, after a COMMIT without an answer, whether it is. `patience` is for a database that is away.
    """
    patience = patience or Patience()
    if errors := {number: wrong for number, it in enumerate(new) if (wrong := wrong_with(it))}:
        raise InvalidRows(errors, len(new))
    sensors = patience.until_done(lambda: _sensors_of(new))
    if register is None:
        _refuse_unknown(new, sensors)
    known = patience.until_done(lambda: _facts_of(new, sensors))
    made = [_make(it, known[it.place]) for it in new]
    if too_long := {number: [_TOO_LONG] for number, it in enumerate(made) if len(it.capture.data or b"") > MAX_BYTES}:
        raise InvalidRows(too_long, len(new))

    def write() -> list[Stored]:
        sensors = _sensors_of(new)  # anew: somebody may have deleted one in between
        if register:
            # In one order, so that two callers with the same new names do not wait for each other.
            for place in sorted({it.place for it in new} - sensors.keys()):
                sensors[place] = register_sensor(*place, registered_by=register)
        else:
            _refuse_unknown(new, sensors)
        stored = _write(new, made, sensors)
        also(stored)
        if poster is not None:
            note_conflicting(new, stored, poster)
        return stored

    return in_transaction(write, patience=patience, is_stored=is_stored)


_TOO_LONG = (
    "samples",
    f"These samples take more than {MAX_BYTES:,} bytes even when compressed. Send them as shorter captures.",
)


def _sensors_of(new: Sequence[NewCapture]) -> dict[Place, Sensor]:
    machines, numbers = {it.machine for it in new}, {it.sensor for it in new}
    found = Sensor.objects.filter(machine__name__in=machines, sensor_no__in=numbers).select_related("machine")
    return {(it.machine.name, it.sensor_no): it for it in found}


@dataclass(frozen=True)
class _Facts:
    """What people have said of a sensor and its machine, which features and marks go by."""

    measuring_range: float | None
    rated_rpm: float | None


def _facts_of(new: Sequence[NewCapture], sensors: dict[Place, Sensor]) -> dict[Place, _Facts]:
    known = {place: _Facts(it.measuring_range, it.machine.rated_rpm) for place, it in sensors.items()}
    if missing := {it.place for it in new} - known.keys():
        # Of a sensor that is not registered yet, the machine may be.
        names = {machine for machine, _sensor in missing}
        rated = dict(Machine.objects.filter(name__in=names).values_list("name", "rated_rpm"))
        known |= {place: _Facts(None, rated.get(place[0])) for place in missing}
    return known


def _refuse_unknown(new: Sequence[NewCapture], sensors: dict[Place, Sensor]) -> None:
    errors = {
        number: [
            ("sensor_no", f"Machine {it.machine} with sensor {it.sensor} is not registered; an administrator has to.")
        ]
        for number, it in enumerate(new)
        if it.place not in sensors
    }
    if errors:
        raise InvalidRows(errors, len(new))


class Made(NamedTuple):
    """A capture and what is made of it, as they are to be stored."""

    capture: Capture
    features: CaptureFeatures
    outline: SpectrumOutline | None  # None of a signal without a spectrum

    def belong_to(self, sensor: Sensor) -> None:
        self.capture.sensor = self.features.sensor = sensor
        if self.outline:
            self.outline.sensor = sensor


def _make(new: NewCapture, known: _Facts) -> Made:
    """All but the sensor, which may not be there yet."""
    encoded, values = encode(new.values), scaled(new.values, new.scale)
    capture = Capture(
        axis=new.axis,
        started_at=new.started_at,
        sampling_hz=new.sampling_hz,
        count=len(new.values),
        unit=new.unit,
        rpm=new.rpm,
        source=new.source,
        is_clipped=is_clipped(new.values) or is_clipped(values, known.measuring_range),
        is_flat=is_flat(new.values),
        has_gap=new.has_gap,
        clock_drifts=new.clock_drifts,
        scale=new.scale,
        sha256=new.digest,
        codec=encoded.codec,
        size=len(encoded.data),
        data=encoded.data,
    )
    return made_of(capture, values, known.rated_rpm)


def made_of(capture: Capture, values: np.ndarray, rated_rpm: float | None) -> Made:
    """What follows from a capture of these values, float64 (n,), in its unit; not saved."""
    found, transform = features_and_transform(values, capture.sampling_hz, capture.unit, capture.rpm, rated_rpm)
    outline = outlines.outline_row(capture, transform, found.shaft_hz)
    return Made(capture, CaptureFeatures.of(capture, found), outline)


def _write(new: Sequence[NewCapture], made: list[Made], sensors: dict[Place, Sensor]) -> list[Stored]:
    numbers_of: dict[Place, list[int]] = defaultdict(list)
    for number, it in enumerate(new):
        numbers_of[it.place].append(number)
    found: dict[int, Stored] = {}
    insert: list[int] = []
    for place in sorted(numbers_of):
        sensor = sensors[place]
        known = _known(sensor, [new[number] for number in numbers_of[place]])
        for number in numbers_of[place]:
            capture = made[number].capture
            stored = known.setdefault(new[number].key, capture)
            if stored is capture:
                made[number].belong_to(sensor)
                insert.append(number)
                row_class = RowClass.NEW
            else:
                row_class = RowClass.IDENTICAL if stored.sha256 == capture.sha256 else RowClass.CONFLICTING
            found[number] = Stored(stored, row_class)
    captures = [made[number].capture for number in insert]
    for capture in captures:
        capture.pk = None  # of an attempt that was undone
    _insert(captures)
    features = CaptureFeatures.objects.bulk_create([made[number].features for number in insert])
    SpectrumOutline.objects.bulk_create([outline for number in insert if (outline := made[number].outline)])
    _note_newest(captures)
    rollups.add(features)  # last, as it goes by the rows of the axes, which are locked now
    return [found[number] for number in range(len(new))]


def _insert(captures: list[Capture]) -> None:
    """Store them, and know their numbers."""
    for some in _statements(captures):
        Capture.objects.bulk_create(some)
    if any(it.pk is None for it in captures):  # MySQL does not tell the numbers of several rows
        of_sensor: dict[Sensor, list[Capture]] = defaultdict(list)
        for it in captures:
            of_sensor[it.sensor].append(it)
        for sensor, its in of_sensor.items():
            known = _known(sensor, its)
            for it in its:
                it.pk = known[it.key].pk


def _statements(captures: list[Capture]) -> Iterator[list[Capture]]:
    """As many as one statement may hold: what is too long for a server's packet breaks the connection each time."""
    some: list[Capture] = []
    size = 0
    for it in captures:
        if some and size + it.size > MAX_BYTES:
            yield some
            some, size = [], 0
        some.append(it)
        size += it.size
    if some:
        yield some


def _note_newest(captures: list[Capture]) -> None:
    """Keep when the newest of each axis started; the axes of one instant, as they mostly come, by one statement."""
    axes_at: dict[tuple[int, datetime], set[str]] = defaultdict(set)
    for it in captures:
        axes_at[it.sensor_id, it.started_at].add(it.axis)
    now = timezone.now()
    for (sensor, started_at), names in sorted(axes_at.items()):
        axes = CaptureAxis.objects.filter(sensor=sensor, axis__in=names)
        newest = Greatest(F("newest_at"), Value(started_at, output_field=DateTimeField()))
        if axes.update(newest_at=newest, stored_at=now) < len(names):
            names -= set(axes.values_list("axis", flat=True))
            CaptureAxis.objects.bulk_create(
                CaptureAxis(sensor_id=sensor, axis=name, newest_at=started_at, stored_at=now) for name in sorted(names)
            )


def _known(sensor: Sensor, new: Sequence[NewCapture | Capture]) -> dict[Key, Capture]:
    """What is stored of a sensor under the keys of these, without samples."""
    starts, axes = {it.started_at for it in new}, {it.axis for it in new}
    found = Capture.objects.filter(sensor=sensor, axis__in=axes, started_at__in=starts).without_samples()
    for it in found:
        it.sensor = sensor  # with its machine, which is not asked for again
    return {it.key: it for it in found}


def remove_samples(numbers: Sequence[int]) -> tuple[int, int]:
    """Remove the samples of these captures, by primary key, in one transaction; how many had some, and their bytes.

    Features and all else that is known stay, but for outlines of spectra, of which one a day does. One that is marked
    as kept keeps its samples.
    """

    def remove() -> tuple[int, int]:
        captures = Capture.objects.with_samples().filter(pk__in=numbers, is_kept=False).order_by("pk")
        going = list(captures.select_for_update().only("sensor", "axis", "unit", "started_at", "size"))
        Capture.objects.filter(pk__in=[it.pk for it in going]).update(data=None, has_samples=False)
        outlines.thin(going)
        return len(going), sum(it.size for it in going)

    return in_transaction(remove)


def delete_captures(captures: QuerySet[Capture]) -> int:
    """Delete these captures with their features in one transaction; how many there were. The audit trail notes each."""

    def delete() -> int:
        locked = Capture.objects.filter(pk__in=list(captures.values_list("pk", flat=True))).order_by("pk")
        numbers = list(locked.select_for_update().values_list("pk", flat=True))
        gone = []
        for it in Capture.objects.filter(pk__in=numbers).without_samples().with_place().order_by("pk"):
            gone.append(Changed(it.sensor_id, it.axis, it.unit, it.started_at))
            features_of_key(it).delete()
            outline_of_key(it).delete()
            note(Action.DELETE, it, str(it), samples=it.count, sha256=it.sha256, source=it.source)
        Capture.objects.filter(pk__in=numbers).delete()
        for sensor, axis in sorted({(it.sensor, it.axis) for it in gone}):
            _forget_newest(sensor, axis)
        rollups.remake(gone)
        return len(numbers)

    return in_transaction(delete)


def _forget_newest(sensor: int, axis: str) -> None:
    """Keep when the newest that is left of an axis started; of none, nothing."""
    known = CaptureAxis.objects.filter(sensor=sensor, axis=axis)
    # Whoever stores one of this axis holds its row until that is to be seen.
    list(known.select_for_update().values_list("pk"))
    left = Capture.objects.filter(sensor=sensor, axis=axis)
    newest = left.order_by("-started_at").values_list("started_at", flat=True).first()
    if newest is None:
        known.delete()
    else:
        known.update(newest_at=newest)


def features_of_key(capture: Capture) -> QuerySet[CaptureFeatures]:
    """The features that are stored of it, as a queryset of one row."""
    return CaptureFeatures.objects.filter(sensor=capture.sensor_id, axis=capture.axis, started_at=capture.started_at)


def outline_of_key(capture: Capture) -> QuerySet[SpectrumOutline]:
    """The outline that is stored of it, as a queryset of one row or none."""
    return SpectrumOutline.objects.filter(sensor=capture.sensor_id, axis=capture.axis, started_at=capture.started_at)


def rebuild_features(numbers: Sequence[int]) -> int:
    """Make all that follows from these captures, by primary key, anew from their samples: features and outlines.

    Returns how many are not as they were.

    In one transaction. Captures without samples keep what they have. Raises DamagedCapture.
    """

    def rebuild() -> int:
        captures = Capture.objects.with_samples().filter(pk__in=numbers).order_by("pk")
        rated = dict(captures.values_list("pk", "sensor__machine__rated_rpm"))
        changed: list[Changed] = []
        for it in captures.select_for_update():
            try:
                values = samples_of(it)
            except DamagedCapture as error:
                raise DamagedCapture(f"Capture {it.pk} of {it.started_at.isoformat()}: {error}") from None
            made = made_of(it, values, rated.get(it.pk))
            made.belong_to(it.sensor)
            if _replace(features_of_key(it), made.features) | _replace(outline_of_key(it), made.outline):
                changed.append(Changed(it.sensor_id, it.axis, it.unit, it.started_at))
        _hold({(it.sensor, it.axis) for it in changed})
        rollups.remake(changed)
        return len(changed)

    return in_transaction(rebuild)


def _replace(stored: QuerySet, made: Model | None) -> bool:
    """Store what was made in place of what is, if it is another; whether it was."""
    if list(map(values_of, stored)) == ([values_of(made)] if made else []):
        return False
    stored.delete()
    if made:
        stored.bulk_create([made])
    return True


def _hold(axes: set[tuple[int, str]]) -> None:
    """Lock the rows of these axes, as whoever stores captures of one does."""
    for sensor, axis in sorted(axes):
        list(CaptureAxis.objects.filter(sensor=sensor, axis=axis).select_for_update().values_list("pk"))


def values_of(row: Model) -> list:
    """All that is stored of it."""
    values = [getattr(row, it.attname) for it in row._meta.concrete_fields]
    return [bytes(it) if isinstance(it, memoryview) else it for it in values]


def say_kept(number: int, is_kept: bool) -> bool:
    """Keep the samples of a capture whatever their age, or let them go in their time; False if it was so before.

    Raises Capture.DoesNotExist when it is gone.
    """

    def write() -> bool:
        stored = Capture.objects.without_samples().select_for_update().get(pk=number)
        if stored.is_kept == is_kept:
            return False
        stored.is_kept = is_kept
        stored.save(update_fields=["is_kept"])
        note(Action.UPDATE, stored, f"{stored}: {'kept' if is_kept else 'let go'}", kept=is_kept)
        return True

    return in_transaction(write)
