"""Machines and their sensors. Nothing here knows of samples or diagnoses."""

import math
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from common.database.fields import ExactCharField
from common.limits.tally import Tally  # noqa: F401  its table is one of this app's
from machines.bearings import MIN_ELEMENTS, NoBearing, fault_orders
from machines.episode_rules import Rule, read_rule

LONGEST_INTERVAL_MIN = 60 * 24 * 366


def interval_of(minutes: int | None) -> timedelta:
    """The expected interval of a machine with this number of minutes, or the one of the setting if it has none."""
    return timedelta(minutes=minutes or settings.EXPECTED_INTERVAL_MIN)


def rule_of(text: str) -> Rule:
    """The rule of a machine with this text, or that of the setting if it has none."""
    return read_rule(text or settings.EPISODE_RULE)


def valid_rule(text: str) -> None:
    """Raises ValidationError for what is no rule."""
    try:
        read_rule(text)
    except ValueError:
        raise ValidationError(
            _(
                "“%(value)s” is not an alarm rule. Write three numbers such as 2/3/5: faults, among so many diagnoses "
                "(20 at most), and normal ones in a row until it clears (100 at most)."
            ),
            "invalid",
            {"value": text},
        ) from None


def positive(value: float) -> None:
    """Raises ValidationError for what is not a number above 0."""
    if not 0 < value < math.inf:
        raise ValidationError(_("Give a number above 0."), "invalid")


class RegisteredBy(models.TextChoices):
    ADMIN = "admin", _("administrator")
    IMPORT = "import", _("file import")
    API = "api", _("API")


