"""The endpoints behind trends and waterfalls: what is stored, exactly, and what is left out is told."""

import csv
import io
from base64 import b64decode
from datetime import datetime, timedelta
from urllib.parse import quote

import numpy as np
import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from himmes.api.tests.api_world import make_program
from machines.models import Machine
from vibration.api.trends import views
from vibration.captures.storing import delete_captures
from vibration.models import Capture, CaptureAxis
from vibration.signals.quantities import QUANTITIES
from vibration.spectra.outline import EDGES
from vibration.tests.captures_world import START, at, days_ago, stored, tone
from vibration.tests.trends_world import axis_of, put
from vibration.trends import reading

pytestmark = pytest.mark.django_db
MONTH = {"started_at_after": START.isoformat(), "started_at_before": (START + timedelta(days=30)).isoformat()}
PUMP = {"machine_name": "pump3"}


@pytest.fixture
def viewer(roles):
    return make_program(roles, "viewer")


def every(minutes: float, count: int, start: datetime = START) -> list[datetime]:
    return [start + timedelta(minutes=minutes * number) for number in range(count)]


def errors(answer) -> dict[str, str]:
    assert answer.status_code == 400, answer.content
    return {it["field"]: it["message"] for it in answer.json()["errors"]}


def table(answer) -> tuple[list[str], list[dict]]:
    """The comments above the header of a CSV, and its rows."""
    lines = list(csv.reader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))
    comments = [line[0] for line in lines if line[0].startswith("# ")]
    header, *rows = lines[len(comments) :]
    return comments, [dict(zip(header, row, strict=True)) for row in rows]


# --- A trend


def test_few_captures_come_one_by_one_to_the_last_digit(viewer):
    values = [0.1, 1 / 3, 2e-300]
    put(axis_of(), every(10, 3), values)
    told = viewer.get("trend", PUMP | MONTH).json()
    assert (told["machine_name"], told["feature"], told["points"], told["left_out"]) == ("pump3", "rms", 400, 0)
    assert datetime.fromisoformat(told["start"]) == START
    assert datetime.fromisoformat(told["end"]) == START + timedelta(days=30)
    assert datetime.fromisoformat(told["newest"]) == START + timedelta(minutes=20)
    [series] = told["series"]
    assert series == {
        "sensor_no": "de",
        "axis": "x",
        "unit": "g",
        "captures": 3,
        "bucket_width": None,
        "gap_s": 1_800,
        "time": [0, 600, 1_200],
        "least": values,
        "greatest": None,
        "flat": [],
        "remarks": [],
    }


def test_many_captures_come_as_least_and_greatest_of_buckets(viewer, monkeypatch):
    monkeypatch.setattr(reading, "MOST_CAPTURES", 10)
    put(axis_of(), every(10, 12), list(range(12)), more={"crest_factor": [None] * 6 + [1.0] * 6})
    [series] = viewer.get("trend", PUMP | MONTH).json()["series"]
    assert (series["bucket_width"], series["captures"], series["flat"]) == (2 * 3_600, 12, [0])
    # Whole buckets from 1970 on: the first one begins an hour before the span.
    assert (series["time"], series["least"], series["greatest"]) == ([-3_600, 3_600], [0, 6], [5, 11])
    hours = MONTH | {"started_at_before": (START + timedelta(days=2)).isoformat()}
    [series] = viewer.get("trend", PUMP | hours).json()["series"]
    assert (series["time"], series["least"], series["greatest"]) == ([0, 3_600], [0, 6], [5, 11])
    assert (series["bucket_width"], series["flat"]) == (3_600, [0])


@pytest.mark.parametrize("feature", QUANTITIES)
def test_each_feature_is_followed(viewer, feature):
    put(axis_of(), every(10, 2), [1.0, 1.0], more={feature: [2.0, 2.5]})
    [series] = viewer.get("trend", PUMP | MONTH | {"feature": feature}).json()["series"]
    assert series["least"] == [2.0, 2.5]


def test_what_is_not_assessable_is_null_and_the_reason_is_told(viewer):
    put(axis_of(), every(10, 2), [1.0, 1.0], more={"velocity_rms": [1.5, None]})
    [series] = viewer.get("trend", PUMP | MONTH | {"feature": "velocity_rms"}).json()["series"]
    assert (series["unit"], series["least"]) == ("mm/s", [1.5, None])
    assert series["remarks"] == [{"code": "not_assessable", "points": 1, "reason": ""}]


