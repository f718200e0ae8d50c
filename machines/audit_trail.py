"""What is done is noted in the audit trail; himmes/auditing.py adds who did it, and from where."""

from auditlog.cid import get_cid
from auditlog.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import models

Action = LogEntry.Action


def note(action: int, about: models.Model | type[models.Model], what: str, **details) -> LogEntry:
    """One entry of the trail: an action on an instance, or on things of a model, and what it was in words.

    `details` are kept as JSON, beside who did it: values that JSON has.
    """
    pk = about.pk if isinstance(about, models.Model) else None
    return LogEntry.objects.create(
        content_type=ContentType.objects.get_for_model(about),
        object_pk="" if pk is None else str(pk),
        object_id=pk if isinstance(pk, int) else None,
        object_repr=what,
        action=action,
        cid=get_cid(),
        additional_data=details,
    )
