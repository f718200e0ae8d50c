"""Every list of the API is a flat JSON array: bounded, in pages, sent while it is read, and never cut unnoticed."""

import gzip
import itertools
import json
import random
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import DatabaseError, connection
from django.db.models import Q
from django.db.models.query import QuerySet
from django.test.utils import CaptureQueriesContext

from common.database.keysets import FETCHED_ROWS
from common.rest.lists import TableRows, UnknownCursor
from diagnosis.models import VibrationDiagnosis
from himmes.api.tests.api_world import make_program, next_page, rows_of, samples
from himmes.tests.test_serving import Served, read_all
from himmes.tests.test_unavailable import READS, database_away
from himmes.wsgi_handler import Handler
from machines.models import Machine, Sensor
from vibration.api.sample_list import SampleRows
from vibration.models import Recording, VibrationData
from vibration.storage.reading import places_of
from vibration.tests.world import make_recording

pytestmark = pytest.mark.django_db
LISTS = ["machines", "sensors", "recordings", "vibration-data", "vibration-diagnosis"]
LONG = LISTS[3:]
BEGIN = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def program(roles):
    return make_program(roles, "administrator")


@pytest.fixture
def few_at_a_time(monkeypatch):
    """What is read in lists of 5,000 elsewhere is so in lists of 3."""
    for module in (
        "common.database.keysets",
        "common.rest.lists",
        "vibration.storage.reading",
        "vibration.api.sample_list",
    ):
        monkeypatch.setattr(f"{module}.FETCHED_ROWS", 3)


def diagnose(count: int, *, machine: str = "g1", begin: datetime = BEGIN, model: str = "") -> None:
    found, _created = Machine.objects.get_or_create(name=machine)
    VibrationDiagnosis.objects.bulk_create(
        [
            VibrationDiagnosis(
                machine=found, detected_at=begin + timedelta(seconds=i), fault_type=i % 4, model_name=model
            )
            for i in range(count)
        ]
    )


def make_world() -> None:
    """Ten rows and more in each list; equal instants, and names of which one begins with the other."""
    for machine in ("g1", "g10", "g 1", "G1", "펌프"):
        for sensor in ("s1", "s10", "S1"):
            make_recording(2, machine=machine, sensor=sensor)
        for model in ("", "a", "ab"):
            diagnose(3, machine=machine, model=model)
    for number in range(10):
        Machine.objects.create(name=f"m{number}", is_active=number % 2 == 0)


def pages(program, path: str) -> list[list[dict]]:
    found = []
    while path:
        answer = program.get(path)
        found.append(rows_of(answer))
        path = next_page(answer)
    return found


def chained(found: list[list[dict]]) -> list[dict]:
    return [row for page in found for row in page]


# --- Pages


@pytest.mark.parametrize("path", LISTS)
def test_the_pages_of_a_list_have_each_of_its_rows_once(program, few_at_a_time, path):
    make_world()
    whole = rows_of(program.get(path))
    assert len(whole) > 10
    assert len({row["id"] for row in whole}) == len(whole)
    for limit in (1, 4, 1_000):
        found = pages(program, f"{path}?limit={limit}")
        assert chained(found) == whole, limit
        assert {len(page) for page in found[:-1]} <= {limit}
        assert 0 < len(found[-1]) <= limit


def test_lists_are_in_the_order_that_they_say(program, few_at_a_time):
    make_world()
    assert [row["name"] for row in rows_of(program.get("machines"))] == sorted(
        Machine.objects.values_list("name", flat=True)
    )
    places = [(row["machine_name"], row["sensor_no"]) for row in rows_of(program.get("sensors"))]
    assert places == sorted(places)
    assert len(places) == Sensor.objects.count()
    times = [row["detected_at"] for row in rows_of(program.get("vibration-diagnosis"))]
    assert times == sorted(times, reverse=True)


@pytest.mark.parametrize("path", LISTS)
def test_an_empty_list_is_an_empty_array(program, path):
    answer = program.get(path)
    assert answer.json() == []
    assert "Link" not in answer.headers


