"""Who wants to be told of what, and what is to be sent to whom."""

import secrets

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from common.database.fields import ExactCharField
from diagnosis.models.episodes import Episode
from machines.models import Machine


class Transition(models.TextChoices):
    """What people are told of."""

    OPENED = "opened", _("opened")
    WORSENED = "worsened", _("worsened")
    CLEARED = "cleared", _("cleared")
    UNSHELVED = "unshelved", _("shelving ended")
    SILENT = "silent", _("machine silent")


def new_secret() -> str:
    """What the webhooks of a subscription are signed with."""
    return secrets.token_urlsafe(32)


class Subscription(models.Model):
    """What one person wants to be told of, and where."""

    class Channel(models.TextChoices):
        EMAIL = "email", _("e-mail")
        WEBHOOK = "webhook", _("webhook")
        APPRISE = "apprise", _("messenger")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("user"), on_delete=models.CASCADE, related_name="subscriptions"
    )
    channel = models.CharField(_("channel"), max_length=10, choices=Channel)
    # May hold a password or a token of a messenger
    target = models.CharField(pgettext_lazy("of a subscription", "address"), max_length=500, blank=True)
    secret = models.CharField(max_length=64, default=new_secret, editable=False)
    machines = models.ManyToManyField(
        Machine, verbose_name=_("machines"), blank=True, related_name="+", help_text=_("None chosen: all.")
    )
    least_severity = models.SmallIntegerField(
        _("least severity"), default=1, validators=[MinValueValidator(1), MaxValueValidator(5)]
    )
    transitions = models.JSONField(_("told of"), default=list)  # values of Transition; empty: all
    # Plant time; both or none. From 22 to 6 is the night shift.
    from_hour = models.PositiveSmallIntegerField(_("from hour"), null=True, blank=True)
    to_hour = models.PositiveSmallIntegerField(_("to hour"), null=True, blank=True)
    language = models.CharField(
        _("language"), max_length=5, choices=[("ko", _("Korean")), ("en", _("English"))], default="ko"
    )
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        db_table = "diagnosis_subscription"
        verbose_name = _("subscription")
        verbose_name_plural = _("subscriptions")
        constraints = [
            models.CheckConstraint(
                condition=Q(from_hour__isnull=True, to_hour__isnull=True)
                | Q(from_hour__isnull=False, from_hour__lte=23, to_hour__isnull=False, to_hour__lte=24, to_hour__gte=0),
                name="subscription_hours",
            ),
            models.CheckConstraint(
                condition=Q(least_severity__gte=1, least_severity__lte=5), name="subscription_severity"
            ),
        ]

    def __str__(self):
        # In no language: the audit trail keeps it.
        return f"{self.user} #{self.pk}"


class Notice(models.Model):
    """One message to one person about one transition, written in the transaction of the transition itself.

    `manage.py work` sends what is due. A kill between sending and noting that it was sent makes it come twice; `key`
    is the same each time, so that whoever gets it can tell.
    """

    subscription = models.ForeignKey(
        Subscription, verbose_name=_("subscription"), on_delete=models.CASCADE, related_name="notices"
    )
    transition = models.CharField(_("transition"), max_length=10, choices=Transition)
    machine = models.ForeignKey(Machine, verbose_name=_("machine"), on_delete=models.CASCADE, related_name="+")
    episode = models.ForeignKey(
        Episode, verbose_name=_("episode"), null=True, on_delete=models.PROTECT, related_name="notices"
    )
    at = models.DateTimeField(_("time"))  # of the transition, by the data
    key = ExactCharField(_("number"), max_length=100, unique=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    due_at = models.DateTimeField(_("due at"))  # not before; moved on when it is taken up to be sent
    tries = models.PositiveIntegerField(_("tries"), default=0)
    sent_at = models.DateTimeField(_("sent at"), null=True)
    given_up_at = models.DateTimeField(_("given up at"), null=True)
    error = models.CharField(_("error"), max_length=500, blank=True)

    class Meta:
        db_table = "diagnosis_notice"
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        default_permissions = ("view",)
        indexes = [models.Index(fields=["sent_at", "given_up_at", "due_at"], name="notice_due")]

    def __str__(self):
        return f"{self.machine.name}: {self.get_transition_display()} {timezone.localtime(self.at):%Y-%m-%d %H:%M}"


class Chore(models.Model):
    """Something that `manage.py work` does from time to time, and up to which instant it is done.

    Whoever does it holds the lock of its row, so of several workers one does it.
    """

    name = models.CharField(max_length=30, primary_key=True)
    done_up_to = models.DateTimeField()

    class Meta:
        db_table = "diagnosis_chore"
        default_permissions = ()

    def __str__(self):
        return f"{self.name} {self.done_up_to.isoformat()}"
