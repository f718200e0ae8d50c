"""Patterns of file names, e.g. `{machine}_{sensor}_{start}`."""

import re
from collections.abc import Callable, Iterator
from functools import cache

from common.printable import printable
from vibration.files.name_stamps import MASK, stamps_in

PLACEHOLDERS: dict[str, Callable[[str], bool]] = {  # and what may stand there, of a name whose stamps are masked
    "machine": lambda part: bool(part) and MASK not in part,
    "sensor": lambda part: bool(part) and MASK not in part,
    "recording": bool,
    "axis": lambda part: bool(part) and MASK not in part,
    "start": lambda part: bool(part) and not part.strip(MASK),
}
OF_RECORDINGS = ("machine", "sensor", "recording", "start")
OF_CAPTURES = ("machine", "sensor", "axis", "start")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_SUFFIX = re.compile(r"\.(csv|txt|tsv|dat|lvm|wav|parquet|tdms|mat|h5|hdf5)(\.gz)?$", re.IGNORECASE)
Span = tuple[int, int]


class BadPattern(ValueError):
    """A pattern of names that can't be, or says again what was said; the message says why."""


class NamePattern:
    """Where a name can be cut in several ways, the parts further left are as long as can be. Raises BadPattern.

    `known` are the placeholders that it may have.
    """

    def __init__(self, text: str, known: tuple[str, ...] = OF_RECORDINGS):
        self.text, self.known = text, known
        self._literals, self.names = _PLACEHOLDER.split(text)[::2], _PLACEHOLDER.findall(text)
        _check(text, self._literals, self.names, known)

    def __str__(self) -> str:
        return self.text

    def cut(self, name: str) -> dict[str, Span] | None:
        """Where the placeholders stand in a name whose stamps are masked; None if it is not like the pattern."""

        @cache  # so each place is tried once, however often the text between stands in the name
        def rest(number: int, start: int) -> tuple[Span, ...] | None:
            """Where the placeholders from this one on stand, which begins there."""
            for end in self._ends(name, number, start):
                if PLACEHOLDERS[self.names[number]](name[start:end]):
                    if number == len(self.names) - 1:
                        return ((start, end),)
                    if found := rest(number + 1, end + len(self._literals[number + 1])):
                        return ((start, end), *found)
            return None

        if not name.startswith(self._literals[0]):
            return None
        spans = rest(0, len(self._literals[0]))
        return dict(zip(self.names, spans, strict=True)) if spans else None

    def _ends(self, name: str, number: int, start: int) -> Iterator[int]:
        """Where a placeholder may end: where the text behind it begins, the last one first."""
        literal = self._literals[number + 1]
        if number == len(self.names) - 1:
            if name.endswith(literal):
                yield len(name) - len(literal)
            return
        end = name.rfind(literal, start)
        while end >= start:
            yield end
            end = name.rfind(literal, start, end + len(literal) - 1)


def _check(text: str, literals: list[str], names: list[str], placeholders: tuple[str, ...]) -> None:
    shown = printable(text)
    known = ", ".join(f"{{{name}}}" for name in placeholders)
    if unknown := [name for name in names if name not in placeholders]:
        raise BadPattern(f"'{shown}' has an unknown placeholder {{{printable(unknown[0])}}}; there are {known}")
    if {"{", "}"} & set("".join(literals)):
        raise BadPattern(f"'{shown}' has a brace that belongs to no placeholder; there are {known}")
    if not names:
        raise BadPattern(f"'{shown}' has no placeholder; there are {known}")
    if twice := [name for name in placeholders if names.count(name) > 1]:
        raise BadPattern(f"'{shown}' has {{{twice[0]}}} more than once")
    if "" in literals[1:-1]:
        left = literals.index("", 1, -1)
        pair = f"{{{names[left - 1]}}}{{{names[left]}}}"
        raise BadPattern(f"'{shown}' has no text between the two of {pair}: where one ends can't be known")
    if end := _SUFFIX.search(literals[-1]):
        raise BadPattern(f"'{shown}' is matched with the name without {end[0]}; leave that out")
    if stamps := [stamp for literal in literals for stamp in stamps_in(literal)]:
        stands = "{start} or {recording}" if "recording" in placeholders else "{start}"
        raise BadPattern(f"'{shown}' has the time stamp {stamps[0].text}; write {stands} for it")
