"""The step of the converter that values come from, where they still lie on its grid."""

import numpy as np

LOOKED_AT = 4096  # samples, among which two neighbours on the grid are expected
OFF_GRID = 0.01  # steps that a value may lie beside a whole number of them, for the rounding of the values
MOST_STEPS = 2**31  # from 0, more than converters have
LEAST_STEP = 1e-290  # below it, steps and values are no normal numbers


def step_of(values: np.ndarray) -> float | None:
    """The step of which all values float64 (n,) are whole multiples, as far as doubles can tell; None without one.

    It is the least difference of two of the first values, made better by least squares over all of them.
    """
    levels = np.unique(values[:LOOKED_AT])
    with np.errstate(over="ignore"):
        step = float(np.diff(levels).min(initial=np.inf))
        if not LEAST_STEP < step < np.inf or np.abs(values).max() >= MOST_STEPS * step:
            return None
    scaled = values / step
    steps = np.rint(scaled)
    # No dot products: BLAS would start threads for them, which wait busily.
    better = float((scaled * steps).sum() / (steps * steps).sum())
    scaled /= better
    return step * better if (np.abs(scaled - np.rint(scaled)) <= OFF_GRID).all() else None
