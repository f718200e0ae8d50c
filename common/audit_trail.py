"""What is done is noted in the audit trail; himmes/audit/trail.py adds who did it, and from where."""

import json
import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from auditlog.cid import get_cid
from auditlog.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import models

from common.database.bookkeeping import refused

logger = logging.getLogger(__name__)
Action = LogEntry.Action


def note(action: int, about: models.Model | type[models.Model], what: str, **details: Any) -> LogEntry:
    """One entry of the trail: an action on an instance, or on things of a model, and what it was in words.

    `details` are kept as JSON, beside who did it: values that JSON has.
    """
    entry = _entry(action, about, what, details)
    entry.save()
    return entry


def note_read(about: models.Model | type[models.Model], what: str, **details: Any) -> None:
    """The entry of what somebody reads; it goes to the log, all of it, while the database takes no writes.

    A replica or a full disk is when data is needed elsewhere, so it is not refused then; the log says the same of it.
    """
    entry = _entry(Action.ACCESS, about, what, details)
    if error := refused(entry.save):
        said = {"what": what, "about": about._meta.label, "from": entry.remote_addr} | entry.additional_data
        logger.warning("Not in the audit trail, as the database takes no writes (%s): %s", error, json.dumps(said))


def _entry(action: int, about: models.Model | type[models.Model], what: str, details: dict) -> LogEntry:
    pk = about.pk if isinstance(about, models.Model) else None
    return LogEntry(
        content_type=ContentType.objects.get_for_model(about),
        object_pk="" if pk is None else str(pk),
        object_id=pk if isinstance(pk, int) else None,
        object_repr=what,
        action=action,
        cid=get_cid(),
        additional_data=details,
    )


def author_of(entry: LogEntry) -> str | None:
    """Who did it: a person, his token with him, or a command and whose process it was."""
    data = entry.additional_data or {}
    if name := data.get("actor") or (entry.actor and entry.actor.get_username()):
        return f"{name} / {data['token']}" if "token" in data else name
    if "command" in data:
        return f"{data.get('system_user')}: {data['command']}"
    return None


def changers(rows: Iterable[tuple[str, str]], *, since: datetime) -> list[str]:
    """Who has made, changed or deleted one of these rows (label of its model, number) since then, as far as known."""
    entries = LogEntry.objects.filter(timestamp__gte=since).exclude(action=Action.ACCESS).select_related("actor")
    found = [
        author_of(entry)
        for label, pk in rows
        for entry in entries.filter(
            content_type__app_label=label.split(".")[0], content_type__model=label.split(".")[1]
        )
        .filter(object_pk=pk)
        .order_by("pk")
    ]
    return list(dict.fromkeys(filter(None, found)))
