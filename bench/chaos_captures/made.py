"""The captures of a trial, made of their numbers: whoever looks at what is stored can make them anew."""

import io
import json
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

AXES = ("x", "y", "z")
SAMPLES, RATE_HZ = 2_560, 2_560
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
APART = timedelta(minutes=10)
FULL_SCALE = 2.0**-15  # what a count of a WAV file of 16 bits is worth
Key = tuple[str, str, str, datetime]  # machine, sensor, axis, start


@dataclass(frozen=True)
class Made:
    """One of a machine that is called after the way on which it comes; three axes."""

    way: str
    number: int
    seed: int = 1

    @property
    def started_at(self) -> datetime:
        return BEGIN + self.number * APART

    @property
    def counts(self) -> np.ndarray:
        """int16 (SAMPLES, 3)."""
        random = np.random.default_rng([self.seed, self.number, len(self.way)])
        return np.clip(random.normal(0, 3_000, (SAMPLES, len(AXES))), -32_000, 32_000).astype("<i2")

    def axes(self) -> Iterator[tuple[Key, np.ndarray]]:
        """Each axis, and its samples in the unit as they must be stored, float64 (n,)."""
        values = self.counts * FULL_SCALE
        for column, axis in enumerate(AXES):
            yield (self.way, "de", axis, self.started_at), values[:, column]

    @property
    def said(self) -> dict:
        return {
            "started_at": self.started_at.isoformat(),
            "sampling_hz": RATE_HZ,
            "dtype": "int16",
            "scale": FULL_SCALE,
            "unit": "g",
        }

    @property
    def topic(self) -> str:
        return f"himmes/captures/{self.way}/de/{','.join(AXES)}"

    @property
    def message(self) -> bytes:
        return json.dumps(self.said).encode() + b"\n" + self.counts.tobytes()

    @property
    def file_name(self) -> str:
        return f"{self.way}_de_{self.started_at:%Y%m%d_%H%M%S}Z.wav"

    @property
    def file(self) -> bytes:
        content = io.BytesIO()
        with wave.open(content, "wb") as writer:
            writer.setnchannels(len(AXES))
            writer.setsampwidth(2)
            writer.setframerate(RATE_HZ)
            writer.writeframes(self.counts.tobytes())
        return content.getvalue()
