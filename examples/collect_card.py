"""A collector for a measuring card in a PC: measures, keeps, sends. For Python 3.11 with numpy.

    python collect_card.py --url http://mes:8000 --token-file token --machine pump3 --sensor de \
        --channels cDAQ1Mod1/ai0:2 --rate 25600 --seconds 1 --every 600

Each capture is first a file in the folder `--keep`: a line of JSON that describes it, then its samples. The file goes
once the server has said that it is stored, so a broken network, a server that is away or a kill of this program lose
nothing. What the server refuses gets the end `.refused`, for a person to look at.

Of another card, give its class the method `measure` of SimulatedCard.
"""

import argparse
import json
import os
import sys
import time
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import numpy as np

STORED, REFUSED, LATER = "stored", "refused", "later"
REFUSALS = (400, 404, 409, 413, 415)  # sending the same again would change nothing
TIMEOUT_S = 30


class NiCard:
    """A card or module of National Instruments with current for IEPE sensors; needs the package nidaqmx."""

    def __init__(self, channels: str, axes: int, rate: float, mv_per_g: float):
        import nidaqmx

        self._task = nidaqmx.Task()
        self._task.ai_channels.add_ai_accel_chan(channels, sensitivity=mv_per_g, current_excit_val=0.002)  # in g, 2 mA
        self._rate, self._axes = rate, axes

    def measure(self, seconds: float) -> tuple[datetime, float, np.ndarray]:
        from nidaqmx.constants import AcquisitionType

        count = round(self._rate * seconds)
        # The card alone decides when a sample is taken, and with FINITE it ends with an error if one was lost.
        self._task.timing.cfg_samp_clk_timing(self._rate, sample_mode=AcquisitionType.FINITE, samps_per_chan=count)
        rate = self._task.timing.samp_clk_rate  # what its clock can do, which may not be what was asked for
        started_at = datetime.now(UTC)
        self._task.start()
        values = np.array(self._task.read(count, timeout=seconds + 10)).reshape(self._axes, count)
        self._task.stop()
        return started_at, rate, values.T


class SimulatedCard:
    """For trying things out: a machine at 25 Hz, with noise."""

    def __init__(self, axes: int, rate: float):
        self._axes, self._rate, self._random = axes, rate, np.random.default_rng()

    def measure(self, seconds: float) -> tuple[datetime, float, np.ndarray]:
        """When the first sample was taken, samples per second, and the samples (n, axes) in g."""
        started_at, count = datetime.now(UTC), round(self._rate * seconds)
        wave = np.sin(2 * np.pi * 25 * np.arange(count) / self._rate)[:, None]
        return started_at, self._rate, wave + self._random.normal(0, 0.1, (count, self._axes))


class Keeper:
    """Captures that are not known to be stored, each a file; the oldest is sent first."""

    def __init__(self, folder: Path, url: str, token: str):
        self._folder, self._url, self._token = folder, url.rstrip("/"), token
        folder.mkdir(parents=True, exist_ok=True)

    def keep(self, described: dict, values: np.ndarray) -> None:
        # float32 holds the 24 bits of a card's converter. Row by row, so the axes are interleaved: x0, y0, z0, x1, ...
        samples = np.ascontiguousarray(values, dtype="<f4").tobytes()
        path = self._folder / f"{described['started_at'].replace(':', '')}.capture"
        partial = path.with_suffix(".partial")
        with partial.open("wb") as file:
            file.write(json.dumps(described).encode() + b"\n" + samples)
            file.flush()
            os.fsync(file.fileno())
        partial.rename(path)

    def send_all(self) -> bool:
        """Whether the server can be spoken to: else what is left waits until next time."""
        for path in sorted(self._folder.glob("*.capture")):
            head, samples = path.read_bytes().split(b"\n", 1)
            outcome, said = self._send(json.loads(head), samples)
            print(f"{path.name}: {outcome} {said}".rstrip(), flush=True)
            if outcome == LATER:
                return False
            if outcome == STORED:
                path.unlink()
            else:
                path.rename(path.with_suffix(".refused"))
        return True

    def _send(self, described: dict, samples: bytes) -> tuple[str, str]:
        request = Request(  # noqa: S310  the address is that of the command line
            f"{self._url}/api/captures?{urlencode(described)}",
            samples,
            {"Authorization": f"Bearer {self._token}", "Content-Type": "application/octet-stream"},
        )
        try:
            with urlopen(request, timeout=TIMEOUT_S):  # noqa: S310
                return STORED, ""
        except HTTPError as error:
            outcome = REFUSED if error.code in REFUSALS else LATER
            return outcome, f"({error.code}: {error.read(1000).decode(errors='replace')})"
        except (URLError, HTTPException, OSError) as error:
            return LATER, f"({error})"


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure, keep and send captures.")
    parser.add_argument("--url", required=True, help="of the server, such as http://mes:8000")
    parser.add_argument("--token-file", type=Path, required=True, help="a file with a token of the role collector")
    parser.add_argument("--machine", required=True)
    parser.add_argument("--sensor", required=True)
    parser.add_argument("--axes", default="x,y,z", help="in the order of the channels; default: %(default)s")
    parser.add_argument("--channels", help="of a card of NI, such as cDAQ1Mod1/ai0:2; without it a simulated card")
    parser.add_argument("--mv-per-g", type=float, default=100.0, help="of the sensor; default: %(default)s")
    parser.add_argument("--rate", type=float, default=25_600.0, help="samples per second; default: %(default)s")
    parser.add_argument("--seconds", type=float, default=1.0, help="of a capture; default: %(default)s")
    parser.add_argument("--every", type=float, default=600.0, help="seconds; default: %(default)s")
    parser.add_argument("--captures", type=int, default=sys.maxsize, help="end after so many")
    parser.add_argument("--keep", type=Path, default=Path("kept"), help="folder of what is not sent yet")
    given = parser.parse_args()
    axes = given.axes.count(",") + 1
    card = (
        NiCard(given.channels, axes, given.rate, given.mv_per_g) if given.channels else SimulatedCard(axes, given.rate)
    )
    keeper = Keeper(given.keep, given.url, given.token_file.read_text().strip())
    for number in range(given.captures):
        if number:
            time.sleep(given.every)
        started_at, rate, values = card.measure(given.seconds)
        place = {"machine_name": given.machine, "sensor_no": given.sensor, "axis": given.axes}
        said = {"started_at": started_at.isoformat(), "sampling_hz": rate, "dtype": "float32", "unit": "g"}
        keeper.keep(place | said, values)
        keeper.send_all()


if __name__ == "__main__":
    main()
