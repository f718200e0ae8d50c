"""Stored episodes equal what diagnoses and acts say, also when several write at the same time."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from diagnosis.models import Episode, EpisodeAct, VibrationDiagnosis
from diagnosis.storage import acts
from diagnosis.storage.acts import Moved
from diagnosis.storage.writing import delete_diagnoses
from diagnosis.tests.test_episodes import KIM, at, check
from diagnosis.tests.world import post
from machines.models import Machine, rule_of

pytestmark = pytest.mark.django_db(transaction=True)
MODELS = ["a-v1", "a-v2", "b"]


def at_once(*work: Callable[[], None]) -> None:
    """Each in a thread and with a connection of its own; raises what one of them raised."""

    def alone(it: Callable[[], None]) -> None:
        try:
            it()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(work)) as pool:
        list(pool.map(alone, work))


def writes(said: list[tuple[int, str, int]]) -> Callable[[], None]:
    """Posts one after the other, of a few diagnoses of one model each."""

    def write() -> None:
        for start in range(0, len(said), 6):
            for model in MODELS:
                some = [(at(minute), state) for minute, name, state in said[start : start + 6] if name == model]
                if some:
                    post("g1", *some, model=model)

    return write


def acts_on(chance: random.Random) -> Callable[[], None]:
    """A person who looks at any episode and does something; others may be faster."""

    def do_something() -> None:
        for _look in range(25):
            rows = list(Episode.objects.live())
            if not rows:
                continue
            row = chance.choice(rows)
            try:
                match chance.choice(["acknowledge", "shelve", "close"]):
                    case "acknowledge":
                        acts.acknowledge(row.pk, KIM, seen=row.revision)
                    case "shelve":
                        acts.shelve(row.pk, KIM, seen=row.revision, reason="overhaul", minutes=8)
                    case "close":
                        acts.close(row.pk, KIM, seen=row.revision, verdict="unclear")
            except (Moved, Episode.DoesNotExist):
                pass  # as it may be meanwhile

    return do_something


def administers() -> None:
    """Gives the machine other rules and deletes what it said."""
    for rule in ("1/1/2", "2/2/3", "2/3/4"):
        machine = Machine.objects.get()
        machine.episode_rule = rule
        machine.save()
        delete_diagnoses(list(VibrationDiagnosis.objects.order_by("detected_at")[5:8]))


@pytest.mark.parametrize("seed", range(3))
def test_two_who_post_two_who_act_and_one_who_changes_the_rule(seed):
    Machine.objects.create(name="g1")
    chance = random.Random(seed)
    said = [(minute, model, chance.choice([0, 0, 1, 1, 3])) for minute in range(30) for model in MODELS]
    chance.shuffle(said)
    for model in MODELS:
        post("g1", (at(40), 1), (at(41), 1), model=model)  # so that there is something to act on from the beginning
    first, second = said[:50], said[40:]  # some are sent by both
    at_once(writes(first), writes(second), acts_on(random.Random(seed)), acts_on(random.Random(-seed)), administers)
    assert EpisodeAct.objects.exists()
    check(rule_of(Machine.objects.get().episode_rule))
