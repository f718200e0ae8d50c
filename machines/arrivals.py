"""What a post that has just arrived says about its sender's clock."""

import logging
import re
from collections.abc import Sequence
from datetime import UTC, timedelta

import numpy as np
from django.utils import timezone
from rest_framework.request import Request

from common.database.errors import DATABASE_ERRORS
from machines.clocks import note_clock

logger = logging.getLogger(__name__)
# Clocks that are kept right differ by less, and a post takes its time; what still lies ahead counts a moment later.
AHEAD = timedelta(seconds=5)
_OFFSET = re.compile(r"(?:Z|[+-]\d\d(?::?\d\d)?)\Z", re.ASCII | re.IGNORECASE)
_DATE = len("2026-11-20")


def poster_of(request: Request) -> str:
    """Who posts, for people: the user, and the name of the token if a program posts."""
    token = getattr(request.auth, "name", "")
    return " / ".join(filter(None, [request.user.get_username(), token]))


def notes_on_times(sent: Sequence, columns: dict, field: str, *, data: str, poster: str) -> list[str]:
    """What to tell the poster of the times in `field`: which lie ahead of the server's clock, and that his own lags.

    `sent` is what came for that field in each row, `columns` what `read_rows` made of the rows. Looked at is the newest
    time of each machine, or of each sensor where rows name one. To be called after the rows are stored, see
    `note_clock`.
    """
    now = timezone.now()
    instants = columns[field]
    sensors = columns.get("sensor_no") or [""] * len(sent)
    places = list(zip(columns["machine_name"], sensors, strict=True))
    notes = []
    for (machine, sensor), row in sorted(_newest_rows(places, instants).items()):
        instant = instants[row].item().replace(tzinfo=UTC)
        said = sent[row]
        if instant > now + AHEAD:
            notes.append(_ahead(field, said, machine, instant - now))
        source = ": ".join(filter(None, [poster, sensor]))
        came_without_offset = None if _has_offset(said) else instant
        try:
            told = note_clock(machine, came_without_offset, data=data, source=source, now=now)
        except DATABASE_ERRORS as error:  # the rows are stored, and whoever sent them is to be told so
            logger.warning("How late the times of %s come can't be noted: %s", machine, error)
            break
        if told:
            notes.append(told)
    return notes


def _newest_rows(places: list[tuple[str, str]], instants: np.ndarray) -> dict[tuple[str, str], int]:
    """The row with the newest of the instants, datetime64[us] (n,), of each place that has any; the last of several."""
    given = np.flatnonzero(~np.isnat(instants))
    rising = given[np.argsort(instants[given], kind="stable")].tolist()
    if len(set(places)) == 1:  # as in most lists
        return {places[0]: rising[-1]} if rising else {}
    return {places[row]: row for row in rising}


def _ahead(field: str, said: str, machine: str, ahead: timedelta) -> str:
    return (
        f"{field} {said} of machine {machine} is {ahead.total_seconds():,.0f} s ahead of the server's clock; it is "
        "stored, and counts from then on. Is the sender's clock right?"
    )


def _has_offset(said: str) -> bool:
    """Whether a text that TimeField took names its offset."""
    return bool(_OFFSET.search(said.strip(), _DATE))
