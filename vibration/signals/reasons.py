"""Why a feature of a signal is not assessable."""

from enum import StrEnum


class Reason(StrEnum):
    """The value is how it is stored; "" is none, as the feature is there."""

    NONE = ""
    UNIT = "unit"  # that of the signal is not known, or of nothing that has this feature
    RATE = "rate"  # the sampling rate does not cover the frequencies
    SHORT = "short"  # too few samples, or too little time to tell the frequencies apart
    FLAT = "flat"  # all samples are alike
    SPEED = "speed"  # neither the shaft's speed nor the rated one is known
