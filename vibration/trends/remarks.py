"""What is to be known of a trend or a waterfall before it is read: in codes, which the pages say in words."""

from enum import StrEnum
from typing import NamedTuple


class Code(StrEnum):
    """The value is how the API tells it."""

    NONE = "none"  # no capture in the span
    BEFORE_FIRST = "before_first"  # the span begins before the first capture of the axis, `first`
    CONVERTED = "converted"  # `captures` in `unit`, turned into that of the others
    OTHER_UNIT = "other_unit"  # `captures` in `unit`, which can't be: they are left out
    RATES = "rates"  # sampled at `first_hz` at the beginning and at `last_hz` at the end
    NOT_ASSESSABLE = "not_assessable"  # `points` have no value; `reason`: why the newest of them has none
    THINNED = "thinned"  # the first of each `every_s` seconds is shown
    NO_OUTLINE = "no_outline"  # `captures` have no outline: a flat signal, or samples removed but for one a day


class Remark(NamedTuple):
    code: Code
    numbers: dict[str, float | str]
