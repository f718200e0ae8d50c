"""Files of signals in nine formats, made up by hypothesis as loggers write them, each with what is true of it.

What is broken in a file is drawn with it: so whoever reads it can be asked for the signals that were made, or for the
reason that is true.
"""

import numpy as np
from hypothesis import strategies as st

from bench.fuzz_files.capture_binaries import binary
from bench.fuzz_files.capture_texts import delimited, lvm
from bench.fuzz_files.made_capture import UNITS, MadeAxis, MadeCapture

FORMATS = ("csv", "tsv", "lvm", "wav", "parquet", "tdms", "mat", "mat73", "hdf5")
RATES = (100, 128, 800, 1000, 1024, 2000, 2048, 5000, 6400, 12_000, 25_000, 25_600, 48_000, 51_200)


@st.composite
def made_captures(draw) -> MadeCapture:
    form = draw(st.sampled_from(FORMATS))
    made = MadeCapture(form, f"made.{ {'mat73': 'mat', 'hdf5': 'h5'}.get(form, form) }")
    made.rate_hz = float(draw(st.sampled_from(RATES)))
    count = draw(st.integers(8, 40))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    names = ["x", "y", "z"][: draw(st.integers(1, 3))]
    unit = draw(st.sampled_from([*UNITS]))
    made.axes = [MadeAxis(name, unit, 3 * generator.standard_normal(count)) for name in names]
    if form in ("csv", "tsv"):
        draw(delimited(made))
    elif form == "lvm":
        draw(lvm(made))
    else:
        draw(binary(made))
    return made
