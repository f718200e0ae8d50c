"""Recordings, their samples and the rollups of these."""

from datetime import datetime
from urllib.parse import urlencode

from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from common.database.fields import ExactCharField
from common.database.transactions import in_transaction
from machines.models import Sensor
from vibration.numbers.buckets import FACTOR
from vibration.numbers.states import MAX_TIME_S, MAX_VALUE, STATES
from vibration.querysets import RecordingQuerySet, VibrationDataQuerySet, VibrationRollupQuerySet

DEFAULT_RECORDING = "default"
SHOWN_AROUND_S = 1.0  # seconds on each side of an instant, in the link to its waveform


class Recording(models.Model):
    """An uninterrupted measurement of one sensor; `measured_time` counts seconds from its start."""

    sensor = models.ForeignKey(Sensor, verbose_name=_("sensor"), on_delete=models.PROTECT, related_name="recordings")
    name = ExactCharField(_("name"), max_length=100, default=DEFAULT_RECORDING)
    started_at = models.DateTimeField(
        _("started at"), null=True, blank=True, help_text=_("Empty when it is not known.")
    )
    source = models.CharField(
        _("source"), max_length=255, blank=True, help_text=_("Where the first samples came from.")
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    # What follows is kept by vibration/storage/writing.py, in the transaction of each write.
    sample_count = models.BigIntegerField(_("samples"), default=0, editable=False)
    first_time = models.FloatField(_("first time (s)"), null=True, editable=False)
    last_time = models.FloatField(_("last time (s)"), null=True, editable=False)
    last_collected_at = models.DateTimeField(_("latest sample"), null=True, editable=False)
    last_written_at = models.DateTimeField(_("last write"), null=True, editable=False)
    rollup_exponent = models.SmallIntegerField(null=True, editable=False)  # a base bucket lasts 2**this seconds
    # The base bucket from which on samples are not in rollups yet, and how many: see storage/tails.py. Null: all are.
    tail_from = models.BigIntegerField(null=True, editable=False)
    tail_count = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    # And these by storage/pruning.py: no sample is stored before the edge of a base bucket, their rollups stay.
    # Known to the database too: the version before this one goes on while the new one is put in.
    pruned_before = models.FloatField(  # 0: none removed
        _("raw samples removed before (s)"), default=0, db_default=0, editable=False
    )
    pruned_count = models.BigIntegerField(_("raw samples removed"), default=0, db_default=0, editable=False)
    pruned_at = models.DateTimeField(_("raw samples last removed"), null=True, editable=False)

    objects = RecordingQuerySet.as_manager()

    class Meta:
        verbose_name = _("recording")
        verbose_name_plural = _("recordings")
        constraints = [
            models.UniqueConstraint(fields=["sensor", "name"], name="recording_once_per_sensor"),
            models.CheckConstraint(condition=~models.Q(name=""), name="recording_has_a_name"),
        ]

    def __str__(self):
        return f"{self.sensor} / {self.name}"

    def get_absolute_url(self):
        return f"{reverse('waveform')}?{self.place_query}"

    def url_at(self, instant: datetime) -> str | None:
        """The waveform around an instant; None when that is not known to lie in this recording."""
        if self.started_at is None or self.span is None:
            return None
        time = (instant - self.started_at).total_seconds()
        if not self.span[0] <= time <= self.span[1]:
            return None
        window = {"start": max(0, time - SHOWN_AROUND_S), "end": time + SHOWN_AROUND_S}
        return f"{self.get_absolute_url()}&{urlencode(window)}"

    def delete(self, *args, **kwargs):
        def delete():
            Recording.objects.select_for_update().filter(pk=self.pk).first()  # see RecordingQuerySet.delete
            return super(Recording, self).delete(*args, **kwargs)

        return in_transaction(delete)

    @property
    def span(self) -> tuple[float, float] | None:
        """The times of the first sample and of the last (s); None before there is one."""
        return None if self.first_time is None or self.last_time is None else (self.first_time, self.last_time)

    @property
    def length(self) -> float | None:
        """Seconds from the first sample to the last; to the microsecond, as a difference of floats has odd digits."""
        return round(self.span[1] - self.span[0], 6) if self.span else None

    @property
    def measured_count(self) -> int:
        """Samples that it has rollups of: those that are stored, and those that were removed."""
        return self.sample_count + self.pruned_count

    @property
    def average_step(self) -> float | None:
        """Seconds between two samples, on average."""
        return self.length / (self.measured_count - 1) if self.length else None

    @property
    def place_query(self) -> str:
        """Machine, sensor and recording as the pages' query strings name them."""
        place = {"machine": self.sensor.machine.name, "sensor": self.sensor.sensor_no, "recording": self.name}
        return urlencode(place)

    def is_pruned(self, time):
        """Whether raw samples of this time, or of each of these (seconds), were removed or would be by now."""
        return time < self.pruned_before

    def is_pruned_by_now(self, time: float) -> bool:
        """Whether raw samples of this time are removed by now; reads `pruned_before` again from the database."""
        found = Recording.objects.filter(pk=self.pk).values_list("pruned_before", flat=True).first()
        if found is not None:  # else the recording was deleted
            self.pruned_before = found
        return self.is_pruned(time)

    @property
    def finest_width(self) -> float:
        """Seconds that a bucket of the base level spans."""
        return self.bucket_width(0)

    def bucket_width(self, level: int) -> float:
        """Seconds that a bucket of this level spans; the base level is 0. Raises ValueError before there is one."""
        if self.rollup_exponent is None:
            raise ValueError(f"{self} has no samples yet, and no buckets")
        return 2.0**self.rollup_exponent * FACTOR**level


class VibrationData(models.Model):
    """A sample: one value for each state in which the rig was measured, at one time of a recording.

    The key (recording, measured_time) makes a duplicate impossible and keeps, on MySQL, the samples of a recording
    together in order of time. No other index: no query needs one, and each would cost at every insert.
    """

    pk = models.CompositePrimaryKey("recording", "measured_time")
    recording = models.ForeignKey(Recording, on_delete=models.CASCADE, related_name="samples", db_index=False)
    measured_time = models.FloatField()
    collected_at = models.DateTimeField(null=True)
    normal = models.FloatField()
    unbalance = models.FloatField()
    looseness = models.FloatField()
    unbalance_looseness = models.FloatField()

    objects = VibrationDataQuerySet.as_manager()

    class Meta:
        db_table = "vibration_data"
        verbose_name = _("vibration data")
        verbose_name_plural = _("vibration data")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(measured_time__gte=0, measured_time__lte=MAX_TIME_S),
                name="sample_time_in_range",
            ),
            models.CheckConstraint(
                condition=models.Q(*((f"{state}__range", (-MAX_VALUE, MAX_VALUE)) for state in STATES)),
                name="sample_values_in_range",
            ),
        ]

    def __str__(self):
        return f"{self.recording_id}:{self.measured_time!r}"