class Machine(models.Model):
    """A rotating machine."""

    name = ExactCharField(
        _("name"), max_length=50, unique=True, help_text=_("As in file names and API calls, e.g. g1.")
    )
    title = models.CharField(_("title"), max_length=100, blank=True, help_text=_("What people call it."))
    location = models.CharField(_("location"), max_length=100, blank=True)
    installed_at = models.DateField(_("installed on"), null=True, blank=True)
    rated_rpm = models.PositiveIntegerField(_("rated speed (rpm)"), null=True, blank=True)
    expected_interval_min = models.PositiveIntegerField(
        _("expected interval of diagnoses (min)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_INTERVAL_MIN)],
        help_text=_("After so many minutes without a diagnosis the machine is shown as stale. Empty: as for all."),
    )
    episode_rule = models.CharField(
        _("alarm rule"),
        max_length=11,
        blank=True,
        default="",
        db_default="",  # for servers that run the version before this field, while they are replaced
        validators=[valid_rule],
        help_text=_(
            "2/3/5: an alarm opens after 2 faults among the last 3 diagnoses and clears after 5 normal ones in a row. "
            "Empty: as for all."
        ),
    )
    is_active = models.BooleanField(pgettext_lazy("machine", "active"), default=True)
    registered_by = models.CharField(
        _("registered by"),
        max_length=10,
        choices=RegisteredBy,
        default=RegisteredBy.ADMIN,
        editable=False,
    )
    notes = models.TextField(_("notes"), blank=True)

    class Meta:
        verbose_name = _("machine")
        verbose_name_plural = _("machines")
        ordering = ["name"]
        constraints = [models.CheckConstraint(condition=~models.Q(name=""), name="machine_has_a_name")]

    def __str__(self):
        return f"{self.name} ({self.title})" if self.title else self.name

    def get_absolute_url(self):
        if {".", ".."} & set(self.name.split("/")):
            # As parts of a path, these mean another page to a browser, also when they are escaped.
            return reverse("machine-by-name", query={"name": self.name})
        return reverse("machine", args=[self.name])

    @property
    def expected_interval(self) -> timedelta:
        """How long a diagnosis counts; after that, without a newer one, the machine is stale."""
        return interval_of(self.expected_interval_min)


class Sensor(models.Model):
    """One measuring point of a machine."""

    machine = models.ForeignKey(Machine, verbose_name=_("machine"), on_delete=models.PROTECT, related_name="sensors")
    sensor_no = ExactCharField(_("sensor no."), max_length=20, help_text=_("Unique within its machine, e.g. sensor1."))
    position = models.CharField(_("position"), max_length=100, blank=True, help_text=_("E.g. motor, drive end."))
    unit = models.CharField(_("unit"), max_length=20, blank=True, help_text=_("Leave empty when it is not known."))
    measuring_range = models.FloatField(
        _("measuring range (±)"),
        null=True,
        blank=True,
        validators=[positive],
        help_text=_("To each side of 0, in the unit of its signals; one that reaches it is marked as clipped."),
    )

    class Meta:
        verbose_name = _("sensor")
        verbose_name_plural = _("sensors")
        ordering = ["machine__name", "sensor_no"]
        constraints = [
            models.UniqueConstraint(fields=["machine", "sensor_no"], name="sensor_once_per_machine"),
            models.CheckConstraint(condition=~models.Q(sensor_no=""), name="sensor_has_a_number"),
        ]

    def __str__(self):
        return f"{self.machine.name} / {self.sensor_no}"


WRONG_GEOMETRY = {  # by the field that NoBearing names
    "rolling_elements": _("A bearing has 3 to 200 rolling elements, which fit side by side on the pitch circle."),
    "pitch_diameter_mm": _("Give a number above 0."),
    "ball_diameter_mm": _("A rolling element is larger than 0 and smaller than the pitch diameter."),
    "contact_angle_deg": _("A contact angle is from 0° to less than 90°."),
}


class Bearing(models.Model):
    """A rolling bearing of a machine, with the geometry that the rates of its faults follow from, if it is known.

    The formulas are in machines/bearings.py: the inner ring turns with the shaft.
    """

    machine = models.ForeignKey(Machine, verbose_name=_("machine"), on_delete=models.CASCADE, related_name="bearings")
    sensor = models.ForeignKey(
        Sensor,
        verbose_name=_("sensor"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="bearings",
        help_text=_("The one nearest to it. Empty: its fault frequencies are shown at all sensors."),
    )
    name = ExactCharField(_("name"), max_length=100, help_text=_("E.g. drive end, 6205."))
    rolling_elements = models.PositiveSmallIntegerField(_("rolling elements"), null=True, blank=True)
    ball_diameter_mm = models.FloatField(_("diameter of a rolling element (mm)"), null=True, blank=True)
    pitch_diameter_mm = models.FloatField(_("pitch diameter (mm)"), null=True, blank=True)
    contact_angle_deg = models.FloatField(_("contact angle (°)"), null=True, blank=True)

    class Meta:
        verbose_name = _("bearing")
        verbose_name_plural = _("bearings")
        ordering = ["machine__name", "name"]
        constraints = [
            models.UniqueConstraint(fields=["machine", "name"], name="bearing_once_per_machine"),
            models.CheckConstraint(
                condition=models.Q(
                    rolling_elements__isnull=True,
                    ball_diameter_mm__isnull=True,
                    pitch_diameter_mm__isnull=True,
                    contact_angle_deg__isnull=True,
                )
                | models.Q(
                    rolling_elements__isnull=False,
                    rolling_elements__gte=MIN_ELEMENTS,
                    ball_diameter_mm__isnull=False,
                    ball_diameter_mm__gt=0,
                    pitch_diameter_mm__isnull=False,
                    pitch_diameter_mm__gt=models.F("ball_diameter_mm"),
                    contact_angle_deg__isnull=False,
                    contact_angle_deg__gte=0,
                    contact_angle_deg__lt=90,
                ),
                name="bearing_geometry",
            ),
        ]

    def __str__(self):
        return f"{self.machine.name} / {self.name}"

    @property
    def has_geometry(self) -> bool:
        return self.rolling_elements is not None

    def clean(self):
        """Raises ValidationError for geometry that is in part, or of no bearing, and for another machine's sensor."""
        geometry: tuple[Any, ...] = (
            self.rolling_elements,
            self.ball_diameter_mm,
            self.pitch_diameter_mm,
            self.contact_angle_deg,
        )
        if None in geometry and geometry != (None,) * 4:
            raise ValidationError(_("Give all four numbers of the geometry, or none of them."), "partial")
        if None not in geometry:
            try:
                fault_orders(*geometry)
            except NoBearing as error:
                raise ValidationError({error.field: WRONG_GEOMETRY[error.field]}) from None
        if self.sensor and self.machine_id and self.sensor.machine_id != self.machine_id:
            raise ValidationError({"sensor": _("This sensor is of another machine.")})


class PostedData(models.TextChoices):
    """What a program posts of a machine."""

    SAMPLES = "samples", _("vibration data")
    DIAGNOSES = "diagnoses", _("diagnoses")
    CAPTURES = "captures", _("captures")


class PostConflict(models.Model):
    """Conflicts between stored rows and those that one caller posted of a machine on one day; see conflicts.py.

    Files have the records of their imports. A row stays when its machine is deleted.
    """

    machine = models.ForeignKey(
        Machine, verbose_name=_("machine"), null=True, on_delete=models.SET_NULL, related_name="post_conflicts"
    )
    machine_name = ExactCharField(_("machine"), max_length=50)
    data = models.CharField(_("data"), max_length=10, choices=PostedData)
    poster = ExactCharField(_("posted by"), max_length=255, blank=True)
    day = models.DateField(pgettext_lazy("date", "day"))  # of the plant
    rows = models.BigIntegerField(_("conflicting rows"))
    first_at = models.DateTimeField(_("first conflict"))
    last_at = models.DateTimeField(_("last conflict"))
    # Of the last one, in the words of the API
    last_key = models.CharField(_("which row"), max_length=255)
    last_stored = models.CharField(_("what is stored"), max_length=255)
    last_came = models.CharField(_("what came"), max_length=255)

    class Meta:
        verbose_name = _("conflict of posts")
        verbose_name_plural = _("conflicts of posts")
        default_permissions = ("view",)
        ordering = ["-last_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["machine", "data", "poster", "day"], name="post_conflict_once_a_day")
        ]
        indexes = [models.Index(fields=["-last_at"], name="postconflict_newest")]

    def __str__(self):
        return f"{self.machine_name} {self.day}: {self.poster}"


class ClockLag(models.Model):
    """A collector whose times without an offset lag as if its clock were set to another zone; see clocks.py."""

    machine = models.ForeignKey(Machine, on_delete=models.CASCADE, related_name="clock_lags", db_index=False)
    data = models.CharField(max_length=10, choices=PostedData)
    source = ExactCharField(max_length=300, blank=True)  # whose clock it is, for people
    behind = models.DurationField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    newest = models.DateTimeField()  # the time that came then
    sightings = models.PositiveIntegerField(default=1)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["machine", "data", "source"], name="clock_lag_once")]

    def __str__(self):
        return f"{self.machine.name}: {self.source} {self.behind}"

    @property
    def hours(self) -> str:
        """How far it is behind, such as "9" or "5.5"."""
        return f"{self.behind / timedelta(hours=1):g}"

    @property
    def is_utc(self) -> bool:
        """Whether a clock set to UTC would lag so."""
        return timezone.localtime(self.last_at).utcoffset() == self.behind