@pytest.mark.parametrize("path", LISTS)
def test_more_rows_than_an_answer_may_have_are_behind_its_link(program, few_at_a_time, settings, path):
    make_world()
    whole = rows_of(program.get(path))
    settings.API_MAX_RESULT_ROWS = 7
    found = pages(program, path)
    assert chained(found) == whole
    assert {len(page) for page in found[:-1]} == {7}
    for limit in (4, 4_000):  # read at once; sent while it is read
        answer = program.get(path, {"limit": limit})
        assert len(rows_of(answer)) == min(limit, 7)
        assert answer.headers.get("X-Limit") == ("7" if limit > 7 else None)
    assert program.get(path).headers.get("X-Limit") is None


def test_a_limit_above_the_cap_is_cut_and_the_answer_says_so(program):
    make_world()
    for path, limit in itertools.product(LISTS, (10**9, 10**30)):
        answer = program.get(path, {"limit": limit})
        assert (answer.status_code, answer.headers["X-Limit"]) == (200, "250000"), (path, limit)


def test_the_short_lists_say_how_many_rows_they_have_in_all(program):
    make_world()
    counted = {"machines": Machine, "sensors": Sensor, "recordings": Recording, "vibration-data": VibrationData}
    for path, model in counted.items():
        for query in ("", "?limit=2"):
            assert program.get(path + query).headers["X-Total-Count"] == str(model.objects.count())
    assert program.get("machines?is_active=false").headers["X-Total-Count"] == "5"
    assert program.get("vibration-data?machine_name=g1").headers["X-Total-Count"] == "6"
    for path in ("vibration-diagnosis", "vibration-data?measured_time_min=0"):
        assert "X-Total-Count" not in program.get(path).headers


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("machines", "is_active=true&limit=2"),
        ("recordings", "machine_name=%ED%8E%8C%ED%94%84&limit=2"),
        (
            "vibration-data",
            "machine_name=g+1&measured_time_max=1e3&collected_at_before=2100-01-01T00:00%2B09:00&limit=2",
        ),
        ("vibration-diagnosis", "fault_type=1&fault_type=2&detected_at_before=2100-01-01T00:00:00&limit=2"),
    ],
)
def test_a_link_leads_on_with_the_same_filters(program, path, query):
    make_world()
    VibrationData.objects.update(collected_at=BEGIN)
    whole = rows_of(program.get(f"{path}?{query.removesuffix('&limit=2')}"))
    answer = program.get(f"{path}?_=1732509&{query}")
    asked = parse_qs(urlsplit(next_page(answer)).query)
    assert asked.pop("cursor")
    assert asked == parse_qs(query)
    assert chained(pages(program, f"{path}?{query}")) == whole
    assert len(whole) > 2


def test_a_link_is_of_the_address_under_which_the_caller_knows_the_server(program, settings):
    make_world()
    headers = {"Authorization": f"Bearer {program.token}", "Host": "mes.example.org"}
    settings.ALLOWED_HOSTS = ["mes.example.org"]
    answer = program.client.get("/api/machines/?limit=1", headers=headers, secure=True)
    assert answer.headers["Link"].startswith("<https://mes.example.org/api/machines/?limit=1&cursor=")
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    answer = program.client.get("/api/machines?limit=1", headers=headers | {"X-Forwarded-Proto": "https"})
    assert answer.headers["Link"].startswith("<https://mes.example.org/api/machines?limit=1&cursor=")
    answer = program.client.get("/api/machines?limit=1", headers=headers | {"X-Forwarded-Proto": "http"})
    assert answer.headers["Link"].startswith("<http://mes.example.org/")


def test_scripts_of_other_origins_may_read_what_a_list_says_beside_its_rows(program, settings):
    settings.CORS_ALLOWED_ORIGINS = ["https://panel.example"]
    answer = program.get("machines", headers={"Origin": "https://panel.example"})
    exposed = set(answer.headers["Access-Control-Expose-Headers"].split(", "))
    assert {"Link", "X-Limit", "X-Total-Count"} <= exposed


