"""A record of each import of a file."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from vibration.models.recordings import Recording


class ImportRun(models.Model):
    """The import of one file. It stays when its recording is deleted."""

    class Outcome(models.TextChoices):
        UNFINISHED = "unfinished", _("not finished: running, or killed")
        COMPLETE = "complete", _("complete")
        PROBLEMS = "problems", _("complete but for conflicting or rejected rows")
        STOPPED = "stopped", _("stopped at a rejected row")
        INTERRUPTED = "interrupted", _("interrupted")
        FAILED = "failed", _("failed")

    class Kind(models.TextChoices):
        """What the file holds, and its counts count."""

        SAMPLES = "samples", _("vibration data")
        CAPTURES = "captures", _("captures")

    started_at = models.DateTimeField(_("started at"), auto_now_add=True)
    started_by = models.CharField(_("started by"), max_length=150)
    # Known to the database too: the version before this one goes on while the new one is put in.
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.SAMPLES, db_default=Kind.SAMPLES.value)
    file_name = models.CharField(_("file"), max_length=255)
    file_size = models.BigIntegerField(_("size (bytes)"))
    sha256 = models.CharField("SHA-256", max_length=64)
    recording = models.ForeignKey(
        Recording, verbose_name=_("recording"), null=True, on_delete=models.SET_NULL, related_name="import_runs"
    )
    place = models.CharField(_("machine / sensor / recording"), max_length=180)
    new = models.BigIntegerField(_("new"), default=0)
    identical = models.BigIntegerField(_("identical"), default=0)
    conflicting = models.BigIntegerField(_("conflicting"), default=0)
    rejected = models.BigIntegerField(_("rejected"), default=0)
    seconds = models.FloatField(_("seconds"), default=0)
    outcome = models.CharField(_("outcome"), max_length=12, choices=Outcome, default=Outcome.UNFINISHED)
    message = models.TextField(_("message"), blank=True)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ["-started_at", "-pk"]
        indexes = [
            models.Index(fields=["-started_at"], name="importrun_newest"),
            models.Index(fields=["conflicting"], name="importrun_conflicting"),  # in few runs other than 0
        ]

    def __str__(self):
        return f"{self.file_name} → {self.place}"

    @property
    def read(self) -> int:
        """Rows of the file that were looked at, or captures: each is in exactly one of the four classes."""
        return self.new + self.identical + self.conflicting + self.rejected
