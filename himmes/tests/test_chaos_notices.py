"""`make chaos-notices` in small, and that it would notice what it looks for."""

from collections import Counter

from bench.chaos_notices.__main__ import judged
from bench.chaos_notices.receivers import Got
from himmes.tests.bench_world import told_by

NOTICES = {"opened-1-1-1": "email", "cleared-1-2-1": "email", "opened-1-1-2": "webhook"}
ARRIVED = [Got("email", "opened-1-1-1", 1), Got("email", "cleared-1-2-1", 2), Got("webhook", "opened-1-1-2", 3)]


def told(*got: Got) -> dict:
    found = judged(NOTICES, list(got), Counter())
    return {name: found[name] for name in ("lost", "repeated", "without_id", "out_of_order") if found[name]}


def test_notices_that_are_sent_while_receivers_are_away_arrive_later():
    found = told_by("chaos_notices", "--sqlite", "--kills=0", "--machines=2", "--down-seconds=1", "--workers=1")
    assert found["ok"]
    assert (found["notices"], found["lost"], found["repeated"], found["without_id"]) == (8, 0, 0, 0)


def test_what_arrived_once_and_in_order_is_fine():
    assert told(*ARRIVED) == {}


def test_what_is_lost_repeated_nameless_or_out_of_order_is_counted():
    assert told(*ARRIVED[:2]) == {"lost": 1}
    assert told(*ARRIVED, ARRIVED[0], ARRIVED[0]) == {"repeated": 2}
    assert told(*ARRIVED, Got("email", "", 4)) == {"without_id": 1}
    assert told(ARRIVED[1], ARRIVED[0]._replace(at=5), ARRIVED[2]) == {"out_of_order": 1}
    assert told(*ARRIVED[:2], ARRIVED[2]._replace(channel="email")) == {"lost": 1}
