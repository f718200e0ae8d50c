"""Diagnoses of machines, and the current state of each."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from common.database.fields import ExactCharField
from diagnosis.querysets import CurrentStateQuerySet, VibrationDiagnosisQuerySet
from diagnosis.states import FaultType
from machines.models import Machine


class VibrationDiagnosis(models.Model):
    """What an AI says of a machine at an instant.

    The unique key (machine, detected_at, model_name) makes a repeated post harmless and serves "newest of a machine";
    the index that begins with detected_at serves lists over all machines, in the same order; the one with fault_type
    finds the newest of each state, however long ago that was.
    """

    machine = models.ForeignKey(
        Machine, verbose_name=_("machine"), on_delete=models.PROTECT, related_name="diagnoses", db_index=False
    )
    detected_at = models.DateTimeField(_("detected at"))
    fault_type = models.SmallIntegerField(_("state"), choices=FaultType)
    model_name = ExactCharField(_("model"), max_length=100, blank=True, default="")
    confidence = models.FloatField(_("confidence"), null=True, blank=True)
    created_at = models.DateTimeField(_("stored at"), auto_now_add=True)

    objects = VibrationDiagnosisQuerySet.as_manager()

    class Meta:
        db_table = "vibration_diagnosis"
        verbose_name = _("diagnosis")
        verbose_name_plural = _("diagnoses")
        constraints = [
            models.UniqueConstraint(fields=["machine", "detected_at", "model_name"], name="diagnosis_once"),
            models.CheckConstraint(
                condition=models.Q(fault_type__gte=min(FaultType.values), fault_type__lte=max(FaultType.values)),
                name="fault_type_known",
            ),
            models.CheckConstraint(
                condition=models.Q(confidence__isnull=True) | models.Q(confidence__gte=0, confidence__lte=1),
                name="confidence_from_0_to_1",
            ),
        ]
        indexes = [
            models.Index(fields=["detected_at", "machine", "model_name"], name="diagnosis_by_time"),
            models.Index(fields=["machine", "fault_type", "detected_at", "model_name"], name="diagnosis_by_state"),
        ]

    def __str__(self):
        return f"{self.machine.name} {self.detected_at.isoformat()} {self.state.label}"

    @property
    def state(self) -> FaultType:
        return FaultType(self.fault_type)


class CurrentState(models.Model):
    """The newest diagnosis of a machine, and since when it has been so; kept by diagnosis/storage/writing.py.

    Both could be read from the diagnoses, but not `since` in a time that does not grow with them.
    """

    machine = models.OneToOneField(Machine, primary_key=True, on_delete=models.CASCADE, related_name="current_state")
    fault_type = models.SmallIntegerField(choices=FaultType)
    since = models.DateTimeField()  # the first diagnosis of the uninterrupted run of this state
    detected_at = models.DateTimeField()
    model_name = ExactCharField(max_length=100, blank=True)
    confidence = models.FloatField(null=True)
    revision = models.BigIntegerField(default=0)  # one more with each write of diagnoses of this machine

    objects = CurrentStateQuerySet.as_manager()

    class Meta:
        db_table = "diagnosis_current_state"
        default_permissions = ()

    def __str__(self):
        return f"{self.machine.name} {self.state.label}"

    @property
    def state(self) -> FaultType:
        return FaultType(self.fault_type)

    @property
    def key(self) -> tuple:
        """Its place among the diagnoses of the machine."""
        return self.detected_at, self.model_name
