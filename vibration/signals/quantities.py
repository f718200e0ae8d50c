"""The features that are followed over time, and what each is measured in."""

from enum import StrEnum

from vibration.signals.features import BAND_NAMES, ORDER_NAMES
from vibration.signals.units import Unit


class Scale(StrEnum):
    """What the values of a quantity are in."""

    SIGNAL = "signal"  # the unit of the signal
    VELOCITY = "mm/s"
    FREQUENCY = "Hz"
    NUMBER = ""


_SIGNAL = ("rms", "peak", "mean", *ORDER_NAMES, *BAND_NAMES, "envelope_peak")
# By the name of the feature. In this order they are stored together, see vibration/trends/extremes.py.
QUANTITIES: dict[str, Scale] = {
    **dict.fromkeys(_SIGNAL, Scale.SIGNAL),
    **dict.fromkeys(("crest_factor", "kurtosis"), Scale.NUMBER),
    "velocity_rms": Scale.VELOCITY,
    **dict.fromkeys(("shaft_hz", "envelope_hz"), Scale.FREQUENCY),
}


def unit_of_quantity(name: str, unit: Unit) -> str:
    """What the values of a quantity are in, of a signal in this unit; "" for a number, and where it is not known."""
    scale = QUANTITIES[name]
    return unit.value if scale == Scale.SIGNAL else scale.value
