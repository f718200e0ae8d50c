"""What Prometheus is told, and who may read it."""

import os
import re
import subprocess
import sys
from datetime import timedelta
from functools import cached_property
from pathlib import Path

import pytest
import yaml
from django.conf import settings as project
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from diagnosis.models import Episode, Notice
from diagnosis.models.notices import Transition
from diagnosis.notices.clock import look
from diagnosis.notices.outbox import Event, tell
from diagnosis.states import FaultType
from diagnosis.storage.acts import Actor, acknowledge, shelve
from diagnosis.tests.notices_world import machine, subscription
from diagnosis.tests.world import ago, post
from himmes.accounts.models import ApiToken
from himmes.accounts.throttling import CallerThrottle
from himmes.api.tests.api_world import DIAGNOSIS, SAMPLE, Program, make_program, samples
from himmes.operations import health, metrics
from machines.clocks import SIGHTINGS, note_clock
from machines.models import Machine
from machines.tests.world import pass_a_step
from vibration.models import ImportRun, Recording
from vibration.tests.world import make_recording

pytestmark = pytest.mark.django_db
ROOT = Path(project.BASE_DIR)


@pytest.fixture(autouse=True)
def nobody_known():
    metrics._let_in.clear()


@pytest.fixture
def prometheus(roles):
    return make_program(roles, "viewer")


def scrape(program: Program):
    headers = {"Authorization": f"Bearer {program.token}"} if program.token else {}
    return program.client.get("/metrics", headers=headers)