class VibrationRollup(models.Model):
    """The samples of one time bucket, summed up; see vibration/numbers/buckets.py for what the numbers mean."""

    pk = models.CompositePrimaryKey("recording", "level", "bucket")
    recording = models.ForeignKey(Recording, on_delete=models.CASCADE, related_name="rollups", db_index=False)
    level = models.SmallIntegerField()
    bucket = models.BigIntegerField()
    samples = models.BigIntegerField()
    normal_min = models.FloatField()
    normal_max = models.FloatField()
    normal_sum = models.FloatField()
    normal_squares = models.FloatField()
    unbalance_min = models.FloatField()
    unbalance_max = models.FloatField()
    unbalance_sum = models.FloatField()
    unbalance_squares = models.FloatField()
    looseness_min = models.FloatField()
    looseness_max = models.FloatField()
    looseness_sum = models.FloatField()
    looseness_squares = models.FloatField()
    unbalance_looseness_min = models.FloatField()
    unbalance_looseness_max = models.FloatField()
    unbalance_looseness_sum = models.FloatField()
    unbalance_looseness_squares = models.FloatField()

    objects = VibrationRollupQuerySet.as_manager()

    class Meta:
        db_table = "vibration_rollup"

    def __str__(self):
        return f"{self.recording_id}:{self.level}:{self.bucket}"
