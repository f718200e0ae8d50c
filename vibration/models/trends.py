"""What is kept of captures beside their features, so that long spans are read quickly: made of captures alone."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from common.database.fields import ExactCharField
from machines.models import Sensor
from vibration.models.captures import UNITS


class FeatureRollup(models.Model):
    """The extremes of all features of an axis in a bucket of time; kept by vibration/trends/rollups.py.

    The captures of one unit alone are in one, as most features are in the unit of the signal.
    """

    pk = models.CompositePrimaryKey("sensor", "axis", "unit", "width", "bucket")
    sensor = models.ForeignKey(Sensor, on_delete=models.PROTECT, related_name="feature_rollups", db_index=False)
    axis = ExactCharField(max_length=20)
    unit = models.CharField(max_length=4, choices=UNITS, blank=True)
    width = models.PositiveIntegerField()  # seconds, one of vibration/trends/extremes.py: WIDTHS
    bucket = models.IntegerField()  # seconds of 1970 on / width, rounded down
    count = models.PositiveIntegerField()  # captures
    flat = models.PositiveIntegerField()  # of these, how many have no vibration at all
    first_at = models.DateTimeField()  # when the first of them started
    extremes = models.BinaryField()  # see vibration/trends/extremes.py

    class Meta:
        db_table = "vibration_feature_rollup"
        verbose_name = _("features of a period")
        verbose_name_plural = _("features of periods")
        default_permissions = ()

    def __str__(self):
        return f"{self.sensor} / {self.axis} / {self.bucket * self.width} s"


class SpectrumOutline(models.Model):
    """The outline of a capture's spectrum, see vibration/spectra/outline.py.

    It goes with the samples of the capture, but that the first of each day (of UTC) and axis stays.
    """

    pk = models.CompositePrimaryKey("sensor", "axis", "started_at")
    sensor = models.ForeignKey(Sensor, on_delete=models.PROTECT, related_name="spectrum_outlines", db_index=False)
    axis = ExactCharField(max_length=20)
    started_at = models.DateTimeField()
    unit = models.CharField(max_length=4, choices=UNITS, blank=True)
    sampling_hz = models.FloatField()
    shaft_hz = models.FloatField(null=True)
    data = models.BinaryField()  # uint16, little-endian

    class Meta:
        db_table = "vibration_spectrum_outline"
        verbose_name = _("outline of a spectrum")
        verbose_name_plural = _("outlines of spectra")
        default_permissions = ()

    def __str__(self):
        return f"{self.sensor} / {self.axis} / {self.started_at.isoformat()}"
