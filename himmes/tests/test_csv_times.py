"""Each time in a CSV has one form, so that programs which guess it from the first row read the whole column."""

import io
import re
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec

import numpy as np
import polars as pl
import pytest

from diagnosis.tests.world import post
from vibration.numbers.samples import Samples
from vibration.storage.writing import open_recording, write_samples

pytestmark = pytest.mark.django_db
FORM = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+09:00")
BEGIN = datetime(2026, 3, 5, tzinfo=UTC)
# Whole seconds first, last and among the others
INSTANTS = [BEGIN + timedelta(seconds=it) for it in (0, 60.5, 120, 180.000001, 240)]
DIAGNOSES, SAMPLES = {"detected_at": INSTANTS[::-1]}, {"collected_at": INSTANTS}
EXPORTS = {
    "/diagnosis/?format=csv": DIAGNOSES,
    "/api/vibration-diagnosis?format=csv": DIAGNOSES,
    "/diagnosis/timeline/?after=2026-03-05&before=2026-03-06&format=csv": {"from": INSTANTS, "to": None},
    "/vibration/table/?format=csv": {"collected_at": INSTANTS[::-1]},
    "/api/vibration-data?format=csv": SAMPLES,
}


@pytest.fixture
def plant():
    post("g1", *((at, number % 4) for number, at in enumerate(INSTANTS)))
    collected_at = np.array([it.replace(tzinfo=None) for it in INSTANTS], "datetime64[us]")
    values = np.arange(20.0).reshape(5, 4)
    write_samples(open_recording("g1", "sensor1"), Samples(np.arange(5) / 8, values, collected_at))
    without = np.full(5, np.datetime64("NaT"), "datetime64[us]")
    write_samples(open_recording("g2", "sensor1"), Samples(np.arange(5) / 8, values, without))


def download(client, path: str) -> bytes:
    answer = client.get(path)
    assert answer.status_code == 200
    return b"".join(answer.streaming_content)


@pytest.mark.parametrize("path", EXPORTS)
def test_every_time_has_six_digits_and_an_offset(client, user, plant, path):
    client.force_login(user)
    table = pl.read_csv(io.BytesIO(download(client, path)), infer_schema=False)
    for name, instants in EXPORTS[path].items():
        texts = table[name].drop_nulls().to_list()
        assert all(FORM.fullmatch(text) for text in texts), texts
        assert len(texts) == 5
        if instants:
            assert [datetime.fromisoformat(text) for text in texts] == instants
        if find_spec("pandas"):  # of the benchmark's packages
            import pandas as pd

            found = pd.read_csv(io.BytesIO(download(client, path)), encoding="utf-8-sig")
            assert [it.to_pydatetime() for it in pd.to_datetime(found[name].dropna())] == [
                datetime.fromisoformat(text) for text in texts
            ]


def test_a_time_that_is_not_known_stays_empty(client, user, plant):
    client.force_login(user)
    table = pl.read_csv(io.BytesIO(download(client, "/api/vibration-data?machine_name=g2&format=csv")))
    assert table["collected_at"].to_list() == [None] * 5


def test_json_tells_times_as_before(client, user, plant):
    client.force_login(user)
    answer = client.get("/api/vibration-diagnosis/latest").json()
    assert "2026-03-05T09:04:00+09:00" in str(answer)
