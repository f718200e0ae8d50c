"""`prune_captures`: what alarms rest on stays; what it asks, shows and refuses."""

import os
import signal
import subprocess
import sys
from datetime import datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from diagnosis.models import Episode
from diagnosis.models.episodes import Attention
from diagnosis.storage.evidence import evidence
from diagnosis.tests.notices_world import episode, machine
from vibration.captures.pruning import Span
from vibration.captures.storing import remove_samples
from vibration.models import Capture, CaptureFeatures
from vibration.tests.captures_world import at, days_ago, stored
from vibration.tests.test_import_processes import database_url

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
DONE = {"ended_at": timezone.now(), "ending": "cleared", "attention": Attention.NONE, "standing": "closed"}


@pytest.fixture(autouse=True)
def signals():
    kept = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, kept)


def prune(*arguments: str) -> str:
    out = StringIO()
    call_command("prune_captures", "--no-input", "--pause=0", *arguments, stdout=out)
    return out.getvalue()


def left() -> list[datetime]:
    return list(Capture.objects.filter(has_samples=True).order_by("started_at").values_list("started_at", flat=True))


def test_the_days_around_the_opening_of_an_alarm_that_is_open_or_was_right_are_evidence():
    now = timezone.now()
    for number, fields in enumerate(
        [
            {},  # goes on
            {"ended_at": now, "ending": "cleared", "attention": Attention.ENDED},  # nobody has acknowledged it
            DONE | {"verdict": "right"},
            DONE | {"verdict": "false"},
            DONE | {"verdict": "unclear"},
            DONE | {"verdict": "right", "live": None},  # late data took it back
        ]
    ):
        episode(machine(f"m{number}"), opened_at=now, **fields)
    wanted = {machine(f"m{number}").pk: [Span(now - DAY, now + DAY)] for number in range(3)}
    assert evidence() == wanted


def test_evidence_stays_while_the_alarm_is_open_and_goes_when_it_was_false():
    captures = [at(days_ago(day)) for day in (40, 31.5, 30.5, 29.5, 28.5)]
    stored(*captures, at(days_ago(40), machine="g2"), at(days_ago(30), machine="g2"))
    opened = episode(machine("g1"), opened_at=days_ago(30))
    told = prune()
    assert "Captures whose samples were removed: 3," in told
    assert left()[-2:] == [captures[2].started_at, captures[3].started_at]
    assert len(left()) == 4  # and the reference of each machine
    Episode.objects.filter(pk=opened.pk).update(**DONE, verdict="false")
    assert "Captures whose samples were removed: 2," in prune()
    assert len(left()) == 2
    assert CaptureFeatures.objects.count() == Capture.objects.count() == 7


def test_it_shows_what_goes_and_what_stays_and_a_dry_run_ends_there():
    stored(*(at(days_ago(day)) for day in (20, 19, 18)), *(at(days_ago(day), machine="g2") for day in (20, 2)))
    told = prune("--dry-run")
    lines = [line.split() for line in told.splitlines()]
    assert lines[2][:2] == ["g1", "2"]
    assert lines[2][-4:-1] == ["0", "1", "0"]  # kept, reference, evidence
    assert lines[3][:2] == ["g2", "0"]
    assert lines[4][:3] == ["2", "machines", "2"]
    assert len(left()) == 5


def test_it_asks_and_takes_only_yes(monkeypatch):
    stored(at(days_ago(20)), at(days_ago(19)))
    for answer, says in (("y\n", "Nothing was removed"), ("", "nobody answered.*--no-input")):
        monkeypatch.setattr(sys, "stdin", StringIO(answer))
        with pytest.raises(CommandError, match=says):
            call_command("prune_captures", stdout=StringIO())
    assert len(left()) == 2
    monkeypatch.setattr(sys, "stdin", StringIO("yes\n"))
    call_command("prune_captures", stdout=StringIO())
    assert len(left()) == 1


def test_the_age_is_that_of_the_settings_or_the_one_that_is_given(settings):
    stored(*(at(days_ago(day)) for day in (40, 20, 10)))
    settings.KEEP_CAPTURES = timedelta(days=30)
    assert "None of them can be removed." in prune()
    settings.KEEP_CAPTURES = None
    with pytest.raises(CommandError, match=r"says forever.*give --older-than"):
        prune()
    assert "Captures whose samples were removed: 1," in prune("--older-than=15d")
    assert "There are no samples of captures from before" in prune("--older-than=90d")
    with pytest.raises(CommandError, match="less than a day"):
        prune("--older-than=23h")


def test_only_the_machines_that_are_named_and_an_unknown_one_is_an_error():
    for name in ("g1", "g2", "pump"):
        stored(*(at(days_ago(day), machine=name) for day in (20, 19)))
    prune("--machine=g1", "--machine=pump")
    gone = Capture.objects.filter(has_samples=False).values_list("sensor__machine__name", flat=True)
    assert sorted(gone) == ["g1", "pump"]
    with pytest.raises(CommandError, match=r"There is no machine pumb\. Perhaps: pump"):
        prune("--machine=pumb")


def test_what_others_remove_or_keep_in_the_meantime_is_told(monkeypatch):
    captures = stored(*(at(days_ago(day)) for day in (20, 19, 18)))

    def answer(question):
        Capture.objects.filter(pk=captures[1].pk).update(is_kept=True)
        remove_samples([captures[2].pk])
        return "yes"

    monkeypatch.setattr("builtins.input", answer)
    out = StringIO()
    call_command("prune_captures", stdout=out)
    assert "Captures whose samples were removed: 0," in out.getvalue()
    assert "2 were found: others stored, kept or deleted some in the meantime." in out.getvalue()


@pytest.mark.django_db(transaction=True)
def test_killed_at_any_instant_every_capture_is_whole_and_the_next_call_goes_on(settings):
    stored(*(at(days_ago(40 - number / 100)) for number in range(1_200)))
    arguments = [sys.executable, "manage.py", "prune_captures", "--no-input", "--pause=0"]
    killed = 0
    for _attempt in range(3):
        before = len(left())
        program = subprocess.Popen(arguments, env=os.environ | {"DATABASE_URL": database_url()})
        while program.poll() is None:
            if len(left()) < before:
                program.kill()
                killed += 1
                break
        program.wait()
        whole = Capture.objects.filter(has_samples=True, data__isnull=False)
        removed = Capture.objects.filter(has_samples=False, data__isnull=True)
        assert whole.count() + removed.count() == CaptureFeatures.objects.count() == 1_200
    assert killed
    prune()
    assert len(left()) == 1
