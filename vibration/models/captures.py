"""Captures of running machines, and the features of each."""

from dataclasses import fields

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from common.database.fields import ExactCharField
from machines.models import Sensor
from vibration.querysets import CaptureAxisQuerySet, CaptureQuerySet
from vibration.signals.features import VERSION, Features
from vibration.signals.orders import ShaftSource
from vibration.signals.reasons import Reason
from vibration.signals.units import Unit

MAX_SAMPLES = 1_000_000  # 40 s at 25 kHz
MAX_BYTES = 4_000_000  # of encoded samples: what a server with the default packet takes, escaped, in one statement
MIN_RATE_HZ, MAX_RATE_HZ = 1.0, 1e6
MAX_RPM = 1e6


UNITS = [  # what the samples are in
    (Unit.UNKNOWN.value, _("unknown")),
    (Unit.M_S2.value, "m/s²"),
    (Unit.G.value, "g"),
    (Unit.MM_S.value, "mm/s"),
]


REASONS = [  # why a feature is not assessable
    (Reason.UNIT.value, _("the unit is not known, or has no such value")),
    (Reason.RATE.value, _("the sampling rate is too low")),
    (Reason.SHORT.value, _("the capture is too short")),
    (Reason.FLAT.value, _("all samples are alike")),
    (Reason.SPEED.value, _("the speed is not known")),
]
SHAFT_SOURCES = [
    (ShaftSource.MEASURED.value, pgettext_lazy("speed", "measured")),
    (ShaftSource.FOUND.value, pgettext_lazy("speed", "found in the spectrum near the rated speed")),
    (ShaftSource.RATED.value, pgettext_lazy("speed", "rated")),
]


class Capture(models.Model):
    """Some seconds of one axis of a sensor, evenly sampled, of a machine as it runs; nobody says in which state.

    One is never changed: what comes again under its key (sensor, axis, started_at) is identical or conflicting.
    """

    sensor = models.ForeignKey(
        Sensor, verbose_name=_("sensor"), on_delete=models.PROTECT, related_name="captures", db_index=False
    )
    axis = ExactCharField(_("axis"), max_length=20)
    started_at = models.DateTimeField(_("started at"))
    sampling_hz = models.FloatField(_("sampling rate (Hz)"))
    count = models.PositiveIntegerField(_("samples"))
    unit = models.CharField(_("unit"), max_length=4, choices=UNITS, blank=True, default=Unit.UNKNOWN.value)
    rpm = models.FloatField(_("speed (rpm)"), null=True, blank=True)
    received_at = models.DateTimeField(_("stored at"), auto_now_add=True)
    source = models.CharField(_("source"), max_length=255, blank=True)  # the file that it came in, or who posted it
    is_clipped = models.BooleanField(pgettext_lazy("capture", "clipped"), default=False)
    is_flat = models.BooleanField(pgettext_lazy("capture", "flat"), default=False)
    has_gap = models.BooleanField(pgettext_lazy("capture", "follows a gap"), default=False)
    clock_drifts = models.BooleanField(pgettext_lazy("capture", "clock drifts"), default=False)
    # Until they are removed, see captures/pruning.py
    has_samples = models.BooleanField(pgettext_lazy("capture", "with samples"), default=True)
    is_kept = models.BooleanField(pgettext_lazy("capture", "kept"), default=False)  # its samples are never removed
    scale = models.FloatField(null=True)  # what a step of whole numbers is, in the unit; null: the samples are values
    sha256 = models.CharField("SHA-256", max_length=64)
    codec = models.PositiveSmallIntegerField()  # see signals/codec.py
    size = models.PositiveIntegerField(_("bytes"))  # of `data` as it was stored; stays when that is removed
    # The last column: SQLite and MySQL read the others without it. Null: removed.
    data = models.BinaryField(null=True)

    objects = CaptureQuerySet.as_manager()

    class Meta:
        verbose_name = _("capture")
        verbose_name_plural = _("captures")
        constraints = [
            models.UniqueConstraint(fields=["sensor", "axis", "started_at"], name="capture_once"),
            models.CheckConstraint(condition=~models.Q(axis=""), name="capture_has_an_axis"),
            models.CheckConstraint(
                condition=models.Q(sampling_hz__range=(MIN_RATE_HZ, MAX_RATE_HZ)), name="capture_rate_in_range"
            ),
            models.CheckConstraint(condition=models.Q(count__range=(1, MAX_SAMPLES)), name="capture_count_in_range"),
            models.CheckConstraint(
                condition=models.Q(rpm__isnull=True) | models.Q(rpm__gt=0, rpm__lte=MAX_RPM),
                name="capture_rpm_in_range",
            ),
            models.CheckConstraint(
                condition=models.Q(has_samples=True, data__isnull=False)
                | models.Q(has_samples=False, data__isnull=True),
                name="capture_has_samples_or_not",
            ),
        ]
        indexes = [
            models.Index(fields=["started_at", "sensor", "axis"], name="capture_by_time"),
            # All that retention goes by, and how much there is: neither looks at the rows, which are long.
            models.Index(
                fields=[
                    *("has_samples", "started_at", "sensor", "axis"),
                    *("is_kept", "is_flat", "is_clipped", "size"),
                ],
                name="capture_to_remove",
            ),
        ]

    def __str__(self):
        return f"{self.sensor} / {self.axis} / {self.started_at.isoformat()}"

    @property
    def key(self) -> tuple:
        """Among the captures of its sensor."""
        return self.axis, self.started_at

    @property
    def length(self) -> float:
        """Seconds from its first sample to the end of its last."""
        return self.count / self.sampling_hz


