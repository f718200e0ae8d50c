"""Lengths of time, as commands accept them."""

import re
from datetime import timedelta

_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


def read_duration(text: str) -> timedelta:
    """`12h`, `90d` or `2w`. Raises ValueError, with what to write, when the text is none of these."""
    if not (found := re.fullmatch(r"(\d{1,5})([hdw])", text, re.ASCII)):
        raise ValueError(f"'{text}' is not a length of time such as 12h, 90d or 2w")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})
