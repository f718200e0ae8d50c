"""The units that a signal may have, in the many ways that files and people write them."""

import re
import unicodedata
from enum import StrEnum

STANDARD_GRAVITY = 9.80665  # m/s2, by definition


class Unit(StrEnum):
    """Of the values of a signal; the value is how it is stored."""

    M_S2 = "m/s2"
    G = "g"
    MM_S = "mm/s"
    UNKNOWN = ""


class UnknownUnit(ValueError):
    """No unit of an acceleration or a velocity that is known; the message says what was found and what is known."""


# What one of each is in SI, m/s2 of an acceleration and m/s of a velocity
SI_FACTOR = {Unit.M_S2: 1.0, Unit.G: STANDARD_GRAVITY, Unit.MM_S: 1e-3}
ACCELERATIONS = (Unit.M_S2, Unit.G)

# As _plain writes them
SPELLINGS = {
    Unit.M_S2: [
        "m/s2",
        "m/s^2",
        "m/s**2",
        "m/s/s",
        "m/(s2)",
        "m/(s^2)",
        "ms-2",
        "ms^-2",
        "m*s-2",
        "m*s^-2",
        "m/sec2",
        "m/sec^2",
        "m/sec/sec",
        "mps2",
    ],
    Unit.G: ["g", "gn", "g0", "g_n", "g_0", "gee", "gees", "gs", "g's"],
    Unit.MM_S: ["mm/s", "mm/sec", "mm/second", "mms-1", "mms^-1", "mm*s-1", "mm*s^-1", "mmps"],
    Unit.UNKNOWN: ["", "-", "?", "unknown"],
}
OF_SPELLING = {spelling: unit for unit, spellings in SPELLINGS.items() for spelling in spellings}

# What is refused by a reason of its own; the rest is told as not known
REFUSED = {
    "displacement": ["um", "mm", "m", "mil", "mils", "in", "inch", "nm", "micron", "microns"],
    "a voltage, which becomes an acceleration by the sensor's sensitivity": ["v", "mv", "uv", "volt", "volts"],
    "the counts of a converter, which need a scale": ["count", "counts", "lsb", "adc", "raw"],
}
OF_REFUSED = {spelling: reason for reason, spellings in REFUSED.items() for spelling in spellings}
SUMMED = re.compile(r"(rms|eff|peak|pk|p-p|pp|0-p)$")  # of a figure that sums up a signal


def unit_of(text: str) -> Unit:
    """The unit that a text names, such as "m/s²", "[g]" or "mm/sec"; nothing, "-" and "unknown" are UNKNOWN.

    "g" is the acceleration of gravity: vibration is not told in grams. Raises UnknownUnit.
    """
    plain = _plain(text)
    if plain in OF_SPELLING:
        return OF_SPELLING[plain]
    if plain in OF_REFUSED:
        raise UnknownUnit(f"{text!r} is {OF_REFUSED[plain]}. {_known()}")
    if SUMMED.search(plain):
        raise UnknownUnit(f"{text!r} is of a figure such as an RMS, not of the samples of a signal. {_known()}")
    raise UnknownUnit(f"{text!r} is no unit that is known. {_known()}")


def factor_between(one: Unit, other: Unit) -> float | None:
    """What values in one unit are multiplied by to be in the other; None where they do not measure the same."""
    if one == other:
        return 1.0
    return SI_FACTOR[one] / SI_FACTOR[other] if {one, other} <= set(ACCELERATIONS) else None


def _known() -> str:
    known = ", ".join(repr(unit.value) for unit in Unit if unit)
    return f"A signal is in one of {known}, or its unit is left empty where it is not known."


def _plain(text: str) -> str:
    """In small letters without blanks and brackets; raised digits and signs as plain ones, other dots as "*"."""
    # NFKC makes ² a 2, ⁻ a minus, and the Korean ㎨, ㎜ and ㎍ what they stand for.
    plain = unicodedata.normalize("NFKC", text).strip().casefold()
    plain = plain.translate({0x2212: "-", 0x2215: "/", 0x2044: "/", 0xB7: "*", 0x22C5: "*", 0x3BC: "u", 0xB5: "u"})
    plain = re.sub(r"\s+", "", plain)
    while len(plain) > 1 and (plain[0], plain[-1]) in {("[", "]"), ("(", ")"), ("<", ">"), ("{", "}")}:
        plain = plain[1:-1]
    return plain
