"""The spectrum of a signal as it is looked at: which resolution, window and quantity, and which part of it."""

import math
from dataclasses import dataclass, replace

import numpy as np

from vibration.numbers.peaks import Gain, Peak, peaks_of
from vibration.numbers.spectrum import NoSpectrum, Spectrum
from vibration.numbers.windows import HANN, Window
from vibration.signals.reasons import Reason
from vibration.signals.spectra import RESOLUTION_HZ, envelope_spectrum_of, spectrum_of
from vibration.signals.units import Unit
from vibration.signals.velocity import velocity_gain, velocity_spectrum

MEASURED, VELOCITY = "measured", "velocity"
QUANTITIES = [MEASURED, VELOCITY]


@dataclass(frozen=True)
class Look:
    """How a spectrum is looked at."""

    resolution_hz: float | None = None  # None: RESOLUTION_HZ, and of the envelope as fine as the signal is long
    window: Window = HANN
    envelope: bool = False
    quantity: str = MEASURED
    low_hz: float = 0.0
    high_hz: float = math.inf


@dataclass(frozen=True)
class Shown:
    """A spectrum of one column, and what stands out of the part of it that is looked at."""

    measured: Spectrum  # in the unit of the signal
    spectrum: Spectrum  # in `unit`: the same, or that of the velocity
    unit: Unit
    gain: Gain | None  # from the amplitudes of one to those of the other; None: they are the same
    low_hz: float
    high_hz: float
    left_out_below_hz: float  # of a velocity; 0: nothing is left out
    peaks: list[Peak]

    def moved(self, seconds: float) -> "Shown":
        """The same, of a signal that is a part of another which began so much earlier."""
        start, end = self.spectrum.start + seconds, self.spectrum.end + seconds
        return replace(self, spectrum=replace(self.spectrum, start=start, end=end))


def shown_of(values: np.ndarray, sampling_hz: float, unit: Unit, look: Look) -> Shown:
    """The spectrum of values float64 (n,), evenly sampled.

    Raises NoSpectrum with its reason, with that of a unit that has no velocity too; ValueError for the velocity of an
    envelope, which is no vibration.
    """
    if look.envelope and look.quantity == VELOCITY:
        raise ValueError("An envelope has no velocity.")
    if look.envelope:
        measured = envelope_spectrum_of(values, sampling_hz, look.resolution_hz, look.window)
    else:
        measured = spectrum_of(values, sampling_hz, look.resolution_hz or RESOLUTION_HZ, look.window)
    spectrum, gain, lowest = measured, None, 0.0
    if look.quantity == VELOCITY:
        velocity = velocity_spectrum(measured, unit)
        if velocity is None:
            raise NoSpectrum(Reason.UNIT.value)
        (spectrum, lowest), gain, unit = velocity, velocity_gain(unit), Unit.MM_S
    low = max(look.low_hz, lowest)
    peaks = peaks_of(measured, 0, low_hz=low, high_hz=look.high_hz, gain=gain)
    return Shown(measured, spectrum, unit, gain, low, look.high_hz, lowest, peaks)
