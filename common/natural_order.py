"""Natural order of names: g2 before g10."""

import re


def natural(name: str) -> tuple:
    """A key to sort names by: numbers in them count as numbers, capital letters as small ones."""
    # A text stands at each even position and a number at each odd one, so that like is compared with like.
    parts = re.split(r"(\d+)", name, flags=re.ASCII)
    return tuple(int(part) if position % 2 else part.casefold() for position, part in enumerate(parts)), name
