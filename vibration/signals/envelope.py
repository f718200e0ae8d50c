"""How loud the high frequencies of a signal are from instant to instant, and at which rate that swings.

Each blow, of a bearing's rolling over a defect or of a loose foot, lets the machine ring at high frequencies; the
spectrum of the envelope shows how often it is struck (R. B. Randall and J. Antoni, Rolling element bearing diagnostics:
a tutorial, Mechanical Systems and Signal Processing 25, 2011, 485-520).
"""

from dataclasses import dataclass

import numpy as np

from vibration.numbers.peaks import tone_at
from vibration.signals.reasons import Reason
from vibration.signals.transform import Transform, centred, quick_length, transform_of

# The band whose envelope it is: from LOW_SHARE of the sampling rate, but above what shafts and gears excite, to where
# the filter before a converter begins.
LOW_SHARE, LOW_HZ = 1 / 16, 500.0
HIGH_SHARE = 0.45
MIN_RATIO = 2.0  # of the band's ends
# The rates of blows that are looked for
SLOWEST_HZ = 2.0
FASTEST_SHARE = 0.25  # of the band's lower end: several oscillations to a blow
MIN_BINS = 32  # in that range
FIRST_BINS = 3  # which the mean and slow drifts leave their mark on
STANDS_OUT = 5.0  # times the median of the amplitudes: one bin in 2**25 of Gaussian noise does
TONE_BINS = 4  # that a tone takes up to each side
# Short blows have multiples of their rate that are about as high as the rate itself: it is taken where it, or a lower
# multiple, is so much of the highest.
NEARLY, MULTIPLES = 0.7, 5


@dataclass(frozen=True)
class EnvelopePeak:
    """The strongest swing of the envelope, or the one that it is a multiple of."""

    amplitude: float  # in the unit of the signal
    hz: float | None  # None: it does not stand out of the noise


def band_of(sampling_hz: float) -> tuple[float, float] | None:
    """The lower and the upper end in Hz; None where the rate is too low for a band."""
    low, high = max(LOW_HZ, LOW_SHARE * sampling_hz), HIGH_SHARE * sampling_hz
    return (low, high) if high >= MIN_RATIO * low else None


def fastest(sampling_hz: float) -> float:
    """The highest rate of blows in Hz that is looked for."""
    return FASTEST_SHARE * max(LOW_HZ, LOW_SHARE * sampling_hz)


def swings_of(transform: Transform) -> tuple[np.ndarray, float] | None:
    """The envelope of a signal's high band less its mean, float64 (n,) of the scaled samples, and its sampling rate.

    That rate is about 0.8 of the signal's. None where the signal's is too low, or the envelope has no swing at all. The
    envelope is the absolute value of the analytic signal, which has the bins of the band alone, moved down to 0; it is
    given room for twice as many bins, as its square has twice the bandwidth.
    """
    band = band_of(transform.sampling_hz)
    if band is None:
        return None
    bins = transform.bins_within(*band)
    width = bins.stop - bins.start
    if width < MIN_BINS:
        return None
    # The fastest of the lengths from twice the width on that are no longer than the signal
    length = quick_length(min(transform.samples, 2 * width + width // 8))
    spread = np.zeros(length, complex)
    spread[:width] = transform.plain[bins]
    envelope = np.abs(np.fft.ifft(spread)) * (2 * length / transform.samples)
    swings, _mean = centred(envelope)
    return (swings, transform.sampling_hz * length / transform.samples) if swings.any() else None


def envelope_transform(transform: Transform) -> Transform | None:
    """The transform of the envelope of a signal's high band; None where `swings_of` has none."""
    swings = swings_of(transform)
    if swings is None:
        return None
    found = transform_of(*swings)
    return Transform(found.scale * transform.scale, found.samples, found.sampling_hz, found.plain)


def envelope_peak(transform: Transform) -> tuple[EnvelopePeak | None, Reason]:
    """The strongest swing from SLOWEST_HZ to `fastest`; or None and why it is not assessable."""
    if band_of(transform.sampling_hz) is None:
        return None, Reason.RATE
    envelope = envelope_transform(transform)
    if envelope is None:
        return None, Reason.SHORT
    lowest = max(SLOWEST_HZ, FIRST_BINS * envelope.resolution)
    bins = envelope.bins_within(lowest, fastest(transform.sampling_hz))
    amplitude = envelope.amplitude[bins]
    if len(amplitude) < MIN_BINS:
        return None, Reason.SHORT
    noise, highest = float(np.median(amplitude)), int(np.argmax(amplitude))
    if amplitude[highest] <= STANDS_OUT * noise:
        return EnvelopePeak(envelope.scale * float(amplitude[highest]), None), Reason.NONE
    tone = _lowest_of_multiples(amplitude, highest, bins.start)
    first, last = max(0, tone - TONE_BINS), min(len(amplitude) - 1, tone + TONE_BINS)
    centre, height = tone_at(amplitude, tone, first, last, noise)
    return EnvelopePeak(envelope.scale * height, (bins.start + centre) * envelope.resolution), Reason.NONE


def _lowest_of_multiples(amplitude: np.ndarray, highest: int, offset: int) -> int:
    """The lowest tone that is nearly as high as the highest and that this is a multiple of; bins from `offset` on."""
    for divisor in range(MULTIPLES, 1, -1):
        place = (offset + highest) / divisor - offset
        first, last = round(place - 1), round(place + 1)
        if first < 0 or last > highest - TONE_BINS:
            continue
        tone = first + int(np.argmax(amplitude[first : last + 1]))
        if amplitude[tone] >= NEARLY * amplitude[highest]:
            return tone
    return highest
