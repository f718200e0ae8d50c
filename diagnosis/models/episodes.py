"""Episodes, which are made of diagnoses and acts alone, and the acts, which people write."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from common.database.fields import ExactCharField
from diagnosis.episodes.spans import Ending
from diagnosis.episodes.standing import LONGEST_SHELF, Kind, Stage, Standing, stage_of
from diagnosis.querysets import EpisodeActQuerySet, EpisodeQuerySet
from diagnosis.states import FaultType
from machines.models import Machine

_FAULT = Q(fault_type__gt=FaultType.NORMAL, fault_type__lte=max(FaultType.values))
MOST_SHELVED_MIN = LONGEST_SHELF // timedelta(minutes=1)
OTHER_FAULT = -1  # found, but none of ours
FOUND = [(state.value, state.label) for state in sorted(FaultType)] + [(OTHER_FAULT, _("another fault"))]


class Attention(models.IntegerChoices):
    """Whether an episode may need somebody, whatever the clock says: what lists are read by."""

    ACTIVE = 0  # not ended, not closed
    ENDED = 1  # cleared, not acknowledged
    NONE = 2


class Episode(models.Model):
    """An uninterrupted stretch of one fault of a machine, said by one family of models.

    Derived: diagnosis/storage/episodes.py alone writes it, from diagnoses and acts, and can make it anew. A row keeps
    its number when late diagnoses move its ends. One that they take back, or that became part of another, is not
    `live`; it stays if somebody has done something about it or was told of it.
    """

    machine = models.ForeignKey(Machine, verbose_name=_("machine"), on_delete=models.PROTECT, related_name="episodes")
    family = ExactCharField(_("model"), max_length=100, blank=True)
    fault_type = models.SmallIntegerField(_("state"), choices=FaultType)
    severity = models.SmallIntegerField(_("severity"))  # from 1 to 5
    began_at = models.DateTimeField(_("began at"))  # its first diagnosis
    opened_at = models.DateTimeField(_("opened at"))  # the diagnosis with which there were enough
    opened_by = ExactCharField(max_length=100, blank=True)  # the model that said so: several may speak of an instant
    last_at = models.DateTimeField(_("last seen"))  # the newest diagnosis of a fault
    ended_at = models.DateTimeField(_("ended at"), null=True)
    ending = models.CharField(_("ended by"), max_length=10, blank=True, choices=[(it.value, it.value) for it in Ending])
    count = models.PositiveIntegerField(_("diagnoses"))
    model_names = models.JSONField(_("models"))  # sorted
    least_confidence = models.FloatField(null=True)
    greatest_confidence = models.FloatField(null=True)
    follows = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="followers")

    # From the acts about it
    standing = models.CharField(
        max_length=12, choices=[(it.value, it.value) for it in Standing], default=Standing.OPEN.value
    )
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.CharField(max_length=150, blank=True)
    shelved_until = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    verdict = models.CharField(max_length=10, blank=True)
    attention = models.SmallIntegerField(choices=Attention, default=Attention.ACTIVE)

    revision = models.PositiveIntegerField(default=1)  # one more when it or what was done about it changes
    revised_at = models.DateTimeField(null=True)  # when late data moved its ends
    live = models.BooleanField(null=True, default=True)  # NULL: withdrawn, or part of another
    merged_into = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="merged")

    objects = EpisodeQuerySet.as_manager()

    class Meta:
        db_table = "diagnosis_episode"
        verbose_name = _("episode")
        verbose_name_plural = _("episodes")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["machine", "family", "opened_at", "opened_by", "live"], name="episode_once"
            ),
            models.CheckConstraint(condition=_FAULT, name="episode_is_of_a_fault"),
            models.CheckConstraint(condition=Q(severity__gte=1, severity__lte=5), name="episode_severity"),
            models.CheckConstraint(
                condition=Q(began_at__lte=F("opened_at"), opened_at__lte=F("last_at"), count__gte=1),
                name="episode_in_order",
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ending="") | (Q(ended_at__isnull=False) & ~Q(ending="")),
                name="episode_ends_somehow",
            ),
            models.CheckConstraint(
                condition=Q(ending__in=[it.value for it in Ending], standing__in=[it.value for it in Standing]),
                name="episode_words",
            ),
        ]
        indexes = [
            models.Index(fields=["attention", "opened_at"], name="episode_by_attention"),
            models.Index(fields=["machine", "opened_at"], name="episode_of_machine"),
            models.Index(fields=["shelved_until"], name="episode_by_shelf"),
        ]

    def __str__(self):
        return f"{self.machine.name} {self.opened_at.isoformat()} {self.state.label}"

    def get_absolute_url(self) -> str:
        return reverse("alarm", args=[self.pk])

    @property
    def state(self) -> FaultType:
        return FaultType(self.fault_type)

    def stage(self, now: datetime | None = None) -> Stage:
        """What it is to people at an instant, by default now."""
        if not self.live:
            return Stage.WITHDRAWN
        return stage_of(Standing(self.standing), self.shelved_until, Ending(self.ending), now or timezone.now())

    @property
    def is_active(self) -> bool:
        return self.ended_at is None


class EpisodeAct(models.Model):
    """What a person did about an episode; written once by diagnosis/storage/acts.py, never changed or deleted.

    `episode` is the one that was on the screen, `about` the instant of its newest diagnosis then: when late data move
    episodes, the act counts for the one in which `about` lies.
    """

    class Verdict(models.TextChoices):
        RIGHT = "right", _("right alarm")
        FALSE = "false", _("false alarm")
        UNCLEAR = "unclear", _("could not tell")

    KINDS = [
        (Kind.ACKNOWLEDGE.value, _("acknowledged")),
        (Kind.SHELVE.value, _("shelved")),
        (Kind.UNSHELVE.value, _("taken from the shelf")),
        (Kind.NOTE.value, pgettext_lazy("act", "noted")),
        (Kind.CLOSE.value, pgettext_lazy("act", "closed")),
    ]

    episode = models.ForeignKey(Episode, verbose_name=_("episode"), on_delete=models.PROTECT, related_name="acts")
    machine = models.ForeignKey(Machine, verbose_name=_("machine"), on_delete=models.PROTECT, related_name="+")
    family = ExactCharField(_("model"), max_length=100, blank=True)
    about = models.DateTimeField(_("about"))
    kind = models.CharField(_("act"), max_length=12, choices=KINDS)
    number = models.PositiveIntegerField(null=True)  # among those of the episode, from 1; notes have none
    revision = models.PositiveIntegerField()  # of the episode, after it
    at = models.DateTimeField(_("time"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("person"), null=True, on_delete=models.SET_NULL, related_name="+"
    )
    by_name = models.CharField(_("person"), max_length=150)  # stays when the user is deleted
    address = models.GenericIPAddressField(_("address"), null=True)
    comment = models.TextField(_("comment"), blank=True, max_length=2000)
    minutes = models.PositiveIntegerField(_("shelved for (min)"), null=True)
    covers_to = models.DateTimeField(null=True)  # of a closing: later diagnoses are another episode's
    verdict = models.CharField(pgettext_lazy("of an episode", "outcome"), max_length=10, blank=True, choices=Verdict)
    found = models.SmallIntegerField(_("fault found"), null=True, choices=FOUND)
    action = models.TextField(_("action taken"), blank=True, max_length=2000)

    objects = EpisodeActQuerySet.as_manager()

    class Meta:
        db_table = "diagnosis_episode_act"
        verbose_name = _("act")
        verbose_name_plural = _("acts")
        default_permissions = ("add", "view")
        constraints = [
            # Of two at once the second is refused, whatever way it comes.
            models.UniqueConstraint(fields=["episode", "number"], name="act_once"),
            models.CheckConstraint(
                condition=Q(kind=Kind.NOTE.value, number__isnull=True)
                | Q(
                    kind__in=[Kind.ACKNOWLEDGE.value, Kind.SHELVE.value, Kind.UNSHELVE.value, Kind.CLOSE.value],
                    number__isnull=False,
                    number__gte=1,
                ),
                name="act_kind",
            ),
            models.CheckConstraint(
                condition=Q(
                    kind=Kind.SHELVE.value, minutes__isnull=False, minutes__gte=1, minutes__lte=MOST_SHELVED_MIN
                )
                & ~Q(comment="")
                | ~Q(kind=Kind.SHELVE.value) & Q(minutes__isnull=True),
                name="act_shelves_for_a_reason_and_a_time",
            ),
            models.CheckConstraint(
                condition=~Q(kind=Kind.NOTE.value) | ~Q(comment=""),
                name="act_note_says_something",
            ),
            models.CheckConstraint(
                condition=(
                    Q(kind=Kind.CLOSE.value, covers_to__isnull=False)
                    & (
                        Q(verdict="right", found__isnull=False, found__lte=max(FaultType.values))
                        & (Q(found=OTHER_FAULT) | Q(found__gt=FaultType.NORMAL))
                        | Q(verdict="false", found__isnull=False, found=FaultType.NORMAL)
                        | Q(verdict="unclear", found__isnull=True)
                    )
                )
                | (~Q(kind=Kind.CLOSE.value) & Q(covers_to__isnull=True, verdict="", found__isnull=True, action="")),
                name="act_closes_with_an_outcome",
            ),
        ]
        indexes = [models.Index(fields=["machine", "family", "about"], name="act_about")]

    def __str__(self):
        return f"{self.by_name}: {self.get_kind_display()} {timezone.localtime(self.at):%Y-%m-%d %H:%M}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("What a person did is not changed. Add another act.")
        super().save(*args, **kwargs | {"force_insert": True})

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("What a person did is not deleted.")

    @property
    def shelved_until(self) -> datetime | None:
        return None if self.minutes is None else self.at + timedelta(minutes=self.minutes)


class EpisodeTail(models.Model):
    """Where the diagnoses of one machine by one family of models stand: what the next one is added to."""

    pk = models.CompositePrimaryKey("machine", "family")
    machine = models.ForeignKey(Machine, on_delete=models.CASCADE, related_name="+", db_index=False)
    family = ExactCharField(max_length=100, blank=True)
    rule = models.CharField(max_length=20)
    last_at = models.DateTimeField()
    last_model = ExactCharField(max_length=100, blank=True)
    window = models.JSONField()  # the last diagnoses: instant, model, state, confidence
    normals = models.PositiveIntegerField()
    is_active = models.BooleanField()  # whether an episode is open
    closed_up_to = models.DateTimeField(null=True)  # diagnoses up to here belong to what was closed

    class Meta:
        db_table = "diagnosis_episode_tail"
        default_permissions = ()

    def __str__(self):
        return f"{self.machine.name} {self.family}"