def figures(program: Program) -> dict[tuple, float]:
    """Each figure by its name and then the values of its labels, in the order of the labels' names."""
    answer = scrape(program)
    assert answer.status_code == 200, answer.content
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.headers["Cache-Control"] == "no-store"
    return {
        (sample.name, *(value for _label, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


class Growth:
    """How much figures grew until the first is asked for; those that were not there counted as 0."""

    def __init__(self, program: Program):
        self.program, self.before = program, figures(program)

    @cached_property
    def after(self) -> dict[tuple, float]:
        return figures(self.program)

    def of(self, *key) -> float:
        return self.after.get(key, 0) - self.before.get(key, 0)


def away(monkeypatch) -> None:
    def fail():
        raise OperationalError(2002, "Can't connect to server")

    monkeypatch.setattr(health, "_see", fail)


# --- Who may


@pytest.mark.parametrize("role", ["viewer", "collector", "diagnoser", "administrator"])
def test_each_role_may_read_the_metrics(roles, role):
    assert figures(make_program(roles, role))["himmes_database_up",] == 1


def test_a_person_with_a_role_may_too(user):
    client = Client()
    client.force_login(user)
    assert figures(Program(None, client))["himmes_database_up",] == 1


def test_nobody_else_may(roles, django_user_model):
    assert scrape(Program(None, Client())).status_code == 401
    assert scrape(Program("0" * 64, Client())).status_code == 401
    newcomer = Client()
    newcomer.force_login(django_user_model.objects.create_user("newcomer"))
    assert scrape(Program(None, newcomer)).status_code == 403


def test_a_scraper_of_this_very_server_needs_no_https(prometheus, settings):
    settings.SECURE_SSL_REDIRECT = True
    assert scrape(prometheus).status_code == 200
    assert prometheus.get("machines").status_code == 301


# --- While the database is away


def test_without_the_database_a_known_token_gets_the_figures_of_the_process(prometheus, monkeypatch):
    assert figures(prometheus)["himmes_database_up",] == 1
    with monkeypatch.context() as patch:
        away(patch)
        told = figures(prometheus)
        assert told["himmes_database_up",] == 0
        assert ("himmes_disk_free_bytes", "uploads") in told
        assert any(name == "himmes_http_request_seconds_count" for name, *_labels in told)
        assert not any(name.startswith(("himmes_machines", "himmes_import")) for name, *_labels in told)
    assert figures(prometheus)["himmes_database_up",] == 1


def test_without_the_database_nothing_is_asked_of_it(prometheus, monkeypatch, django_assert_num_queries):
    figures(prometheus)
    away(monkeypatch)
    with django_assert_num_queries(0):
        figures(prometheus)


@pytest.mark.parametrize("error", [OperationalError(2013, "Lost connection"), connection.Database.Error(2006, "")])
def test_a_database_that_goes_during_the_scrape_is_away(prometheus, monkeypatch, error):
    figures(prometheus)

    def fail(now, *, unapplied):
        raise error

    monkeypatch.setattr(metrics, "read_figures", fail)
    assert figures(prometheus)["himmes_database_up",] == 0


def test_without_the_database_a_stranger_gets_nothing(prometheus, user, monkeypatch):
    person = Client()
    person.force_login(user)
    figures(Program(None, person))
    revoked = make_program({"viewer": prometheus_role()}, "viewer")
    figures(revoked)
    ApiToken.objects.order_by("-pk").first().delete()
    assert scrape(revoked).status_code == 401
    away(monkeypatch)
    for program in (prometheus, revoked, Program(None, person), Program("0" * 64, Client())):
        answer = scrape(program)
        assert answer.status_code == 503, program
        assert "database is away" in answer.json()["detail"]


def test_who_shows_neither_token_nor_session_is_refused_before_the_database_is_looked_at(monkeypatch):
    looks = []
    monkeypatch.setattr(health, "_see", lambda: looks.append(1) or health.Seen([], True))
    answer = scrape(Program(None, Client()))
    assert (answer.status_code, looks) == (401, [])
    assert scrape(Program("0" * 64, Client())).status_code == 401
    assert looks == [1]


def prometheus_role():
    return ApiToken.objects.get().role


def test_a_token_is_known_for_an_hour(prometheus, monkeypatch):
    figures(prometheus)
    away(monkeypatch)
    later = metrics.time.monotonic() + metrics.REMEMBERED_S
    monkeypatch.setattr(metrics.time, "monotonic", lambda: later - 60)
    assert scrape(prometheus).status_code == 200
    monkeypatch.setattr(metrics.time, "monotonic", lambda: later + 60)
    assert scrape(prometheus).status_code == 503


# --- What is counted


def test_requests_are_counted_by_the_name_of_the_page_never_by_the_path(prometheus):
    growth = Growth(prometheus)
    for path in ("/nothing-quagga", "/dodo/quagga", "/api/machines/7344", "/healthz", "/static/quagga.css"):
        prometheus.client.get(path)
    prometheus.client.generic("QUAGGA", "/login/")
    counted = "himmes_http_request_seconds_count"
    assert growth.of(counted, "GET", "4xx", "none") == 2
    assert growth.of(counted, "GET", "4xx", "api-machine") == 1
    assert growth.of(counted, "GET", "2xx", "healthz") == 1
    assert growth.of(counted, "GET", "4xx", "static") == 1
    assert growth.of(counted, "other", "4xx", "login") == 1
    assert not re.search("7344|quagga", re.sub(r"\S+$", "", scrape(prometheus).text, flags=re.MULTILINE), re.IGNORECASE)


def test_posted_rows_are_counted_by_what_became_of_them(roles, prometheus):
    collector, diagnoser = make_program(roles, "collector"), make_program(roles, "diagnoser")
    growth = Growth(prometheus)
    collector.post("vibration-data/bulk", samples(3))
    collector.post("vibration-data/bulk", [*samples(2), *samples(1, start=2, looseness=9.0)])
    collector.post("vibration-data/bulk", [*samples(3, start=9), SAMPLE | {"normal": "x"}])
    collector.post("vibration-data", SAMPLE | {"measured_time": 7})
    collector.post("vibration-data", SAMPLE | {"measured_time": "x"})
    file = SimpleUploadedFile("g1_sensor1.csv", b"0,1,2,3,4\n1,1,2,3,4\nx\n", "text/csv")
    collector.client.post(
        "/api/vibration-data/csv",
        {"file": file, "recording": "r2", "on_error": "skip"},
        headers={"Authorization": f"Bearer {collector.token}"},
    )
    diagnoser.post("vibration-diagnosis/bulk", [DIAGNOSIS, DIAGNOSIS])
    diagnoser.post("vibration-diagnosis", DIAGNOSIS | {"fault_type": 3})
    rows = "himmes_api_rows_total"
    classes = ("new", "identical", "conflicting", "rejected")
    assert [growth.of(rows, "samples", it, "json") for it in classes] == [4, 2, 1, 5]
    assert [growth.of(rows, "samples", it, "upload") for it in classes] == [2, 0, 0, 1]
    assert [growth.of(rows, "diagnoses", it, "json") for it in classes] == [1, 1, 1, 0]
    # The upload is an import, too.
    assert [growth.of("himmes_import_rows_total", it) for it in classes] == [2, 0, 0, 1]


def test_refusals_are_counted_by_status(prometheus, monkeypatch):
    growth = Growth(prometheus)
    prometheus.post("machines", {})
    with monkeypatch.context() as patch:
        patch.setattr(CallerThrottle, "THROTTLE_RATES", {"caller": "1/minute"})
        [prometheus.get("machines") for _ in range(3)]

    def fail(*arguments, **more):
        raise OperationalError(1205, "Lock wait timeout exceeded")

    monkeypatch.setattr("machines.api.MachineList.get", fail)
    prometheus.get("machines")
    refusals = "himmes_api_refusals_total"
    assert [growth.of(refusals, status) for status in ("403", "429", "503")] == [1, 3, 1]


def test_exceptions_are_counted_by_kind(prometheus, monkeypatch):
    growth = Growth(prometheus)
    monkeypatch.setattr("machines.api.MachineList.get", lambda *arguments, **more: 1 / 0)
    prometheus.client.raise_request_exception = False
    prometheus.get("machines")
    assert growth.of("himmes_errors_total", "ZeroDivisionError") == 1


def test_several_processes_are_added_up(tmp_path):
    """As gunicorn's workers: each counts in a file of its own, and whichever is asked tells of all."""
    count = "from vibration.metrics import ROWS; ROWS.labels('samples', 'json', 'new').inc(%d)"
    tell = "from himmes.operations.metrics import *; print(generate_latest(counted_so_far()).decode())"
    for number, program in enumerate((count % 3, count % 4, tell)):
        result = subprocess.run(
            [sys.executable, "-c", f"import django; django.setup(); {program}"],
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "himmes.settings",
                "PROMETHEUS_MULTIPROC_DIR": str(tmp_path),
                "DATABASE_URL": "sqlite://:memory:",
            },
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, (number, result.stderr)
    assert 'himmes_api_rows_total{data="samples",row_class="new",way="json"} 7.0' in result.stdout


# --- What is read


def make_run(outcome: str = "complete", *, minutes_ago: float = 1, sha256: str = "a", **more) -> ImportRun:
    run = ImportRun.objects.create(
        file_name="g1_sensor1.csv", file_size=1, sha256=sha256, place="g1 / sensor1 / default", outcome=outcome, **more
    )
    ImportRun.objects.filter(pk=run.pk).update(started_at=ago(minutes_ago))
    return run


def test_imports_are_summed_up(prometheus):
    make_run(new=5, identical=1)
    make_run("problems", new=2, conflicting=3, rejected=4)
    told = figures(prometheus)
    rows = {name: told["himmes_import_rows_total", name] for name in ("new", "identical", "conflicting", "rejected")}
    assert rows == {"new": 7, "identical": 1, "conflicting": 3, "rejected": 4}
    assert told["himmes_import_runs", "complete"] == told["himmes_import_runs", "problems"] == 1
    assert told["himmes_import_runs", "failed"] == 0
    assert told["himmes_imports_unfinished",] == told["himmes_import_stalled_seconds",] == 0


def test_an_import_that_stands_still_is_told_with_its_lag(prometheus):
    recording = make_recording(3)
    Recording.objects.update(last_written_at=ago(3))
    make_run("unfinished", minutes_ago=30, recording=recording)
    told = figures(prometheus)
    assert told["himmes_imports_unfinished",] == 1
    assert told["himmes_import_stalled_seconds",] == pytest.approx(180, abs=20)
    make_run("unfinished", minutes_ago=10, sha256="b")  # has stored nothing yet
    told = figures(prometheus)
    assert told["himmes_imports_unfinished",] == 2
    assert told["himmes_import_stalled_seconds",] == pytest.approx(600, abs=20)


def test_a_killed_import_is_told_of_until_it_is_repeated_or_a_week_old(prometheus):
    make_run("unfinished", minutes_ago=60)
    assert figures(prometheus)["himmes_imports_unfinished",] == 1
    make_run("complete", minutes_ago=50)
    assert figures(prometheus)["himmes_imports_unfinished",] == 0
    make_run("unfinished", minutes_ago=8 * 24 * 60, sha256="b")
    assert figures(prometheus)["himmes_imports_unfinished",] == 0


def test_machines_are_told_as_the_overview_shows_them(prometheus):
    post("g1", (5, 1))
    post("g2", (60 * 24, 2))
    post("g3", (5, 0))
    Machine.objects.create(name="g4")
    Machine.objects.create(name="gone", is_active=False)
    recording = make_recording(3)
    told = figures(prometheus)
    states = {state: told["himmes_machines", state] for state in ("unbalance", "stale", "none", "normal", "looseness")}
    assert states == {"unbalance": 1, "stale": 1, "none": 1, "normal": 1, "looseness": 0}
    now = timezone.now()
    assert told["himmes_machine_diagnosed_timestamp_seconds", "g1"] == pytest.approx(ago(5).timestamp(), abs=20)
    stored = told["himmes_machine_sample_stored_timestamp_seconds", "g1"]
    assert stored == pytest.approx(now.timestamp(), abs=20)
    assert ("himmes_machine_sample_taken_timestamp_seconds", "g1") not in told  # of this recording it is not known
    Recording.objects.filter(pk=recording.pk).update(last_collected_at=now - timedelta(hours=1))
    taken = figures(prometheus)["himmes_machine_sample_taken_timestamp_seconds", "g1"]
    assert taken == pytest.approx(ago(60).timestamp(), abs=20)


def test_alarms_are_told_by_what_was_done_about_them(prometheus):
    for name in ("g1", "g2", "g3", "g4"):
        post(name, (20, 3), (19, 3))
    post("g4", *((10 - number, 0) for number in range(5)))
    somebody, severity = Actor(None, "kim"), str(FaultType.UNBALANCE_LOOSENESS.alarm_severity)
    rows = {row.machine.name: row for row in Episode.objects.select_related("machine")}
    acknowledge(rows["g2"].pk, somebody, seen=rows["g2"].revision)
    shelve(rows["g3"].pk, somebody, seen=rows["g3"].revision, reason="overhaul", minutes=60)

    def told():
        found = figures(prometheus)
        stages = ("unacknowledged", "acknowledged", "shelved", "cleared")
        assert sum(found["himmes_alarms", "2", stage] for stage in stages) == 0
        return [found["himmes_alarms", severity, stage] for stage in stages]

    assert told() == [1, 1, 1, 1]
    Episode.objects.filter(pk=rows["g3"].pk).update(shelved_until=timezone.now())
    assert told() == [2, 1, 0, 1]


def test_what_is_odd_about_what_came_is_told_of_each_machine(prometheus):
    at = ago(-30)
    post("g1", (5, 1), (at, 2), (at, 3))
    recording = make_recording(3)
    ImportRun.objects.create(file_name="f", file_size=1, recording=recording, conflicting=7)
    for _ in range(SIGHTINGS):
        pass_a_step()
        note_clock("g1", ago(9 * 60), data="samples")
    post("g2", (5, 0))
    told = figures(prometheus)
    assert (told["himmes_machines", "unbalance"], told["himmes_machines", "looseness"]) == (1, 0)
    assert told["himmes_machine_ahead_seconds", "diagnoses", "g1"] == pytest.approx(1_800, abs=60)
    assert told["himmes_machine_ahead_seconds", "diagnoses", "g2"] == 0
    assert told["himmes_machine_clock_behind_seconds", "samples", "g1"] == 9 * 3_600
    assert told["himmes_machine_clock_behind_seconds", "diagnoses", "g1"] == 0
    conflicts = {
        (machine, way): told["himmes_machine_conflicting_rows", machine, way]
        for machine in ("g1", "g2")
        for way in ("posts", "files")
    }
    assert conflicts == {("g1", "posts"): 1, ("g1", "files"): 7, ("g2", "posts"): 0, ("g2", "files"): 0}


def test_a_scrape_asks_as_often_however_much_there_is(prometheus, django_assert_num_queries):
    figures(prometheus)
    for machines in (range(1), range(1, 20)):
        for number in machines:
            post(f"g{number}", (5, 0))
            make_recording(3, machine=f"g{number}")
            make_run("unfinished", sha256=str(number))
        # The token with its rights, recordings, captures, machines, conflicts of posts and of files, clocks, imports,
        # unfinished ones, what repeated these; notices that wait, the oldest, those given up, and the worker.
        with django_assert_num_queries(15):
            figures(prometheus)


def test_notices_that_wait_and_the_worker_are_told(prometheus, settings):
    settings.MAIL_IS_CONFIGURED = True
    subscription()
    now = timezone.now()
    tell(
        [Event(Transition.SILENT, machine(name).pk, None, now) for name in ("g1", "g2", "g3")], now - timedelta(hours=1)
    )
    first, _second, _third = Notice.objects.order_by("pk")
    first.given_up_at = now
    first.save()
    told = figures(prometheus)
    assert (told["himmes_notices_waiting",], told["himmes_notices_given_up",]) == (2, 1)
    assert told["himmes_notices_overdue_seconds",] == pytest.approx(3_600, abs=60)
    assert (told["himmes_mail_configured",], told["himmes_worker_seen_timestamp_seconds",]) == (1, 0)
    settings.MAIL_IS_CONFIGURED = False
    look(now)
    told = figures(prometheus)
    assert (told["himmes_notices_waiting",], told["himmes_notices_overdue_seconds",]) == (2, 0)
    assert told["himmes_mail_configured",] == 0
    assert told["himmes_worker_seen_timestamp_seconds",] == pytest.approx(now.timestamp())


def test_migrations_that_are_not_applied_are_told_and_their_tables_left_alone(prometheus, monkeypatch):
    monkeypatch.setattr(health, "_see", lambda: health.Seen(["machines.0009_later"], True))
    told = figures(prometheus)
    assert told["himmes_unapplied_migrations",] == 1
    assert ("himmes_machines", "normal") not in told


def test_the_build_is_told(prometheus, settings):
    settings.BUILD = "1.2-abc"
    answer = scrape(prometheus)
    assert f'himmes_build_info{{build="1.2-abc",database="{connection.vendor}"' in answer.text


# --- The documents


def exported(program: Program) -> set[str]:
    """The names of all figures, also of those that have no value yet."""
    names = set()
    for name, kind in re.findall(r"^# TYPE (himmes_\w+) (\w+)$", scrape(program).text, re.MULTILINE):
        names |= {f"{name}_{end}" for end in ("bucket", "count", "sum")} if kind == "histogram" else {name}
    return names


def test_every_metric_of_the_alert_rules_is_exported_and_described(prometheus):
    rules = yaml.safe_load((ROOT / "docs" / "prometheus-alerts.yaml").read_text())
    guide = (ROOT / "docs" / "operate.md").read_text()
    alerts = [rule for group in rules["groups"] for rule in group["rules"]]
    assert len(alerts) > 5
    names = exported(prometheus)
    for alert in alerts:
        used = set(re.findall(r"\bhimmes_\w+", alert["expr"]))
        assert used <= names, alert["alert"]
        assert used or "up{" in alert["expr"], alert["alert"]
        assert alert["annotations"]["summary"]
        assert f"`{alert['alert']}`" in guide


def test_every_metric_that_is_exported_is_in_the_guide_and_no_other(prometheus):
    described = set(re.findall(r"`(himmes_\w+)`", (ROOT / "docs" / "operate.md").read_text()))
    families = set(re.findall(r"^# TYPE (himmes_\w+)", scrape(prometheus).text, re.MULTILINE))
    assert described == families
