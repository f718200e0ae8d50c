"""What is odd about posted rows: kept for people and told to the poster, who may well read nothing but the status."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from himmes.api.tests.api_world import DIAGNOSIS, SAMPLE, Program, make_program, samples
from machines.clocks import SIGHTINGS
from machines.conflicts import KEPT_FOR
from machines.models import ClockLag, PostConflict
from machines.tests.world import pass_a_step
from vibration.models import Recording, VibrationData

pytestmark = pytest.mark.django_db
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def plant_time(instant) -> str:
    """Without an offset."""
    return timezone.localtime(instant).replace(tzinfo=None).isoformat()


# --- Conflicts --------------------------------------------------------------------------------------------------------


def test_diagnoses_in_conflict_are_kept_with_the_last_one(diagnoser):
    rows = [DIAGNOSIS, DIAGNOSIS | {"fault_type": 1}, DIAGNOSIS | {"fault_type": 3, "confidence": 0.5}]
    answer = diagnoser.post("vibration-diagnosis/bulk", [*rows, DIAGNOSIS | {"machine_name": "g2"}])
    assert (answer.status_code, answer.json()["conflicting"]) == (200, 2)
    [kept] = PostConflict.objects.all()
    assert (kept.machine.name, kept.machine_name, kept.data, kept.rows) == ("g1", "g1", "diagnoses", 2)
    assert kept.poster == "diagnoser-program / diagnoser"
    assert kept.day == timezone.localdate(kept.first_at)
    assert kept.last_key == "detected_at 2026-11-20T09:30:00+09:00"
    assert kept.last_stored == "fault_type 2 (looseness), confidence None"
    assert kept.last_came == "fault_type 3 (unbalance_looseness), confidence 0.5"


def test_samples_in_conflict_are_kept_for_each_machine(collector):
    collector.post("vibration-data/bulk", samples(3) + samples(3, machine_name="g2"))
    changed = samples(3, looseness=0.5) + samples(1, machine_name="g2", looseness=0.5, recording="default")
    answer = collector.post("vibration-data/bulk", changed + samples(1, start=7))
    assert (answer.status_code, answer.json()["conflicting"], answer.json()["inserted"]) == (200, 4, 1)
    kept = {it.machine.name: it for it in PostConflict.objects.all()}
    assert {name: it.rows for name, it in kept.items()} == {"g1": 3, "g2": 1}
    assert kept["g1"].last_key == "sensor1 / default, measured_time 0.002"
    assert kept["g1"].last_stored == (
        "normal 0.25, unbalance -2.448986, looseness -0.234687, unbalance_looseness 4.145351"
    )
    assert kept["g1"].last_came == "normal 0.25, unbalance -2.448986, looseness 0.5, unbalance_looseness 4.145351"
    assert kept["g1"].data == "samples"


def test_two_rows_of_one_list_may_be_in_conflict_with_each_other(collector):
    collector.post("vibration-data/bulk", [SAMPLE, SAMPLE | {"normal": 1.0}])
    kept = PostConflict.objects.get()
    assert (kept.rows, kept.last_stored.split(",")[0], kept.last_came.split(",")[0]) == (
        1,
        "normal -0.740463",
        "normal 1.0",
    )


def test_single_posts_in_conflict_are_kept_too(collector, diagnoser):
    for program, path, row, change in (
        (collector, "vibration-data", SAMPLE, {"normal": 1.0}),
        (diagnoser, "vibration-diagnosis", DIAGNOSIS, {"fault_type": 0}),
    ):
        assert program.post(path, row).status_code == 201
        assert [program.post(path, row | change).status_code for _ in range(3)] == [409, 409, 409]
    assert sorted(PostConflict.objects.values_list("data", "rows")) == [("diagnoses", 3), ("samples", 3)]


def test_each_day_and_poster_has_a_row_and_its_first_and_last_time(diagnoser, roles):
    other = make_program(roles, "collector")
    diagnoser.post("vibration-diagnosis", DIAGNOSIS)
    for _ in range(2):
        diagnoser.post("vibration-diagnosis", DIAGNOSIS | {"fault_type": 0})
    kept = PostConflict.objects.get()
    assert kept.first_at < kept.last_at <= timezone.now()
    yesterday = timezone.now() - timedelta(days=1)
    PostConflict.objects.update(day=timezone.localdate(yesterday), last_at=yesterday)
    diagnoser.post("vibration-diagnosis", DIAGNOSIS | {"fault_type": 0})
    other.post("vibration-data", SAMPLE)
    other.post("vibration-data", SAMPLE | {"normal": 0.0})
    assert sorted(PostConflict.objects.values_list("poster", "rows")) == [
        ("collector-program / collector", 1),
        ("diagnoser-program / diagnoser", 1),
        ("diagnoser-program / diagnoser", 2),
    ]


def test_they_are_kept_for_a_year_and_when_their_machine_is_gone(diagnoser, collector):
    diagnoser.post("vibration-diagnosis/bulk", [DIAGNOSIS, DIAGNOSIS | {"fault_type": 0}])
    kept = PostConflict.objects.get()
    kept.machine.diagnoses.all().delete()
    kept.machine.delete()
    kept.refresh_from_db()
    assert (kept.machine, kept.machine_name) == (None, "g1")
    PostConflict.objects.update(last_at=timezone.now() - KEPT_FOR + HOUR)
    collector.post("vibration-data/bulk", [SAMPLE, SAMPLE | {"normal": 0.0}])
    assert PostConflict.objects.count() == 2
    PostConflict.objects.filter(pk=kept.pk).update(last_at=timezone.now() - KEPT_FOR - HOUR)
    collector.post(
        "vibration-data/bulk", [SAMPLE | {"machine_name": "g2"}, SAMPLE | {"machine_name": "g2", "normal": 0}]
    )
    assert set(PostConflict.objects.values_list("machine_name", flat=True)) == {"g1", "g2"}
    assert not PostConflict.objects.filter(pk=kept.pk).exists()


def test_a_post_without_conflict_does_not_ask_for_them(collector, diagnoser):
    with CaptureQueriesContext(connection) as queries:
        for _ in range(2):
            collector.post("vibration-data/bulk", samples(3))
            collector.post("vibration-data", SAMPLE)
            diagnoser.post("vibration-diagnosis/bulk", [DIAGNOSIS])
            diagnoser.post("vibration-diagnosis", DIAGNOSIS | {"detected_at": "2026-11-20T09:31:00Z"})
    assert not [it["sql"] for it in queries if "postconflict" in it["sql"]]
    assert len([it["sql"] for it in queries if "clocklag" in it["sql"]]) <= 1  # which clocks lag, for all of them


def test_what_was_kept_out_by_retention_is_no_conflict(collector):
    collector.post("vibration-data/bulk", samples(3))
    VibrationData.objects.all().delete()
    Recording.objects.update(pruned_before=1.0, pruned_at=timezone.now())
    assert collector.post("vibration-data/bulk", samples(3)).json()["conflicting"] == 3
    assert not PostConflict.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_many_posts_in_conflict_at_once_are_all_counted(roles):
    """Of the same machines in another order, of samples in other recordings, of diagnoses: no post fails for it."""
    collector, diagnoser = make_program(roles, "collector"), make_program(roles, "diagnoser")
    machines = ["g1", "g2", "g3"]
    of_samples = [SAMPLE | {"machine_name": name, "recording": f"r{i}"} for name in machines for i in range(4)]
    of_diagnoses = [DIAGNOSIS | {"machine_name": name} for name in machines]
    collector.post("vibration-data/bulk", of_samples)
    diagnoser.post("vibration-diagnosis/bulk", of_diagnoses)

    def post(number: int) -> list[int]:
        try:
            clients = [Program(it.token, Client()) for it in (collector, diagnoser)]
            rows = [it | {"normal": number + 1.0} for it in of_samples if it["recording"] == f"r{number % 4}"]
            said = [it | {"fault_type": 1} for it in of_diagnoses]
            if number % 2:
                rows, said = rows[::-1], said[::-1]
            answers = clients[0].post("vibration-data/bulk", rows), clients[1].post("vibration-diagnosis/bulk", said)
            return [answer.status_code for answer in answers]
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(post, range(24)))
    assert statuses == [[200, 200]] * 24
    kept = sorted(PostConflict.objects.values_list("machine_name", "data", "rows"))
    assert kept == [(name, data, 24) for name in machines for data in ("diagnoses", "samples")]


# --- Times ahead ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ahead", [42 * MINUTE, 20 * MINUTE])
def test_a_time_ahead_is_stored_and_told_of(collector, diagnoser, ahead):
    at = plant_time(timezone.now() + ahead)
    told = f"{at} of machine g1 lies "
    for path in ("vibration-diagnosis", "vibration-diagnosis/bulk"):
        row = DIAGNOSIS | {"detected_at": at, "model_name": path}
        answer = diagnoser.post(path, [DIAGNOSIS, row] if "bulk" in path else row)
        [note] = answer.json()["notes"]
        assert (answer.status_code, note.startswith(f"detected_at {told}")) == (200 if "bulk" in path else 201, True)
        assert "ahead of the server's clock" in note
    for path, time in (("vibration-data", 1.0), ("vibration-data/bulk", 2.0)):
        row = SAMPLE | {"collected_at": at, "measured_time": time}
        answer = collector.post(path, [SAMPLE, row] if "bulk" in path else row)
        [note] = answer.json()["notes"]
        assert (answer.status_code, note.startswith(f"collected_at {told}")) == (200 if "bulk" in path else 201, True)


def test_with_nothing_to_tell_there_are_no_notes(collector, diagnoser):
    now = (timezone.now() + timedelta(seconds=3)).isoformat()  # clocks that are kept right differ by less
    answers = [
        diagnoser.post("vibration-diagnosis", DIAGNOSIS | {"detected_at": now}),
        diagnoser.post("vibration-diagnosis/bulk", [DIAGNOSIS]),
        diagnoser.post("vibration-diagnosis/bulk", []),
        collector.post("vibration-data", SAMPLE),
        collector.post("vibration-data/bulk", samples(2)),
        collector.post("vibration-data/bulk", [SAMPLE | {"collected_at": None, "measured_time": 9.0}]),
    ]
    assert [answer.status_code for answer in answers] == [201, 200, 200, 201, 200, 200]
    assert not [answer.json() for answer in answers if "notes" in answer.json()]


# --- Clocks that lag --------------------------------------------------------------------------------------------------


def lagging(program: Program, path: str, row: dict, field: str, behind: timedelta, posts: int) -> list[str]:
    """Post so many times as a clock set back would say, as many steps apart; the notes of the last answer."""
    for number in range(posts):
        pass_a_step()
        changed = row | {field: plant_time(timezone.now() - behind)}
        if "measured_time" in row:
            changed["measured_time"] = float(timezone.now().timestamp() % 1_000_000)
        answer = program.post(path, [changed] if path.endswith("bulk") else changed)
        assert answer.status_code in (200, 201), number
    return answer.json().get("notes", [])


@pytest.mark.parametrize("end", ["", "/bulk"])
@pytest.mark.parametrize(
    ("role", "data", "path", "row", "field", "source"),
    [
        ("collector", "samples", "vibration-data", SAMPLE, "collected_at", "collector: sensor1"),
        ("diagnoser", "diagnoses", "vibration-diagnosis", DIAGNOSIS, "detected_at", "diagnoser"),
    ],
)
def test_a_clock_in_utc_is_told_of_in_the_answer(roles, end, role, data, path, row, field, source):
    program = make_program(roles, role)
    assert lagging(program, path + end, row, field, 9 * HOUR, SIGHTINGS - 1) == []
    [note] = lagging(program, path + end, row, field, 9 * HOUR + MINUTE, 1)
    assert "9 h behind the server's clock" in note
    assert "seems to be set to UTC" in note
    lag = ClockLag.objects.get()
    assert (lag.data, lag.source) == (data, f"{role}-program / {source}")


def test_it_is_over_with_the_first_right_time(diagnoser):
    lagging(diagnoser, "vibration-diagnosis", DIAGNOSIS, "detected_at", 9 * HOUR, SIGHTINGS)
    assert ClockLag.objects.exists()
    assert lagging(diagnoser, "vibration-diagnosis", DIAGNOSIS, "detected_at", MINUTE, 1) == []
    assert not ClockLag.objects.exists()


@pytest.mark.parametrize("offset", ["+09:00", "+0900", "+09", "Z", "z", "-05:00"])
def test_times_with_an_offset_are_no_sign_of_a_clock(diagnoser, offset):
    zone = datetime.fromisoformat(f"2026-01-01T00:00:00{offset.upper()}").tzinfo
    for _ in range(SIGHTINGS + 2):
        pass_a_step()
        at = (timezone.now() - 9 * HOUR).astimezone(zone).replace(tzinfo=None).isoformat() + offset
        answer = diagnoser.post("vibration-diagnosis", DIAGNOSIS | {"detected_at": at})
        assert (answer.status_code, "notes" in answer.json()) == (201, False)
    assert not ClockLag.objects.exists()


def test_rows_are_told_to_be_stored_when_the_clock_can_not_be_noted(diagnoser, monkeypatch, caplog):
    def fail(*args, **more):
        raise OperationalError("gone")

    monkeypatch.setattr("machines.arrivals.note_clock", fail)
    answer = diagnoser.post("vibration-diagnosis/bulk", [DIAGNOSIS])
    assert (answer.status_code, answer.json()["inserted"]) == (200, 1)
    assert "How late the times of g1 come can't be noted: gone" in caplog.text


def test_old_rows_beside_the_newest_do_not_matter(diagnoser):
    for _ in range(SIGHTINGS):
        pass_a_step()
        now = timezone.now()
        times = [plant_time(now - 9 * HOUR - days * 24 * HOUR) for days in (2, 0, 1)]
        answer = diagnoser.post("vibration-diagnosis/bulk", [DIAGNOSIS | {"detected_at": at} for at in times])
    assert "9 h behind" in answer.json()["notes"][0]


# --- An instant in the place of seconds -------------------------------------------------------------------------------


@pytest.mark.parametrize("time", [1772668800.5, 1_772_668_800])
def test_seconds_since_1970_are_stored_and_told_of(collector, time):
    rows = [SAMPLE, SAMPLE | {"measured_time": time}, SAMPLE | {"measured_time": time + 1}]
    answer = collector.post("vibration-data/bulk", rows).json()
    assert answer["inserted"] == 3
    [note] = answer["notes"]
    assert f"measured_time {float(time)!r} of row 1 looks like seconds since 1970, 2026-03-05T00:00:00Z" in note
    assert "so do 2 of 3 rows" in note
    assert "notes" in collector.post("vibration-data", SAMPLE | {"measured_time": time}).json()


@pytest.mark.parametrize(
    ("time", "unit"),
    [(1772668800500, "milliseconds"), (1772668800500_000, "microseconds"), (1772668800500_000_000, "nanoseconds")],
)
def test_finer_ones_are_refused_by_what_they_are(collector, time, unit):
    for path, body in (("vibration-data", SAMPLE), ("vibration-data/bulk", [SAMPLE])):
        changed = SAMPLE | {"measured_time": time}
        answer = collector.post(path, [changed] if isinstance(body, list) else changed)
        [error] = answer.json()["errors"]
        assert answer.status_code == 400
        assert f"{time} looks like {unit} since 1970, 2026-03-05T00:00:00Z." in error["message"]


@pytest.mark.parametrize("time", [0.0, 86_400.0 * 365, 5e8])
def test_what_may_be_seconds_from_a_start_is_not_told_of(collector, time):
    assert "notes" not in collector.post("vibration-data/bulk", [SAMPLE | {"measured_time": time}]).json()