def test_series_come_as_asked_or_all_in_natural_order_up_to_twelve(viewer):
    for number in range(13, 0, -1):
        put(axis_of(sensor=f"s{number}"), [START], [1.0])
    told = viewer.get("trend", PUMP | MONTH).json()
    assert [it["sensor_no"] for it in told["series"]] == [f"s{number}" for number in range(1, 13)]
    assert told["left_out"] == 1
    told = viewer.get("trend", PUMP | MONTH | {"series": ["s13/x", "s2/x"]}).json()
    assert ([it["sensor_no"] for it in told["series"]], told["left_out"]) == (["s13", "s2"], 0)


def test_names_with_slashes_and_percent_signs_are_escaped(viewer):
    for sensor, axis in (("de/1", "50%"), ("de", "1/50%"), ("구동측", "축")):
        put(axis_of(sensor=sensor, axis=axis), [START], [1.0])
        name = f"{quote(sensor, safe='')}/{quote(axis, safe='')}"
        [series] = viewer.get("trend", PUMP | MONTH | {"series": name}).json()["series"]
        assert (series["sensor_no"], series["axis"]) == (sensor, axis)


def test_without_dates_it_is_the_month_up_to_now(viewer):
    put(axis_of(), [days_ago(31), days_ago(29), days_ago(0)], [1.0, 2.0, 3.0])
    told = viewer.get("trend", PUMP).json()
    assert told["series"][0]["least"] == [2.0, 3.0]
    start, end = (datetime.fromisoformat(told[name]) for name in ("start", "end"))
    assert end - start == timedelta(days=30)
    assert timedelta(0) <= end - timezone.now() <= timedelta(minutes=1)


def test_a_machine_without_captures_has_no_series(viewer):
    Machine.objects.create(name="pump3")
    told = viewer.get("trend", PUMP).json()
    assert (told["series"], told["newest"]) == ([], None)
    assert viewer.get("trend/numbers", PUMP).json()["series"] == []


BAD = {
    "feature=temperature": ("feature", 'There is no feature "temperature". Known: rms, peak'),
    "series=de": ("series", '"de" is no series. Write SENSOR/AXIS'),
    "series=de/x/y": ("series", '"de/x/y" is no series.'),
    "series=/x": ("series", '"/x" is no series.'),
    "series=%25ff/x": ("series", '"%ff/x" is no series.'),
    "series=de/q": ("series", "Machine pump3 has no captures of sensor de, axis q."),
    "series=de/x&series=de/x": ("series", "Sensor de, axis x is named twice."),
    "&".join(f"series=de/{number}" for number in range(13)): ("series", "13 series; at most 12 at a time."),
    "machine_name=pump9": ("machine_name", "There is no machine pump9."),
    "points=9": ("points", "greater than or equal to 10"),
    "points=2001": ("points", "less than or equal to 2000"),
    "started_at_after=yesterday": ("started_at_after", "Write the time as text"),
    "started_at_after=2999-01-01T00:00:00": ("started_at_after", "Must be in the past, or give started_at_before"),
    "started_at_before=1850-01-01T00:00:00": ("started_at_before", "Give a year from 1901 to 2999."),
    "started_at_after=2026-11-21T00:00:00&started_at_before=2026-11-21T00:00:00": (
        "started_at_before",
        "Must be after started_at_after.",
    ),
    "window=3": ("window", "Unknown parameter. Known: feature, format, machine_name, points, series"),
    "series=": ("series", "Empty: give it a value or leave it out."),
}


@pytest.mark.parametrize(("query", "expected"), BAD.items())
def test_a_wrong_parameter_is_named_with_what_is_wanted(viewer, query, expected):
    put(axis_of(), [START], [1.0])
    machine = "" if "machine_name" in query else "&machine_name=pump3"
    field, message = expected
    assert message in errors(viewer.get(f"trend?{query}{machine}"))[field]


# --- What has not changed


