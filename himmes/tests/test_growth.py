"""`make bench-growth` in small, in a database of its own on the server that the tests use."""

import os
from contextlib import closing
from urllib.parse import urlsplit

import pytest
from django.db import connection

from himmes.tests.bench_world import told_by

SMALL = ["--samples", "100000", "300000", "--diagnoses", "2000", "6000", "--machines=20", "--requests=2"]
SMALL += ["--costs=import|post of 200|data, 2 s|sample table$|latest"]
UNCOLLECTED = {"DJANGO_SETTINGS_MODULE": "bench.api_settings"}  # collecting static files takes half a minute


@pytest.fixture
def empty_database():
    """Its address."""
    name = f"{connection.settings_dict['NAME']}_growth"
    # The test itself looks at no database of ours, so it has none.
    server = connection.Database.connect(**connection.get_connection_params())
    with closing(server), server.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        try:
            yield urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
        finally:
            cursor.execute(f"DROP DATABASE {name}")


@pytest.mark.skipif(connection.vendor != "mysql", reason="counts the rows that a MariaDB or MySQL server reads")
def test_each_cost_is_measured_at_each_size_and_drawn(empty_database, tmp_path):
    picture = tmp_path / "growth.svg"
    arguments = [*SMALL, f"--picture={picture}", "--uncollected"]
    told = told_by("bench_growth", *arguments, DATABASE_URL=empty_database, **UNCOLLECTED)
    assert told["samples_2"] > told["samples_1"] == 100_000
    assert told["recordings_1"] == 1 + 20
    assert told["diagnoses_1"] == 2_000
    assert told["diagnoses_2"] >= 6_000
    costs = {key.removesuffix("_growth") for key in told if key.endswith("_growth")}
    assert len(costs) == told["costs"] == 5
    for cost in costs:
        for size in (1, 2):
            assert told[f"{cost}_ms_{size}"] > 0, cost
            assert told[f"{cost}_rows_{size}"] > 0, cost
    # What shows as much at each size reads as much
    assert told["waveform_data_2_s_rows_2"] < 1.1 * told["waveform_data_2_s_rows_1"]
    assert picture.read_text().count("<circle ") == 2 * len(costs) + 2  # two of the legend