@pytest.mark.parametrize(("path", "query"), READS)
def test_the_cache_buster_of_a_script_says_nothing(program, path, query):
    make_recording(3)
    path = path.replace("machines/1", f"machines/{Machine.objects.get().pk}")
    program.get("machines")  # notes the use of the token
    for value in ("1732509301123", "", "x&_=y"):
        answer = program.get(f"{path}?_={value}&{'&'.join(f'{name}={it}' for name, it in query.items())}".rstrip("&"))
        assert answer.status_code == 200, answer.content


# --- While rows arrive


def test_a_page_begins_where_the_one_before_has_ended_whatever_arrives_or_goes(program, few_at_a_time):
    """Neither a number of rows to pass over, nor a row that has to be there still."""
    for sensor in ("s1", "s2"):
        make_recording(10, sensor=sensor)
    before = {row["id"] for row in rows_of(program.get("vibration-data"))}
    seen, path, number = [], "vibration-data?limit=4", 0
    while path:
        answer = program.get(path)
        seen += rows_of(answer)
        path, number = next_page(answer), number + 1
        program.post("vibration-data/bulk", samples(2, start=number, step=0.0001, sensor_no="s1"))
        program.post("vibration-data/bulk", samples(1, start=100 + number, sensor_no="s2"))
        if number == 2:  # the row where the next page begins
            recording, time = path.rpartition("=")[2].split("%3A")
            VibrationData.objects.filter(recording=recording, measured_time=float(time)).delete()
            before.remove(f"{recording}:{time}")
    ids = [row["id"] for row in seen]
    assert len(set(ids)) == len(ids)
    assert before <= set(ids)


@pytest.mark.parametrize("path", LONG)
def test_pages_share_no_row_and_leave_none_out_while_rows_arrive_within_them(program, settings, few_at_a_time, path):
    def arrive(number: int) -> None:
        program.post("vibration-data/bulk", samples(9, start=number, step=0.0007, sensor_no=f"s{number % 5}"))
        diagnose(3, begin=BEGIN + timedelta(microseconds=number + 1), model="late")
        diagnose(3, begin=BEGIN + timedelta(days=number + 1), model="new")

    for sensor in ("s1", "s2", "s3"):
        make_recording(30, sensor=sensor)
    diagnose(90)
    before = [row["id"] for row in rows_of(program.get(path))]
    settings.API_MAX_RESULT_ROWS = 20
    seen, following, number = [], path, 0
    while following:
        answer, chunks = program.get(following), []
        assert answer.streaming or not next_page(answer)
        for chunk in answer:
            chunks.append(chunk)
            number += 1
            if number < 60:
                arrive(number)
        seen += [row["id"] for row in json.loads(b"".join(chunks))]
        following = next_page(answer)
    assert len(seen) == len(set(seen))
    assert set(before) <= set(seen)
    kept = set(before)
    assert [it for it in seen if it in kept] == before


def test_a_page_that_was_asked_for_by_number_has_no_row_more(program, monkeypatch):
    """Rows that arrive in this very moment are for the next page."""
    make_recording(10)
    first = SampleRows.first

    def first_and_more(self, start, count):
        program.post("vibration-data/bulk", samples(5, start=50))
        return first(self, start, count)

    monkeypatch.setattr(SampleRows, "first", first_and_more)
    answer = program.get("vibration-data?limit=10")
    assert len(rows_of(answer)) == 10
    assert len(rows_of(program.get(next_page(answer)))) == 5


# --- Sent while it is read


@pytest.fixture
def many(path):
    """More samples, in several recordings, or diagnoses than three reads take: what the test's list is of."""
    if path == "vibration-diagnosis":
        diagnose(16_445)
    else:
        for sensor, count in (("s1", 4_000), ("s2", 100), ("s3", 12_345)):
            make_recording(count, sensor=sensor)


@pytest.mark.parametrize("path", LONG)
def test_a_long_list_is_whole_and_sent_in_parts(program, many, path):
    answer = program.get(path)
    assert answer.streaming
    assert answer.headers["Content-Type"] == "application/json"
    assert not {"Content-Length", "Link", "X-Limit"} & set(answer.headers)
    chunks = list(answer.streaming_content)
    rows = json.loads(b"".join(chunks))
    assert len(chunks) == 5  # four reads, and the end
    assert len({row["id"] for row in rows}) == len(rows) == 16_445
    assert rows == chained(pages(program, f"{path}?limit=4999"))
    half = program.get(path, {"limit": 9_000})
    assert rows_of(half) == rows[:9_000]
    assert rows_of(program.get(next_page(half))) == rows[9_000:]


