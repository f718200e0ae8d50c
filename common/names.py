"""Names of things as they are stored: one spelling, bounded, without control characters."""

import math
import unicodedata

from django.db import models

from common.printable import printable


class InvalidName(ValueError):
    """A name that no machine or sensor can have; the message says why."""


def clean_name(name: str, field: models.CharField, what: str = "") -> str:
    """`name` in the form in which it is stored: Unicode NFC (macOS spells file names in NFD), no space around it.

    Raises InvalidName, saying `what` it names, when it is empty, too long for its column or holds control characters.
    """
    what, most = what or field.name, field.max_length or math.inf
    if len(name) > 10 * most:  # before anything looks at each letter of it
        raise InvalidName(f"{what} has {len(name)} characters; at most {most} are allowed")
    name = unicodedata.normalize("NFC", name).strip()
    if not name:
        raise InvalidName(f"{what} is empty")
    if len(name) > most:
        raise InvalidName(f"{what} '{printable(name)}' has {len(name)} characters; at most {most} are allowed")
    if not name.isprintable():
        raise InvalidName(f"{what} {name!r} holds control characters")
    return name
