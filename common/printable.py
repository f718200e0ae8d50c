"""Text from outside, made safe to show on a terminal, in a log or in a file."""

import unicodedata


def printable(text: object, *, keep: str = "") -> str:
    r"""`text` with an escape such as `\x1b` for each character that is not simply seen, but for those to `keep`.

    Control characters move the cursor, rename the window or answer in the reader's place, marks of direction turn a
    name around, and a half of a character (of a file name that is no UTF-8) can't be written at all.
    """
    text = str(text)
    if text.isprintable():
        return text
    return "".join(letter if letter in keep or _is_seen(letter) else _escaped(letter) for letter in text)


def _is_seen(letter: str) -> bool:
    return letter.isprintable() or unicodedata.category(letter) == "Zs"  # such as the wide space of Korean text


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode()
