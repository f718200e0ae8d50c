"""Captures of a running machine as a converter of 16 bits gives them: tones, noise and blows, seeded."""

from dataclasses import dataclass

import numpy as np

RATE_HZ, SAMPLES = 25_600, 25_600
AXES = ("x", "y", "z")
SCALE = 16 / 2**15  # of a sensor of 16 g to each side
SHAFT_HZ = 24.7
NOISE_G = 0.05  # some hundred steps


@dataclass(frozen=True)
class Signal:
    """What one post brings: the axes interleaved, as a board's FIFO gives them."""

    counts: np.ndarray  # int16 (samples * axes,)

    def body(self, kind: str) -> bytes:
        """As the API takes it, little-endian."""
        return self.counts.astype("<i2").tobytes() if kind == "int16" else self.values().astype("<f4").tobytes()

    def values(self) -> np.ndarray:
        """In g, float32 (samples * axes,), as a driver gives them that multiplies by the scale."""
        return self.counts.astype(np.float32) * np.float32(SCALE)

    def axis(self, number: int, kind: str) -> np.ndarray:
        """What is to be read back of an axis, float64 (samples,)."""
        counts = self.counts[number :: len(AXES)]
        if kind == "int16":
            return counts.astype(np.float64) * SCALE
        return self.values()[number :: len(AXES)].astype(np.float64)


def make_signal(seed: int) -> Signal:
    random = np.random.default_rng(seed)
    time = np.arange(SAMPLES) / RATE_HZ
    columns = []
    for number in range(len(AXES)):
        tones = sum(
            0.4 / order * np.sin(2 * np.pi * order * SHAFT_HZ * time + random.uniform(0, 2 * np.pi))
            for order in range(1, 6)
        )
        blows = 0.3 * np.exp(-900 * (time % (1 / 87))) * np.sin(2 * np.pi * 4_300 * time)
        gravity = 1.0 if number == len(AXES) - 1 else 0.0
        columns.append(tones + blows + gravity + random.normal(0, NOISE_G, SAMPLES))
    counts = np.round(np.column_stack(columns) / SCALE)
    return Signal(np.clip(counts, -(2**15), 2**15 - 1).astype(np.int16).ravel())
