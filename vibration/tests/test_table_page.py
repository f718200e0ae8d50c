"""The page /vibration/table/: its filters, its pages, its CSV download, and how it looks in a browser."""

import csv
import re
from datetime import UTC, datetime, timedelta
from io import StringIO

import numpy as np
import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse
from django.utils import timezone

from common.tests.html import flat
from machines.models import Sensor
from vibration.models import Recording
from vibration.numbers.samples import Samples
from vibration.numbers.states import STATES
from vibration.pages import sample_table
from vibration.storage import reading as samples
from vibration.storage.writing import open_recording, write_samples
from vibration.tests.world import make_recording, make_samples

URL = "/vibration/table/"
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)  # 21:00 in Seoul
NO_MACHINE = "There is no machine “g9” with recordings. Choose one from the list."
NO_SENSOR = "This machine has no sensor “s9” with recordings. Choose one from the list."
NO_RECORDING = "This sensor has no recording “x”. Choose one from the list."
NO_TIME = "“{}” is not a date and time. Write 2026-11-22 or 2026-11-22 09:30, in plant time."
OVERFLOW = "document.documentElement.scrollWidth - innerWidth"


@pytest.fixture
def client(client, user):
    client.force_login(user)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


@pytest.fixture
def small_pages(monkeypatch):
    """Pages of 7 rows, read from recordings of which none is short."""
    monkeypatch.setattr(sample_table, "PAGE_ROWS", 7)
    monkeypatch.setattr(samples, "FETCHED_ROWS", 5)


def written(hours: float, *recordings: Recording) -> None:
    """Have recordings been written last so many hours after noon."""
    Recording.objects.filter(pk__in=[it.pk for it in recordings]).update(last_written_at=NOON + timedelta(hours=hours))


def collected(machine: str, count: int, start: datetime, *, step_s: float = 1) -> Recording:
    """A recording that was collected from `start` on."""
    recording = open_recording(machine, "sensor1")
    time, values = make_samples(count, step=step_s)
    start = np.datetime64(start.astimezone(UTC).replace(tzinfo=None), "us")
    write_samples(recording, Samples(time, values, start + (time * 1e6).astype("timedelta64[us]")))
    return recording