@pytest.mark.parametrize("path", ["trend", "trend/numbers", "waterfall?series=de/x", "trend?format=csv"])
def test_what_is_known_is_answered_without_reading_it_again(viewer, path, django_assert_max_num_queries):
    stored(at(START, machine="pump3"))
    path = f"{path}{'&' if '?' in path else '?'}machine_name=pump3"
    known = viewer.get(path).headers["ETag"]
    with django_assert_max_num_queries(4):  # of the token, its role and the axes
        answer = viewer.get(path, headers={"If-None-Match": known})
    if answer.status_code == 200:  # a minute has passed meanwhile
        answer = viewer.get(path, headers={"If-None-Match": answer.headers["ETag"]})
    assert (answer.status_code, answer.content) == (304, b"")
    stored(at(START + timedelta(hours=1), machine="pump3"))
    assert viewer.get(path, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 200


def test_a_version_is_of_one_question_alone(viewer):
    for axis in ("x", "y"):
        put(axis_of(axis=axis), [START], [1.0])
    queries = [{}, {"feature": "peak"}, {"series": "de/x"}, {"series": "de/y"}, {"format": "csv"}]
    versions = {viewer.get("trend", PUMP | MONTH | it).headers["ETag"] for it in queries}
    assert len(versions) == len(queries)


def test_what_was_deleted_is_seen_after_a_minute(viewer, monkeypatch):
    stored(at(START, machine="pump3"), at(START + timedelta(hours=1), machine="pump3"))
    known = viewer.get("trend", PUMP | MONTH).headers["ETag"]
    delete_captures(Capture.objects.filter(started_at=START))
    later = timezone.now() + timedelta(minutes=1)
    monkeypatch.setattr(timezone, "now", lambda: later)
    answer = viewer.get("trend", PUMP | MONTH, headers={"If-None-Match": known})
    assert answer.json()["series"][0]["captures"] == 1


def test_it_takes_the_permission_of_captures():
    put(axis_of(), [START], [1.0])
    for path in ("trend", "trend/numbers", "waterfall"):
        query = PUMP | ({"series": "de/x"} if path == "waterfall" else {})
        assert Client().get(f"/api/{path}", query).status_code == 401
        client = Client()
        client.force_login(get_user_model().objects.create_user(f"nobody-{path}"))
        assert client.get(f"/api/{path}", query).status_code == 403


# --- Its numbers


def test_numbers_are_median_and_extremes_of_a_span(viewer):
    put(axis_of(), every(10, 5), [3.0, 1.0, 2.0, 9.0, 100.0])
    put(axis_of(axis="y"), [START - timedelta(days=9)], [1.0])
    span = MONTH | {"started_at_before": (START + timedelta(minutes=40)).isoformat()}
    x, y = viewer.get("trend/numbers", PUMP | span).json()["series"]
    assert datetime.fromisoformat(x.pop("newest_at")) == START + timedelta(minutes=30)
    assert x == {
        "sensor_no": "de",
        "axis": "x",
        "unit": "g",
        "captures": 4,
        "flat": 0,
        "is_part": False,
        "median": 2.5,
        "least": 1.0,
        "greatest": 9.0,
    }
    assert (y["captures"], y["median"], y["newest_at"], y["unit"]) == (0, None, None, "g")


def test_numbers_of_more_captures_than_are_read_say_so(viewer, monkeypatch):
    monkeypatch.setattr(views, "MOST_CAPTURES", 3)
    put(axis_of(), every(10, 5), [9.0, 9.0, 1.0, 2.0, 3.0])
    [series] = viewer.get("trend/numbers", PUMP | MONTH).json()["series"]
    assert (series["captures"], series["is_part"], series["median"], series["greatest"]) == (3, True, 2.0, 3.0)


# --- A waterfall


def test_a_waterfall_has_a_byte_for_each_cell_and_its_scales(viewer):
    stored(*(at(START + timedelta(hours=it), tone(2_560, hz=50), machine="pump3", rpm=1_500.0) for it in range(3)))
    told = viewer.get("waterfall", PUMP | MONTH | {"series": "de/x", "high": 200, "rows": 20}).json()
    levels = np.frombuffer(b64decode(told["levels"]), np.uint8).reshape(20, 3)
    assert told["frequency"] == np.linspace(0, 200, 21).tolist()
    assert told["time"] == [0, 3_600, 7_200]
    assert (told["captures"], told["shown"], told["bucket_width"], told["remarks"]) == (3, 3, None, [])
    assert (told["unit"], told["rates"], told["sensor_no"], told["axis"]) == ("g", [2_560, 2_560], "de", "x")
    assert levels.argmax(axis=0).tolist() == [5, 5, 5]
    assert levels.max(axis=0).tolist() == [255, 255, 255]
    assert told["decibels"]["top"] == pytest.approx(0, abs=0.05)  # of an amplitude of 1
    assert told["decibels"]["floor"] == told["decibels"]["top"] - 80


def test_each_column_has_the_speed_of_its_capture(viewer):
    speeds = [1_500.0, None, 3_000.0]
    stored(
        *(
            at(START + timedelta(hours=it), tone(2_560, hz=50), machine="pump3", rpm=rpm)
            for it, rpm in enumerate(speeds)
        )
    )
    told = viewer.get("waterfall", PUMP | MONTH | {"series": "de/x"}).json()
    assert told["shaft_hz"] == [25.0, None, 50.0]


def test_of_more_captures_than_columns_that_is_told(viewer):
    stored(*(at(START + timedelta(days=it), tone(256), machine="pump3") for it in range(6)))
    told = viewer.get("waterfall", PUMP | MONTH | {"series": "de/x", "columns": 3}).json()
    assert (told["captures"], told["shown"], told["bucket_width"]) == (6, 1, 10 * 86_400)
    assert told["remarks"] == [{"code": "thinned", "every_s": 10 * 86_400}]


def test_a_waterfall_of_nothing_says_so(viewer):
    stored(at(START, machine="pump3"))
    before = {"started_at_before": START.isoformat(), "series": "de/x"}
    told = viewer.get("waterfall", PUMP | before).json()
    assert (told["levels"], told["time"], told["rates"], told["captures"]) == ("", [], [], 0)
    assert told["remarks"] == [{"code": "none"}]


BAD_WATERFALLS = {
    "series=de/x&low=50&high=50": ("high", "Must be greater than low."),
    "series=de/x&low=nan": ("low", "A valid number is required."),
    "series=de/x&high=inf": ("high", ""),
    "series=de/x&low=-1": ("low", "greater than or equal to 0"),
    "series=de/x&columns=1001": ("columns", "less than or equal to 1000"),
    "series=de/x&rows=0": ("rows", "greater than or equal to 1"),
    "series=de/x&series=de/y": ("series", "Given more than once."),
    "series=de/y": ("series", "has no captures of sensor de, axis y"),
    "low=3": ("series", "This field is required."),
}


@pytest.mark.parametrize(("query", "expected"), BAD_WATERFALLS.items())
def test_a_wrong_parameter_of_a_waterfall_is_named(viewer, query, expected):
    put(axis_of(), [START], [1.0])
    field, message = expected
    assert message in errors(viewer.get(f"waterfall?{query}&machine_name=pump3"))[field]


# --- As CSV


def test_a_trend_as_csv_says_what_it_is_and_has_each_point(viewer):
    put(axis_of(), every(10, 2), [0.1, 1 / 3], more={"velocity_rms": [None, 2.5]})
    answer = viewer.get("trend", PUMP | MONTH | {"format": "csv", "feature": "velocity_rms"})
    comments, rows = table(answer)
    assert comments == [
        "# machine: pump3",
        "# feature: velocity_rms",
        "# start: 2026-11-20T12:00:00.000000+09:00",
        "# end: 2026-12-20T12:00:00.000000+09:00",
        "# series de x: 2 captures; each on its own; not_assessable points=1 reason=",
    ]
    first, second = rows
    assert first == {
        "sensor_no": "de",
        "axis": "x",
        "unit": "mm/s",
        "time": "2026-11-20T12:00:00.000000+09:00",
        "least": "",
        "greatest": "",
        "flat": "no",
    }
    assert float(second["least"]) == float(second["greatest"]) == 2.5
    assert 'filename="trend-pump3-velocity_rms.csv"' in answer.headers["Content-Disposition"]


def test_a_waterfall_as_csv_has_the_amplitude_of_each_cell(viewer):
    stored(at(START, tone(2_560, 0.5, hz=50), machine="pump3", rpm=1_500.0))
    query = PUMP | MONTH | {"format": "csv", "series": "de/x", "high": 100, "rows": 4}
    comments, [row] = table(viewer.get("waterfall", query))
    assert "# unit: g" in comments
    assert "# shown: 1" in comments
    assert (float(row["sampling_hz"]), float(row["shaft_hz"])) == (2_560, 25)
    assert float(row["50-75 Hz"]) == pytest.approx(0.5, rel=0.005)
    assert float(row["0-25 Hz"]) < 0.01


# --- Whatever is stored, and however closely one looks


class TestExtremes(TestCase):
    @settings(max_examples=20, deadline=None)
    @given(
        gaps=st.lists(st.integers(1, 30 * 3_600), min_size=1, max_size=30),
        begin=st.integers(-2, 5),
        hours=st.integers(1, 900),
        points=st.integers(10, 50),
        most=st.sampled_from([0, 5, 1_000]),
        seed=st.integers(0, 99),
    )
    def test_each_value_of_a_span_lies_in_a_point_whose_extremes_are_of_values(
        self, gaps, begin, hours, points, most, seed
    ):
        starts = [START + timedelta(seconds=it) for it in np.cumsum(gaps).tolist()]
        values = np.random.default_rng(seed).lognormal(0, 2, len(starts)).tolist()
        put(axis_of(), starts, values)
        user = get_user_model().objects.create_superuser("root")
        self.client.force_login(user)
        span_start = START + timedelta(days=begin)
        span_end = span_start + timedelta(hours=hours)
        span = {"started_at_after": span_start.isoformat(), "started_at_before": span_end.isoformat()}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(reading, "MOST_CAPTURES", most)
            [told] = self.client.get("/api/trend", PUMP | span | {"points": points}).json()["series"]
        greatest = told["least"] if told["bucket_width"] is None else told["greatest"]
        within = {at: value for at, value in zip(starts, values, strict=True) if span_start <= at < span_end}
        points_of = list(zip(told["time"], told["least"], greatest, strict=True))
        for at_, value in within.items():
            second = (at_ - span_start).total_seconds()
            width = told["bucket_width"] or 1e-6
            [(_time, low, high)] = [it for it in points_of if it[0] <= second < it[0] + width]
            assert low <= value <= high
        assert {low for _time, low, _high in points_of} | {high for *_point, high in points_of} <= set(values)
        assert told["captures"] >= len(within)
        if within:
            assert min(told["least"]) <= min(within.values())
            assert max(greatest) >= max(within.values())

    @settings(max_examples=20, deadline=None)
    @given(
        lines=st.lists(st.tuples(st.floats(3, 1_200), st.floats(0.05, 20)), min_size=1, max_size=6),
        speeds=st.lists(st.one_of(st.none(), st.floats(10, 3_600)), min_size=6, max_size=6),
        rows=st.integers(1, 1_000),
    )
    def test_each_line_of_a_waterfall_stands_out_at_its_frequency_and_order(self, lines, speeds, rows):
        new = [
            at(START + timedelta(hours=it), tone(2_560, amplitude, hz=hz), machine="pump3", rpm=speeds[it])
            for it, (hz, amplitude) in enumerate(lines)
        ]
        stored(*new)
        self.client.force_login(get_user_model().objects.create_superuser("root"))
        query = PUMP | MONTH | {"series": "de/x", "rows": rows}
        told = self.client.get("/api/waterfall", query).json()
        levels = np.frombuffer(b64decode(told["levels"]), np.uint8).reshape(-1, len(lines))
        edges = np.array(told["frequency"])
        assert len(edges) == len(levels) + 1 <= rows + 1
        for column, (hz, amplitude) in enumerate(lines):
            row = int(levels[:, column].argmax())
            # A row has what lies in the bands that it touches; a line the bins beside it.
            band = np.diff(EDGES)[min(np.searchsorted(EDGES, hz), len(EDGES) - 2)] + 1
            assert edges[row] - band <= hz <= edges[row + 1] + band
            floor, top = told["decibels"].values()
            level_db = floor + (levels[row, column] - 1) / 254 * (top - floor)
            # Between two bins a Hann window takes up to 1.42 dB; a level is 0.32 dB
            assert 20 * np.log10(amplitude) - 1.8 <= level_db <= 20 * np.log10(amplitude) + 0.3
            assert told["shaft_hz"][column] == (
                pytest.approx(speeds[column] / 60) if speeds[column] is not None else None
            )
        assert CaptureAxis.objects.count() == 1