class CaptureAxis(models.Model):
    """An axis of a sensor that captures came of, and when the newest did; kept by captures/storing.py.

    Both could be read from the captures, but not of each axis in a time that does not grow with them.
    """

    sensor = models.ForeignKey(Sensor, on_delete=models.PROTECT, related_name="capture_axes", db_index=False)
    axis = ExactCharField(max_length=20)
    newest_at = models.DateTimeField()  # when the newest capture started
    stored_at = models.DateTimeField()  # when one was stored last

    objects = CaptureAxisQuerySet.as_manager()

    class Meta:
        db_table = "vibration_capture_axis"
        verbose_name = _("axis of captures")
        verbose_name_plural = _("axes of captures")
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["sensor", "axis"], name="capture_axis_once")]

    def __str__(self):
        return f"{self.sensor} / {self.axis}"


class CaptureFeatures(models.Model):
    """What vibration/signals/features.py makes of a capture; it stays when the samples are removed.

    The key is that of the capture, not its number: on MySQL the features of an axis lie together in order of time.
    """

    pk = models.CompositePrimaryKey("sensor", "axis", "started_at")
    sensor = models.ForeignKey(Sensor, on_delete=models.PROTECT, related_name="capture_features", db_index=False)
    axis = ExactCharField(max_length=20)
    started_at = models.DateTimeField()
    unit = models.CharField(max_length=4, choices=UNITS, blank=True)  # of the capture, and of all that name no other
    version = models.PositiveSmallIntegerField()  # of what a feature is
    mean = models.FloatField(_("mean"))
    rms = models.FloatField(_("RMS"))
    peak = models.FloatField(_("peak"))
    crest_factor = models.FloatField(_("crest factor"), null=True)
    kurtosis = models.FloatField(_("kurtosis"), null=True)
    velocity_rms = models.FloatField(_("velocity RMS (mm/s)"), null=True)
    velocity_reason = models.CharField(max_length=12, blank=True, choices=REASONS)
    shaft_hz = models.FloatField(_("shaft frequency (Hz)"), null=True)
    shaft_source = models.CharField(max_length=8, blank=True, choices=SHAFT_SOURCES)
    order_0_5 = models.FloatField(null=True)
    order_1_0 = models.FloatField(null=True)
    order_1_5 = models.FloatField(null=True)
    order_2_0 = models.FloatField(null=True)
    order_2_5 = models.FloatField(null=True)
    order_3_0 = models.FloatField(null=True)
    order_3_5 = models.FloatField(null=True)
    order_4_0 = models.FloatField(null=True)
    order_4_5 = models.FloatField(null=True)
    order_5_0 = models.FloatField(null=True)
    orders_reason = models.CharField(max_length=12, blank=True, choices=REASONS)
    band_10_100 = models.FloatField(null=True)
    band_100_1000 = models.FloatField(null=True)
    band_1000_5000 = models.FloatField(null=True)
    band_5000_20000 = models.FloatField(null=True)
    envelope_peak = models.FloatField(_("envelope peak"), null=True)
    envelope_hz = models.FloatField(_("envelope frequency (Hz)"), null=True)
    envelope_reason = models.CharField(max_length=12, blank=True, choices=REASONS)

    class Meta:
        db_table = "vibration_capture_features"
        verbose_name = _("features of a capture")
        verbose_name_plural = _("features of captures")
        default_permissions = ()

    def __str__(self):
        return f"{self.sensor} / {self.axis} / {self.started_at.isoformat()}"

    @classmethod
    def of(cls, capture: Capture, features: Features) -> "CaptureFeatures":
        """Those of a capture as a row, not saved."""
        named = {field.name: getattr(features, field.name) for field in fields(Features)}
        return cls(axis=capture.axis, started_at=capture.started_at, unit=capture.unit, version=VERSION, **named)


class CaptureMapping(models.Model):
    """Which column of a file is what, by a name that people give it; see vibration/formats/mapping.py."""

    name = ExactCharField(_("name"), max_length=50, unique=True)
    mapping = models.JSONField(_("columns"))
    saved_by = models.CharField(_("saved by"), max_length=150, blank=True)
    saved_at = models.DateTimeField(_("saved at"), auto_now=True)

    class Meta:
        verbose_name = _("mapping of columns")
        verbose_name_plural = _("mappings of columns")
        ordering = ["name"]
        constraints = [models.CheckConstraint(condition=~models.Q(name=""), name="mapping_has_a_name")]

    def __str__(self):
        return self.name
