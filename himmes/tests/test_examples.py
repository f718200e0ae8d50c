"""The collectors in examples/: one runs against the API, of the other what needs no board."""

import struct
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings
from django.contrib.auth import get_user_model

from himmes.accounts.tokens import make_token
from vibration.captures.reading import samples_of
from vibration.models import Capture

EXAMPLES = Path(settings.BASE_DIR) / "examples"
NOBODY = "http://127.0.0.1:9"  # nobody answers at this port


def board():
    spec = spec_from_file_location("esp32_adxl355", EXAMPLES / "esp32_adxl355.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def token_file(roles, tmp_path):
    user = get_user_model().objects.create_user("collector")
    user.groups.add(roles["collector"])
    path = tmp_path / "token"
    path.write_text(make_token(user, roles["collector"], name="card")[1] + "\n")
    return path


def collect(tmp_path, url: str, token_file: Path, *args: str) -> str:
    """What the collector of a card says of one capture or more, of which it has a simulated one."""
    command = [sys.executable, str(EXAMPLES / "collect_card.py"), "--url", url, "--token-file", str(token_file)]
    command += ["--machine", "pump3", "--sensor", "de", "--keep", str(tmp_path / "kept")]
    command += ["--rate", "2560", "--seconds", "0.5", "--captures", "1", *args]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


@pytest.mark.django_db(transaction=True)
def test_the_collector_of_a_card_keeps_what_it_cannot_send_and_sends_it_later(live_server, tmp_path, token_file):
    kept = tmp_path / "kept"
    assert "later" in collect(tmp_path, NOBODY, token_file)
    [path] = kept.iterdir()
    head, samples = path.read_bytes().split(b"\n", 1)
    assert not Capture.objects.exists()
    said = collect(tmp_path, live_server.url, token_file)
    assert said.count(": stored") == 2 and not list(kept.iterdir())
    assert Capture.objects.count() == 6
    first = Capture.objects.filter(axis="y").order_by("started_at").first()
    assert (samples_of(first) == np.frombuffer(samples, "<f4").reshape(-1, 3)[:, 1]).all()
    assert (first.unit, first.sampling_hz, first.count) == ("g", 2560.0, 1280)
    assert first.started_at.isoformat() in head.decode()
    # As if it had been killed before it knew
    path.write_bytes(head + b"\n" + samples)
    assert collect(tmp_path, live_server.url, token_file).count(": stored") == 2
    assert Capture.objects.count() == 9


@pytest.mark.django_db(transaction=True)
def test_the_collector_of_a_card_puts_aside_what_is_refused(live_server, tmp_path, token_file):
    said = collect(tmp_path, live_server.url, token_file, "--axes", "x,x,z")
    assert 'The axis \\"x\\" is named twice.' in said and ": refused (400" in said
    assert [path.suffix for path in (tmp_path / "kept").iterdir()] == [".refused"]
    token_file.write_text("another")
    assert ": later (401" in collect(tmp_path, live_server.url, token_file)


def entry(value: int, *, is_x: bool = False, is_empty: bool = False) -> bytes:
    return ((value & 0xFFFFF) << 4 | is_empty << 1 | is_x).to_bytes(3, "big")


def test_the_board_takes_apart_what_the_fifo_gives():
    values = [0, 1, -1, 256_000, -(2**19), 2**19 - 1]
    raw = b"".join(entry(value, is_x=number % 3 == 0) for number, value in enumerate(values))
    samples = struct.unpack("<6f", board().to_samples(raw))
    assert samples == tuple(np.float32(value * 3.9e-6) for value in values)
    steps = np.arange(-(2**19), 2**19)
    assert len(np.unique((steps * 3.9e-6).astype(np.float32))) == 2**20  # no two of them become one


@pytest.mark.parametrize(
    "raw",
    [
        entry(1, is_x=True) + entry(2) + entry(3, is_empty=True),
        entry(1) + entry(2, is_x=True) + entry(3),
        entry(1, is_x=True) + entry(2) + entry(3) + entry(4),
    ],
)
def test_the_board_gives_up_a_capture_with_a_hole(raw):
    module = board()
    with pytest.raises(module.Lost):
        module.to_samples(raw)