def cells(text: str) -> list[list[str]]:
    body = re.search(r"<tbody>(.*)</tbody>", text, re.DOTALL)
    return [
        [re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<td.*?</td>", row)]
        for row in re.findall(r"<tr>.*?</tr>", body[1] if body else "", re.DOTALL)
    ]


def caption(response) -> str:
    return re.search(r"<caption>.*?>(.*?)</span>", flat(response))[1]


def rows(client, query: dict | str | None = None) -> list[list[str]]:
    """Of one page."""
    response = client.get(
        f"{URL}?{query}" if isinstance(query, str) else URL, None if isinstance(query, str) else query
    )
    assert response.status_code == 200
    return cells(response.text)


def all_rows(client, query: str = "?") -> list[list[str]]:
    """Of all pages, following the links."""
    found = []
    while query:
        response = client.get(URL + query)
        found += cells(response.text)
        query = response.context["older"]
    return found


def download(client, query: dict) -> list[list[str]]:
    response = client.get(URL, query | {"format": "csv"})
    assert response.status_code == 200
    return list(csv.reader(StringIO(b"".join(response.streaming_content).decode("utf-8-sig"))))


def as_exported(row: list[str]) -> list[str]:
    """A row of the table as the CSV has it."""
    time, _point, digits = row[3].replace(" ", "T").partition(".")
    return [*row[:3], "" if time == "–" else f"{time}.{digits or '000000'}+09:00", *row[4:9]]


# --- Who sees what ----------------------------------------------------------------------------------------------------


def test_a_stranger_is_sent_to_the_login_and_who_has_no_role_is_refused(client):
    client.logout()
    assert client.get(URL).url == f"{reverse('login')}?next={URL}"
    client.force_login(get_user_model().objects.create_user("nobody"))
    assert client.get(URL).status_code == 403
    assert client.get(URL, {"format": "csv"}).status_code == 403


def test_without_recordings_the_page_says_how_to_get_some(client):
    response = client.get(URL)
    assert response.status_code == 200
    for command in ("make_sample_csv", "import_vibration"):
        assert f"python manage.py {command} var/samples" in response.text
    assert "<form id=" not in response.text
    response = client.get(URL, {"machine": "g1"})
    assert response.status_code == 400
    assert "There is no machine “g1” with recordings." in response.text
    assert "python manage.py make_sample_csv" in response.text
    assert download(client, {})[1:] == []


def test_a_recording_without_samples_is_nothing_to_show(client):
    make_recording(0)
    assert "The recordings have no samples yet." in client.get(URL).text


def test_filters_that_leave_nothing_say_so_and_can_be_cleared(client):
    make_recording(5)
    response = client.get(URL, {"start": "7"})
    assert "No row matches these filters." in response.text
    assert '<a href="?">Clear the filters</a>' in flat(response)
    assert "<table" not in response.text


def test_a_row_has_every_digit_and_plant_time_to_the_microsecond(client):
    recording = open_recording("g1", "sensor1")
    time = np.array([0.000736, 1e10, 1.5])
    values = np.array([[1 / 3, -1e100, 5e-324, 0.1], [1, 2, 3, 4], [-0.30000000000000004, 0, 0, 0]])
    at = np.array(["2026-03-02T00:00:00.000736", "NaT", "2026-03-02T15:00:00"], dtype="datetime64[us]")
    write_samples(recording, Samples(time, values, at))
    place = ["g1", "sensor1", "default"]
    assert rows(client) == [
        [*place, "–", "10000000000.0", "1.0", "2.0", "3.0", "4.0"],
        [*place, "2026-03-03 00:00:00.000000", "1.5", "-0.30000000000000004", "0.0", "0.0", "0.0"],
        [*place, "2026-03-02 09:00:00.000736", "0.000736", "0.3333333333333333", "-1e+100", "5e-324", "0.1"],
    ]


def test_a_unit_is_named_only_when_a_sensor_has_one(client):
    make_recording(1)
    make_recording(1, machine="g2")
    assert ">Unit<" not in client.get(URL).text
    Sensor.objects.filter(machine__name="g2").update(unit="mm/s²")
    assert ">Unit<" in client.get(URL).text
    assert {(row[0], row[-1]) for row in rows(client)} == {("g1", ""), ("g2", "mm/s²")}
    assert ">Unit<" not in client.get(URL, {"machine": "g1"}).text


def test_names_are_text_wherever_they_stand(client):
    make_recording(1, machine="<b>&'\"", sensor="=1+1")
    response = client.get(URL, {"machine": "<b>&'\"", "sensor": "=1+1"})
    assert "<td>&lt;b&gt;&amp;&#x27;&quot;</td>" in response.text
    assert "<b>&" not in response.text
    [link] = re.findall(r'<td><a href="(.*?)"', response.text)
    assert client.get(link.replace("&amp;", "&")).status_code == 200


def test_a_row_leads_to_the_waveform_around_it(client):
    make_recording(3_000)
    [link] = re.findall(r'<td><a href="(.*?)"', client.get(URL, {"start": "1", "end": "1"}).text)
    assert link.replace("&amp;", "&") == (
        "/vibration/?machine=g1&sensor=sensor1&recording=default&start=0.500000&end=1.500000"
    )


# --- The order and the pages ------------------------------------------------------------------------------------------


def test_the_recording_written_last_stands_first_and_in_it_the_latest_time(client):
    first, second, third, fourth = (make_recording(3, machine=name) for name in ("g1", "g2", "g3", "g4"))
    written(1, first)
    written(3, second)
    written(2, third, fourth)
    found = [(row[0], row[4]) for row in rows(client)]
    assert found == [(name, time) for name in ("g2", "g4", "g3", "g1") for time in ("0.002", "0.001", "0.0")]


@pytest.mark.parametrize(
    "query", ["?", "?start=0.003&end=0.02", "?machine=g1&sensor=sensor1", "?start=0.005&end=0.005"]
)
@pytest.mark.parametrize("counts", [(6,) * 30, (40, 1, 0, 3, 8, 7, 7, 2, 60)])
def test_the_pages_have_every_row_once_and_the_csv_the_same(client, small_pages, query, counts):
    for number, count in enumerate(counts):
        written(number * 7 % 5, make_recording(count, machine=f"g{number % 3}", sensor=f"sensor{number}", seed=number))
    found = all_rows(client, query)
    assert found
    assert len({tuple(row) for row in found}) == len(found)
    asked = dict(it.split("=") for it in query[1:].split("&") if it)
    exported = download(client, asked)
    assert exported[0] == ["machine_name", "sensor_no", "recording", "collected_at", "measured_time", *STATES]
    assert exported[1:] == [as_exported(row) for row in found]
    names = {"start": "measured_time_min", "end": "measured_time_max", "machine": "machine_name", "sensor": "sensor_no"}
    from_api = client.get("/api/vibration-data", {"format": "csv"} | {names[it]: asked[it] for it in asked})
    lines = b"".join(from_api.streaming_content).decode("utf-8-sig").splitlines()
    assert sorted(",".join(row) for row in exported[1:]) == sorted(lines[1:])


def test_the_pages_are_linked_forth_and_back_to_the_newest(client, small_pages):
    make_recording(20)
    response = client.get(URL, {"machine": "g1"})
    assert "To the newest" not in response.text
    response = client.get(URL + response.context["older"])
    assert [row[4] for row in cells(response.text)] == [repr(round(it * 0.001, 6)) for it in range(12, 5, -1)]
    assert '<a class="btn btn-quiet" href="?machine=g1">To the newest</a>' in flat(response)
    response = client.get(URL + response.context["older"])
    assert len(cells(response.text)) == 6
    assert "Older rows" not in response.text


def test_what_is_written_while_somebody_reads_brings_no_row_twice_and_hides_none_below(client, small_pages):
    recordings = [make_recording(10, machine=name) for name in ("g1", "g2", "g3")]
    for hours, recording in enumerate(recordings):
        written(hours, recording)
    first = client.get(URL)
    second = client.get(URL + first.context["older"])  # three rows of g3, four of g2
    written(5, recordings[1])
    third = client.get(URL + second.context["older"])  # six of g2, one of g1
    written(6, recordings[1])
    write_samples(recordings[2], Samples(*make_samples(12)))
    found = [(row[0], row[4]) for page in (first, second, third) for row in cells(page.text)]
    found += [(row[0], row[4]) for row in all_rows(client, third.context["older"])]
    times = [repr(round(it * 0.001, 6)) for it in range(9, -1, -1)]
    assert found == [(name, time) for name in ("g3", "g2", "g1") for time in times]


def test_a_place_in_the_list_outlives_its_recording(client, small_pages):
    older, newer = make_recording(10), make_recording(10, machine="g2")
    written(0, older)
    written(1, newer)
    place = client.get(URL).context["older"]
    newer.delete()
    assert {row[0] for row in rows(client, place[1:])} == {"g1"}


@pytest.mark.parametrize(
    ("count", "page", "query", "text"),
    [
        (1, 1, "", "All machines: 1 row in all."),
        (5, 1, "?machine=g1", "g1: All 5 rows, newest first."),
        (1_500, 1, "", "All machines: The newest 7 of 1,500 rows, newest first."),
        (
            9,
            1,
            "?machine=g1&sensor=sensor1&recording=default",
            "g1 / sensor1 / default: The newest 7 of 9 rows, newest first.",
        ),
        (9, 1, "?start=0", "All machines: The newest 7 rows, newest first. There are older ones."),
        (5, 1, "?end=0", "All machines: 1 row in all."),
        (20, 2, "", "All machines: 7 older rows, newest first. There are still older ones. 20 rows in all."),
        (20, 2, "?start=0", "All machines: 7 older rows, newest first. There are still older ones."),
        (9, 2, "?machine=g1", "g1: The oldest 2 rows, newest first. 9 rows in all."),
        (8, 2, "?start=0", "All machines: 1 row, the oldest."),
    ],
)
def test_the_caption_says_what_is_shown_of_what_there_is(client, small_pages, count, page, query, text):
    make_recording(count)
    response = client.get(URL + query)
    for _page in range(page - 1):
        response = client.get(URL + response.context["older"])
    assert caption(response) == text


@pytest.mark.parametrize("query", ["", "start=0.001&end=0.002", "after=2026-11-20&before=2026-11-21", "range=1h"])
@pytest.mark.parametrize("machines", [2, 20])
def test_the_page_costs_at_most_ten_queries_however_many_machines_there_are(
    client, django_assert_num_queries, machines, query
):
    for machine in range(machines):
        for sensor in range(2):
            make_recording(4, machine=f"g{machine}", sensor=f"sensor{sensor}")
    if "-" in query or "range" in query:
        start = timezone.now() if "range" in query else NOON
        for machine in range(machines):
            collected(f"h{machine}", 4, start)
    # Session, user, his permissions and those of his roles, machines, keys of the first recordings that may match,
    # these recordings, samples, of which recordings raw ones were removed; where all rows are shown, how many there are
    queries = 9 if query else 10
    with django_assert_num_queries(queries):
        assert rows(client, query)
    # Recordings of the machine, for what is offered
    with django_assert_num_queries(queries + 1):
        assert rows(client, f"{query}&machine={'h1' if 'range' in query or '-' in query else 'g1'}")


@pytest.mark.parametrize("machines", [2, 20])
def test_a_later_page_costs_thirteen_queries(client, django_assert_num_queries, machines, monkeypatch):
    monkeypatch.setattr(sample_table, "PAGE_ROWS", 15)
    for machine in range(machines):
        for sensor in range(5):
            make_recording(4, machine=f"g{machine}", sensor=f"sensor{sensor}")
    place = client.get(URL).context["older"]
    # As above; the recording where it goes on, with the rest of its rows, then those after it by two statements
    with django_assert_num_queries(13):
        assert len(rows(client, place[1:])) == 15


def test_a_row_of_each_of_many_long_recordings_takes_a_handful_of_statements(client, django_assert_max_num_queries):
    for machine in range(60):
        make_recording(600, machine=f"g{machine}")
    with django_assert_max_num_queries(12):
        assert len(rows(client, {"start": "0.3", "end": "0.3"})) == 60


def test_a_page_reads_few_recordings_of_many(client, monkeypatch, django_assert_num_queries):
    """Each row comes once, newest first, however few are looked at at a time."""
    monkeypatch.setattr(sample_table, "PAGE_ROWS", 6)
    monkeypatch.setattr(sample_table, "FIRST_RECORDINGS", 2)
    for number in range(40):
        written(100 - number, make_recording(2, machine=f"g{number}"))
    asked = []
    places_of = sample_table.places_of
    monkeypatch.setattr(sample_table, "places_of", lambda queryset: asked.extend(it := places_of(queryset)) or it)
    assert [row[0] for row in rows(client)] == ["g0", "g0", "g1", "g1", "g2", "g2"]
    assert len(asked) == 2 + 8
    found = [(row[0], row[4]) for row in all_rows(client)]
    assert found == [(f"g{number}", time) for number in range(40) for time in ("0.001", "0.0")]


def test_recordings_read_together_may_hold_more_than_is_sorted_in_memory(client, small_pages):
    """The first 40 have one row that matches, so that many are read at once; all rows of the others match."""
    for number in range(40):
        written(100 - number, make_recording(50, machine=f"g{number}"))
    late = np.arange(30) / 10
    for number in range(40, 45):
        recording = open_recording(f"g{number}", "sensor1")
        write_samples(recording, Samples(late, make_samples(30)[1]))
        written(100 - number, recording)
    found = [(row[0], row[4]) for row in all_rows(client, "?start=0.049")]
    expected = [(f"g{number}", "0.049") for number in range(40)]
    expected += [(f"g{number}", repr(float(time))) for number in range(40, 45) for time in late[:0:-1]]
    assert found == expected


# --- The filters ------------------------------------------------------------------------------------------------------


def test_machine_sensor_and_recording_are_filtered_by_and_what_belongs_to_them_is_offered(client):
    for machine, sensor, name in [("g1", "s1", "a"), ("g1", "s1", "b"), ("g1", "s2", "a"), ("g2", "s3", "c")]:
        write_samples(open_recording(machine, sensor, name=name), Samples(*make_samples(1)))

    def offered(query: dict) -> list[list[str]]:
        form = client.get(URL, query).context["form"]
        return [[key for key, _text in form.fields[name].choices] for name in ("machine", "sensor", "recording")]

    assert len(rows(client)) == 4
    assert offered({}) == [["", "g1", "g2"], [""], [""]]
    assert "all (choose a machine first)" in client.get(URL).text
    assert {(row[0], row[1]) for row in rows(client, {"machine": "g1", "sensor": ""})} == {("g1", "s1"), ("g1", "s2")}
    assert offered({"machine": "g1"}) == [["", "g1", "g2"], ["", "s1", "s2"], [""]]
    assert {row[2] for row in rows(client, {"machine": "g1", "sensor": "s1"})} == {"a", "b"}
    assert offered({"machine": "g1", "sensor": "s1"}) == [["", "g1", "g2"], ["", "s1", "s2"], ["", "a", "b"]]
    assert [row[:3] for row in rows(client, {"machine": "g1", "sensor": "s1", "recording": "b"})] == [["g1", "s1", "b"]]


@pytest.mark.parametrize(
    ("query", "times"),
    [
        ({"start": "0.003"}, ["0.004", "0.003"]),
        ({"end": "0.001"}, ["0.001", "0.0"]),
        ({"start": "0.001", "end": "0.002"}, ["0.002", "0.001"]),
        ({"start": "-5", "end": "1e9"}, ["0.004", "0.003", "0.002", "0.001", "0.0"]),
        ({"start": "0.0041"}, []),
    ],
)
def test_start_and_end_are_included(client, query, times):
    make_recording(5)
    assert [row[4] for row in rows(client, query)] == times


def test_a_date_is_the_day_of_the_plant(client):
    """Midnight in Seoul is 15:00 in UTC of the day before."""
    collected("g1", 4, datetime(2026, 11, 20, 14, 59, 58, tzinfo=UTC))
    make_recording(3, machine="g2")  # nobody knows when
    assert [row[4] for row in rows(client, {"after": "2026-11-21"})] == ["3.0", "2.0"]
    assert [row[4] for row in rows(client, {"before": "2026-11-21"})] == ["1.0", "0.0"]
    assert rows(client, {"after": "2026-11-20", "before": "2026-11-21"})[0][3] == "2026-11-20 23:59:59.000000"
    assert [row[4] for row in rows(client, {"after": "2026-11-20T23:59:59", "before": "2026-11-21 00:00:01"})] == [
        "2.0",
        "1.0",
    ]
    assert rows(client, {"before": "2026-11-20"}) == []


def test_dates_stay_in_the_form_in_the_browsers_own_way(client):
    make_recording(1)
    text = client.get(URL, {"after": "2026-11-20", "before": "2026-11-21T05:00:00Z"}).text
    assert 'name="after" value="2026-11-20T00:00:00"' in text
    assert 'name="before" value="2026-11-21T14:00:00"' in text


def test_a_range_beside_dates_is_left_out_by_a_link(client):
    make_recording(1)
    text = flat(client.get(URL, {"range": "1h", "after": "2026-11-21", "start": "0"}))
    assert '<a class="btn btn-quiet" href="?after=2026-11-21&amp;start=0">Clear the range</a>' in text


def test_a_range_ends_now_and_stays_when_another_machine_is_chosen(client):
    now = timezone.now()
    collected("g1", 3, now - timedelta(hours=2), step_s=5400)  # two hours ago, half an hour ago, in an hour
    assert [row[4] for row in rows(client, {"range": "1h"})] == ["10800.0", "5400.0"]
    assert len(rows(client, {"range": "24h"})) == 3
    text = flat(client.get(URL, {"range": "1h", "machine": "g1"}))
    assert '<input type="hidden" name="range" value="1h"' in text
    assert re.search(r'href="\?machine=g1&amp;range=24h">', text)
    assert re.search(r'href="\?machine=g1&amp;range=1h" aria-current="true"', text)
    assert 'href="?range=1h&amp;machine=g1&amp;format=csv"' in text


@pytest.mark.parametrize(
    ("query", "field", "message"),
    [
        ({"machine": "g9"}, "machine", NO_MACHINE),
        ({"machine": "g9", "sensor": "s", "recording": "x"}, "machine", NO_MACHINE),
        ({"machine": "g1", "sensor": "s9"}, "sensor", NO_SENSOR),
        ({"machine": "g1", "sensor": "s9", "recording": "x"}, "sensor", NO_SENSOR),
        ({"sensor": "sensor1"}, "sensor", "Choose the machine of this sensor first."),
        ({"machine": "g1", "sensor": "sensor1", "recording": "x"}, "recording", NO_RECORDING),
        ({"machine": "g1", "recording": "default"}, "recording", "Choose the sensor of this recording first."),
        ({"start": "soon"}, "start", "Enter a number of seconds, such as 12.5."),
        ({"end": "nan"}, "end", "Enter a number of seconds, such as 12.5."),
        ({"start": "1e999"}, "start", "Enter a number of seconds, such as 12.5."),
        ({"start": "2", "end": "1"}, "end", "The end must not be before the start."),
        ({"after": "yesterday"}, "after", NO_TIME.format("yesterday")),
        ({"before": "2026-02-30"}, "before", NO_TIME.format("2026-02-30")),
        ({"after": "2026-11-21", "before": "2026-11-20"}, "before", "The end must be after the start."),
        ({"range": "2h"}, "range", "There is no range “2h”. Choose 1h, 24h, 7d or 30d."),
        ({"range": "1h", "after": "2026-11-21"}, "range", "Choose either a range or dates, not both."),
        ({"cursor": "12"}, "cursor", "“12” is not a position in the list. Start again from the newest row."),
        ({"cursor": "1:2@x"}, "cursor", "“1:2@x” is not a position in the list. Start again from the newest row."),
        (
            {"cursor": "1:2@3", "format": "csv"},
            "cursor",
            "A CSV file has all rows: leave out the position in the list.",
        ),
        ({"format": "xlsx"}, "format", "There is no format “xlsx”. The only one is csv."),
    ],
)  # fmt: skip
def test_a_wrong_value_is_explained_at_its_field_and_the_form_stays_usable(client, query, field, message):
    make_recording(5)
    for more in ({}, {"format": "csv"}) if "format" not in query and "cursor" not in query else ({},):
        response = client.get(URL, query | more)
        assert response.status_code == 400
        assert response.context["form"].errors == {field: [message]}
        assert f'<div class="field-error" id="id_{field}_error">{message}</div>' in flat(response)
        assert '<option value="g1"' in response.text
        assert "<table" not in response.text
        assert 'name="cursor"' not in response.text
        assert 'name="format"' not in response.text


@pytest.mark.parametrize("cursor", ["9" * 18 + ":1e400@5", "1:1@" + "9" * 17, "x" * 5_000, "\x00", "1:-1@1", "٣:1@1"])
def test_an_impossible_place_in_the_list_is_a_400_too(client, cursor):
    make_recording(5)
    assert client.get(URL, {"cursor": cursor}).status_code == 400


def test_a_place_beyond_the_last_row_shows_the_way_back(client):
    recording = make_recording(5)
    response = client.get(URL, {"cursor": f"{recording.pk}:0.0@0"})
    assert "There are no older rows." in response.text
    assert '<a class="btn btn-quiet" href="?">To the newest</a>' in flat(response)


def test_the_csv_is_named_after_what_was_chosen(client):
    make_recording(1, machine="펌프 1")

    def name(query: dict) -> str:
        return client.get(URL, query | {"format": "csv"}).headers["Content-Disposition"]

    assert name({}) == 'attachment; filename="vibration-data.csv"'
    assert name({"machine": "펌프 1", "sensor": "sensor1"}) == (
        "attachment; filename*=utf-8''vibration-data-%ED%8E%8C%ED%94%84%201-sensor1.csv"
    )


# --- In a browser -----------------------------------------------------------------------------------------------------


@pytest.mark.browser
@pytest.mark.parametrize(("locale", "title", "show"), [("ko-KR", "샘플", "보기"), ("en-US", "Samples", "Show")])
def test_the_form_is_used_without_a_script_and_leads_to_older_rows(new_page, user, locale, title, show):
    make_recording(5, sensor="sensor1")
    make_recording(1_200, machine="g2", sensor="s2", step=0.1)
    for scripts in (True, False):
        page = new_page(login=user, locale=locale, java_script_enabled=scripts)
        page.goto(URL)
        assert page.title() == f"{title} – HIM-MES"
        page.select_option("[name=machine]", "g2")
        page.get_by_role("button", name=show, exact=True).click()
        page.wait_for_url("**machine=g2**")
        page.select_option("[name=sensor]", "s2")
        page.fill("[name=end]", "100.5")
        page.get_by_role("button", name=show, exact=True).click()
        page.wait_for_url("**sensor=s2**")
        assert page.title() == f"g2 / s2 – {title} – HIM-MES"
        for _page in range(2):
            with page.expect_navigation():
                page.click("a[rel=next]")
        assert page.locator("tbody tr").count() == 6
        assert page.locator("tbody tr:last-child td.number").first.inner_text() == "0.0"
        assert page.input_value("[name=end]") == "100.5"


@pytest.mark.browser
def test_dates_that_are_typed_take_the_place_of_a_range_and_empty_fields_stay_out_of_the_address(page):
    collected("g1", 5, NOON)
    page.goto(f"{URL}?range=30d&machine=g1")
    page.fill("[name=after]", "2026-11-20T21:00:03")
    page.get_by_role("button", name="Show", exact=True).click()
    page.wait_for_url("**/?machine=g1&after=2026-11-20T21%3A00%3A03")
    assert page.locator("tbody tr").count() == 2


@pytest.mark.browser
def test_the_csv_that_is_downloaded_has_the_rows_of_the_table(page):
    collected("g1", 120, NOON, step_s=0.1)
    make_recording(50, machine="g2")
    page.goto(f"{URL}?start=0.02")
    table = page.locator("tbody tr").evaluate_all(
        "(rows) => rows.map((it) => [...it.cells].map((cell) => cell.innerText))"
    )
    with page.expect_download() as download:
        page.get_by_role("link", name="Download all as CSV").click()
    assert download.value.suggested_filename == "vibration-data.csv"
    with download.value.path().open(encoding="utf-8-sig", newline="") as file:
        exported = list(csv.reader(file))
    assert len(table) == 119 + 30
    assert exported[1:] == [as_exported(row) for row in table]


@pytest.mark.browser
@pytest.mark.parametrize("query", ["", "?sensor=a-name-of-20-letters&start=2&end=1&range=1h&after=2026-11-20&cursor=x"])
@pytest.mark.parametrize("locale", ["ko-KR", "en-US"])
@pytest.mark.parametrize("width", [390, 768, 1920])
def test_the_table_scrolls_in_its_box_and_nothing_reaches_beyond_the_screen(
    new_page, user, watch, locale, width, query
):
    make_recording(60, machine="a-name-of-fifty-letters-which-is-all-that-may-be-1")
    if query:
        watch.expect_status(400)
    page = new_page(login=user, locale=locale, viewport={"width": width, "height": 844})
    page.goto(URL + query)
    assert page.evaluate(OVERFLOW) <= 0
    if not query:
        box = page.get_by_role("region")
        box.focus()
        page.keyboard.press("PageDown")
        for _attempt in range(1_200):  # Playwright's own waiting is an eval, which the policy forbids
            if scrolled := box.evaluate("(it) => it.scrollTop"):
                break
            page.wait_for_timeout(50)
        assert scrolled
        assert page.locator("thead th").first.is_visible()
        if width == 390:
            assert box.evaluate("(it) => it.scrollWidth > it.clientWidth")
            assert page.locator("caption span").bounding_box()["width"] < 390
