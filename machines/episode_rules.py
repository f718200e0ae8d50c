"""The rule by which diagnoses of a machine open and clear an episode: pure, no Django."""

import re
from dataclasses import dataclass
from functools import cache

_FORM = re.compile(r"(\d{1,3})/(\d{1,3})/(\d{1,3})", re.ASCII)
MOST_OF, MOST_CLEAR = 20, 100


@dataclass(frozen=True)
class Rule:
    """Opens after `open_after` faults among the last `open_of` diagnoses; clears after `clear_after` normal ones."""

    open_after: int = 2
    open_of: int = 3
    clear_after: int = 5

    def __str__(self) -> str:
        return f"{self.open_after}/{self.open_of}/{self.clear_after}"

    @property
    def settled_after(self) -> int:
        """So many normal diagnoses in a row leave nothing of what was before: no open episode, no fault that counts."""
        return max(self.open_of, self.clear_after)


@cache
def read_rule(text: str) -> Rule:
    """The rule written as `2/3/5`. Raises ValueError, with what to write, for any other text."""
    if not (found := _FORM.fullmatch(text)):
        raise ValueError(f"'{text}' is not a rule such as 2/3/5")
    open_after, open_of, clear_after = map(int, found.groups())
    if not 1 <= open_after <= open_of <= MOST_OF:
        raise ValueError(f"'{text}': the first number must be from 1 to the second one, which is {MOST_OF} at most")
    if not 1 <= clear_after <= MOST_CLEAR:
        raise ValueError(f"'{text}': the third number must be from 1 to {MOST_CLEAR}")
    return Rule(open_after, open_of, clear_after)
