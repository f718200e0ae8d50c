"""Synthetic files of the shape of KAMP's rotating-machine data: pure numbers and text, no database.

The rows, the time steps and so the whole first column are those of the real files; the values are made up to look like
them: a tone at 27.5 Hz whose phase jumps every 1,024 samples, noise, a grid of about 0.0376, and for the two states
with an unbalance a start that settles from about 7 to about 3.5 in 10 s. They say nothing about any machine.
"""

import math
from collections.abc import Iterator

import numpy as np

STEPS_US = (736, 760, 714, 761)  # of sensor 1-4, in microseconds; a fifth sensor has the step of the first, and so on
DEFAULT_SECONDS = 140.0
TONE_HZ = 27.5
PHASE_SAMPLES = 1024
GRID = 0.0376147
BLOCK_ROWS = 20_000
# For each state: amplitude of the tone, standard deviation of the noise, both settled, and how much larger at the start
_STATES = ((0.6, 0.35, 1.0), (2.2, 0.35, 2.0), (0.9, 0.30, 1.0), (2.3, 0.35, 2.0))
_SETTLING_S = 10.0 / 3  # the time constant: after 10 s the surplus of the start is down to a twentieth


def row_count(sensor: int, seconds: float) -> int:
    """Rows of a file from 0 to at most `seconds`; the real files of 140 s have as many."""
    return math.floor(seconds * 1_000_000 / step_us(sensor)) + 1


def step_us(sensor: int) -> int:
    return STEPS_US[(sensor - 1) % len(STEPS_US)]


def sample_lines(machine: int, sensor: int, seconds: float, seed: int) -> Iterator[str]:
    """The file of a sensor (both counted from 1) in blocks of text; the same for the same arguments.

    A shorter file is the beginning of a longer one with the same seed.
    """
    phase_random, random = np.random.default_rng([seed, machine, sensor]).spawn(2)
    rows, step = row_count(sensor, seconds), step_us(sensor)
    phases = phase_random.uniform(0, 2 * np.pi, size=(rows // PHASE_SAMPLES + 1, len(_STATES)))
    for start in range(0, rows, BLOCK_ROWS):
        number = np.arange(start, min(start + BLOCK_ROWS, rows))
        time = number * step / 1_000_000
        noise = random.standard_normal((BLOCK_ROWS, len(_STATES)))[: len(number)]
        values = _values(time, phases[number // PHASE_SAMPLES], noise)
        yield "".join(
            f"{_decimal_seconds(us)},{a:.7g},{b:.7g},{c:.7g},{d:.7g}\n"
            for us, (a, b, c, d) in zip((number * step).tolist(), values.tolist(), strict=True)
        )


def _values(time: np.ndarray, phase: np.ndarray, noise: np.ndarray) -> np.ndarray:
    columns = []
    for state, (tone, spread, at_start) in enumerate(_STATES):
        swell = 1 + (at_start - 1) * np.exp(-time / _SETTLING_S)
        wave = tone * np.sin(2 * np.pi * TONE_HZ * time + phase[:, state]) + spread * noise[:, state]
        columns.append(np.round(swell * wave / GRID) * GRID)
    return np.column_stack(columns) + 0.0  # no negative zeros


def _decimal_seconds(microseconds: int) -> str:
    """Exact, with up to six decimals and no trailing zeros, as the real files have it."""
    whole, rest = divmod(microseconds, 1_000_000)
    return f"{whole}.{rest:06d}".rstrip("0") if rest else str(whole)
