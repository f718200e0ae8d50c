"""The features of a signal, which stay when its samples are removed: pure numbers, no database.

Gravity is no vibration: but for the mean, all are of the values less their mean.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from vibration.numbers.features import features_of as moments_of
from vibration.signals.bands import BANDS_HZ, band_rms
from vibration.signals.envelope import envelope_peak
from vibration.signals.orders import ORDERS, ShaftSource, known_shaft, order_amplitudes, shaft_of
from vibration.signals.reasons import Reason
from vibration.signals.transform import Transform, centred, transform_of
from vibration.signals.units import Unit
from vibration.signals.velocity import velocity_rms

VERSION = 1  # one more with each change of what a feature is: those that are stored are then made anew
MIN_SAMPLES = 16  # fewer have no spectrum


@dataclass(frozen=True)
class Features:
    """Of one signal, in its unit if no other is named. None: not assessable, for the reason beside it."""

    mean: float
    rms: float  # root of the mean of the squares
    peak: float  # the greatest absolute value
    crest_factor: float | None  # peak / RMS; None of a flat signal
    kurtosis: float | None  # 3 of Gaussian noise, 1.5 of a sine; None of a flat signal
    velocity_rms: float | None = None  # mm/s, 10 to 1,000 Hz
    velocity_reason: Reason = Reason.SHORT
    shaft_hz: float | None = None
    shaft_source: ShaftSource = ShaftSource.UNKNOWN
    # The amplitudes (not RMS) of the sines at multiples of shaft_hz
    order_0_5: float | None = None
    order_1_0: float | None = None
    order_1_5: float | None = None
    order_2_0: float | None = None
    order_2_5: float | None = None
    order_3_0: float | None = None
    order_3_5: float | None = None
    order_4_0: float | None = None
    order_4_5: float | None = None
    order_5_0: float | None = None
    orders_reason: Reason = Reason.SHORT
    # RMS from one frequency to the other in Hz; None where half the sampling rate is lower
    band_10_100: float | None = None
    band_100_1000: float | None = None
    band_1000_5000: float | None = None
    band_5000_20000: float | None = None
    envelope_peak: float | None = None  # the amplitude of the strongest swing of the high band's envelope
    envelope_hz: float | None = None  # its frequency; None, too, where it does not stand out of the noise
    envelope_reason: Reason = Reason.SHORT


ORDER_NAMES = tuple(f"order_{order:.1f}".replace(".", "_") for order in ORDERS)
BAND_NAMES = tuple(f"band_{low}_{high}" for low, high in BANDS_HZ)


def features_of(
    values: np.ndarray, sampling_hz: float, unit: str, rpm: float | None = None, rated_rpm: float | None = None
) -> Features:
    """Of finite values (n,), n > 0, of any type, evenly sampled, up to 1e100; the unit is one of Unit.

    The speeds are in revolutions a minute, `rpm` as measured beside the signal. A flat signal has no velocity, orders,
    bands and envelope. Raises ValueError without a value, and for a unit or a sampling rate that is none.
    """
    return features_and_transform(values, sampling_hz, unit, rpm, rated_rpm)[0]


def features_and_transform(
    values: np.ndarray, sampling_hz: float, unit: str, rpm: float | None = None, rated_rpm: float | None = None
) -> tuple[Features, Transform | None]:
    """Those of `features_of`, and the transform that they are of; None of a flat signal, and of one that is short."""
    if not len(values) or not sampling_hz > 0:
        raise ValueError(f"{len(values)} samples at {sampling_hz!r} Hz have no features.")
    known_unit = Unit(unit)
    deviations, mean = centred(values)
    found = {"mean": mean} | asdict(moments_of(deviations[:, None])[0])
    if len(values) < MIN_SAMPLES:
        return Features(**found, **_no_spectrum(Reason.SHORT, rpm, rated_rpm)), None
    if not found["peak"]:
        return Features(**found, **_no_spectrum(Reason.FLAT, rpm, rated_rpm)), None
    transform = transform_of(deviations, sampling_hz)
    return Features(**found, **_of_spectrum(transform, known_unit, rpm, rated_rpm)), transform


def _no_spectrum(reason: Reason, rpm: float | None, rated_rpm: float | None) -> dict[str, Any]:
    shaft = known_shaft(rpm, rated_rpm)
    reasons = dict.fromkeys(("velocity_reason", "orders_reason", "envelope_reason"), reason)
    return {"shaft_hz": shaft.hz, "shaft_source": shaft.source, **reasons}


def _of_spectrum(transform: Transform, unit: Unit, rpm: float | None, rated_rpm: float | None) -> dict[str, Any]:
    velocity, velocity_reason = velocity_rms(transform, unit)
    shaft = shaft_of(transform, rpm, rated_rpm)
    orders, orders_reason = order_amplitudes(transform, shaft.hz)
    envelope, envelope_reason = envelope_peak(transform)
    return {
        "velocity_rms": velocity,
        "velocity_reason": velocity_reason,
        "shaft_hz": shaft.hz,
        "shaft_source": shaft.source,
        **dict(zip(ORDER_NAMES, orders, strict=True)),
        "orders_reason": orders_reason,
        **dict(zip(BAND_NAMES, band_rms(transform), strict=True)),
        "envelope_peak": envelope.amplitude if envelope else None,
        "envelope_hz": envelope.hz if envelope else None,
        "envelope_reason": envelope_reason,
    }