@pytest.mark.parametrize("path", LONG)
def test_a_long_list_is_compressed_for_who_takes_that(program, many, path):
    answer = program.get(path, headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    body = answer.getvalue()
    assert len(body) < 1_000_000
    assert json.loads(gzip.decompress(body)) == rows_of(program.get(path))


@pytest.mark.parametrize("path", LONG)
def test_a_long_list_is_negotiated_as_every_answer_is(program, many, path):
    assert program.get(path, headers={"Accept": "text/html"}).status_code == 406
    indented = program.get(path, headers={"Accept": "application/json; indent=2"})
    assert rows_of(indented) == rows_of(program.get(path, {"format": "json"}))
    assert "Accept" in indented.headers["Vary"]
    head = program.client.head(f"/api/{path}?limit=9000", headers={"Authorization": f"Bearer {program.token}"})
    assert head.headers["Link"] == program.get(path, {"limit": 9_000}).headers["Link"]
    assert head.getvalue() == b""
    assert "Content-Length" not in head.headers


@pytest.mark.parametrize(
    ("path", "made"), [(LONG[0], "vibration.api.sample_list.as_rows"), (LONG[1], "diagnosis.api.views.as_rows")]
)
def test_no_more_rows_are_held_than_one_read_takes(program, many, monkeypatch, path, made):
    """However long the list: a row is made when the ones before were sent."""
    module, _dot, name = made.rpartition(".")
    as_rows = getattr(__import__(module, fromlist=[name]), name)
    counted = []

    def count(*given):
        for row in as_rows(*given):
            counted.append(row["id"])
            yield row

    monkeypatch.setattr(made, (lambda *given: list(count(*given))) if "diagnosis" in made else count)
    answer = program.get(path)
    assert len(counted) == 5_000
    for number, _chunk in enumerate(answer.streaming_content, start=1):
        assert len(counted) <= 5_000 * number
    assert len(counted) == 16_445


# --- A database that goes away in the middle


@pytest.fixture
def goes_away(monkeypatch):
    """goes_away(3): the database goes away before the third read of a list, for good."""
    fetch = QuerySet._fetch_all
    reads = []
    with ExitStack() as until_the_end:

        def goes_away(number: int) -> None:
            def fetch_or_fail(self):
                if self._result_cache is None and self.query.high_mark == FETCHED_ROWS:
                    reads.append(self.model)
                    if len(reads) == number:
                        until_the_end.enter_context(database_away())
                fetch(self)

            monkeypatch.setattr(QuerySet, "_fetch_all", fetch_or_fail)

        yield goes_away


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", LONG)
def test_before_the_first_row_it_is_a_503(program, many, goes_away, path):
    goes_away(1)
    assert program.get(path).status_code == 503


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("path", LONG)
def test_a_list_that_breaks_off_is_no_shorter_list(program, many, goes_away, path, compressed):
    goes_away(3)
    answer = program.get(path, headers={"Accept-Encoding": "gzip"} if compressed else {})
    assert answer.status_code == 200
    received = []
    with pytest.raises(DatabaseError):
        received.extend(answer.streaming_content)  # keeps what came before
    assert received
    if compressed:
        with pytest.raises(EOFError):
            gzip.decompress(b"".join(received))
    else:
        with pytest.raises(ValueError, match=r"Expecting|delimiter"):
            json.loads(b"".join(received))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("version", ["1.1", "1.0"])
@pytest.mark.parametrize("path", LONG)
def test_over_the_line_it_is_seen_to_be_no_whole_answer(program, many, goes_away, monkeypatch, path, version):
    """HTTP/1.1: its last chunk does not come. HTTP/1.0 knows no chunks: it is no JSON."""
    monkeypatch.setattr(Served, "application", staticmethod(Handler()))
    served = Served()
    goes_away(3)
    try:
        lines = [f"GET /api/{path} HTTP/{version}", "Host: testserver", f"Authorization: Bearer {program.token}"]
        with served.call("".join(f"{line}\r\n" for line in [*lines, ""]).encode()) as caller:
            head, _empty, body = read_all(caller).partition(b"\r\n\r\n")
    finally:
        served.close()
    assert head.startswith(b"HTTP/%s 200" % version.encode())
    assert len(body) > 1_000_000
    assert (b"Transfer-Encoding: chunked" in head) == (version == "1.1")
    assert not body.endswith((b"0\r\n\r\n", b"]"))
    if version == "1.0":
        with pytest.raises(ValueError, match=r"Expecting|delimiter"):
            json.loads(body)


# --- Where a page of samples ends


def test_the_end_of_a_page_is_found_whatever_is_asked(few_at_a_time):
    """Beside all of its rows, which are what it is to be counted by."""
    for number, count in enumerate((0, 7, 1, 0, 0, 30, 2, 2, 2, 0, 1, 12, 0)):
        make_recording(count, sensor=f"s{number}")
    VibrationData.objects.filter(measured_time__lt=0.004).update(collected_at=BEGIN)
    places = places_of(Recording.objects.order_by("pk"))
    windows = [
        Q(),
        Q(measured_time__gte=0.001, measured_time__lte=0.006),
        Q(measured_time__gte=0.011),
        Q(collected_at__gte=BEGIN),
        Q(measured_time__gte=99),
    ]
    generator = random.Random(1)
    for window in windows:
        keys = list(
            VibrationData.objects.filter(window)
            .order_by("recording", "measured_time")
            .values_list("recording_id", "measured_time")
        )
        listing = SampleRows(places, window)
        starts = [None, *generator.sample(keys, min(8, len(keys))), (places[3].pk, 0.5), (places[-1].pk + 1, 0.0)]
        for start in starts:
            left = [key for key in keys if start is None or key >= start]
            for number in {0, 1, 2, 3, 5, 8, len(left) - 1, len(left), len(left) + 1, 10_000} - {-1}:
                expected = left[number] if number < len(left) else None
                assert listing.key_at(start, number) == expected, (window, start, number)
                listed = [row["id"] for rows in listing.read(start, expected) for row in rows]
                assert listed == [listing.cursor_of(key) for key in left[:number]]


def test_hundreds_of_recordings_with_a_row_or_none_each_take_few_statements(django_assert_max_num_queries):
    recording = make_recording(0)
    Recording.objects.bulk_create([Recording(sensor=recording.sensor, name=f"r{n}") for n in range(600)])
    places = [it._replace(sample_count=100_000) for it in places_of(Recording.objects.order_by("pk"))]
    with django_assert_max_num_queries(12):
        assert SampleRows(places, Q(measured_time__gte=1)).key_at(None, 250_000) is None


def test_a_list_of_which_it_is_known_that_it_fits_is_not_counted(django_assert_num_queries):
    for sensor in ("s1", "s2"):
        make_recording(50, sensor=sensor)
    listing = SampleRows(places_of(Recording.objects.order_by("pk")), Q())
    with django_assert_num_queries(0):
        assert listing.key_at(None, 250_000) is None
    with pytest.raises(UnknownCursor):
        listing.key_of("1:x")


@pytest.mark.skipif(connection.vendor != "mysql", reason="says how MariaDB and MySQL find it")
def test_the_end_of_a_page_of_diagnoses_is_found_in_an_index():
    diagnose(2_000)
    listing = TableRows(VibrationDiagnosis.objects.newest_first(), list)
    with CaptureQueriesContext(connection) as queries:
        assert listing.key_at(None, 1_500)
    with connection.cursor() as cursor:
        # What MariaDB says without being asked, MySQL says in a tree.
        form = "" if connection.mysql_is_mariadb else "FORMAT=TRADITIONAL "
        cursor.execute(f"EXPLAIN {form}{queries[0]['sql']}")
        [plan] = cursor.fetchall()
    # Of the table nothing is read, and nothing is sorted.
    assert plan[-1] in ("Using index", "Backward index scan; Using index")
