"""Time stamps in file names, as loggers write them: 20260305_090000, 2026-03-05 09_00_00."""

import re
from dataclasses import dataclass

MASK = "\0"  # which no name of a file has
_STAMP = re.compile(
    r"""
    (?<!\d)
    (?P<year>(?:19|20)\d\d) (?P<between>[-_.\ ]?) (?P<month>0[1-9]|1[0-2]) (?P=between) (?P<day>0[1-9]|[12]\d|3[01])
    (?:
        (?:[T_.\ -]|\ -\ )?
        (?P<hour>[01]\d|2[0-3]) (?P<colon>[-_.:\ ]?) (?P<minute>[0-5]\d)
        (?: (?P=colon) (?P<second>[0-5]\d) )?
        (?P<utc>Z)?
    )?
    (?!\d)
    """,
    re.VERBOSE | re.ASCII | re.IGNORECASE,
)
# With a year of two digits: seen, so that no machine is called so, but which of them is the year can't be known.
_SHORT_STAMP = re.compile(r"(?<!\d)\d{6}[T_.\ -](?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d)?(?!\d)", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True)
class NameStamp:
    """Where a stamp stands in a name, and the time as ISO text if it is one of day and time of day."""

    text: str
    start: int
    end: int
    iso: str | None


def stamps_in(name: str) -> list[NameStamp]:
    """The stamps of a name, from left to right; none overlaps another."""
    found = [NameStamp(match[0], *match.span(), _iso(match)) for match in _STAMP.finditer(name)]
    hidden = masked(name, found)
    found += [NameStamp(match[0], *match.span(), None) for match in _SHORT_STAMP.finditer(hidden)]
    return sorted(found, key=lambda stamp: stamp.start)


def masked(name: str, stamps: list[NameStamp]) -> str:
    """The name with a mask in the place of each character of a stamp."""
    for stamp in stamps:
        name = name[: stamp.start] + MASK * (stamp.end - stamp.start) + name[stamp.end :]
    return name


def _iso(match: re.Match) -> str | None:
    if match["hour"] is None:
        return None
    date = f"{match['year']}-{match['month']}-{match['day']}"
    return f"{date}T{match['hour']}:{match['minute']}:{match['second'] or '00'}{'Z' if match['utc'] else ''}"
