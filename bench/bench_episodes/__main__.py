"""What keeping episodes costs, and how long their pages take: `make bench-episodes`.

The database holds a million diagnoses of 200 machines and some 20,000 episodes, of which a part was acted on. All are
stored by the code that stores what comes in by the API. A request is the whole WSGI application with the settings of
production, in this process, as in bench/bench_pages.

A post is a list of diagnoses as an AI sends it: one of each of 200 machines, five of each, 200 of each of five. It is
timed with the keeping of episodes and without it, by turns, each for machines of its own that have as many diagnoses;
`post_with_over_without` is the ratio of the medians, of the list for which it is largest.

A late diagnosis lies in the middle of a machine's history, in a fault or beside one, and changes what was; it is one
post of one row. `rebuild_s` is how long `manage.py rebuild_episodes` takes, which must change nothing.

JSON: milliseconds (medians), ratios.
"""

import argparse
import os
import statistics
import time
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from unittest.mock import patch

import django

from bench.serving import AS_IN_PRODUCTION

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "himmes.settings")
os.environ.setdefault("DJANGO_SECRET_KEY", "benchmark-" * 6)
os.environ |= AS_IN_PRODUCTION | {"DJANGO_LOG_LEVEL": "WARNING"}  # the lines of the requests would hide the report
django.setup()

import numpy as np  # noqa: E402  Django first
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from bench.much_data import fill, post  # noqa: E402
from bench.page_requests import Request, at  # noqa: E402
from bench.report import print_report  # noqa: E402
from bench.whole_requests import Poster, Site, analyze  # noqa: E402
from diagnosis.history.reading import instant_of, microseconds  # noqa: E402
from diagnosis.models import Episode, VibrationDiagnosis  # noqa: E402
from diagnosis.storage import acts, episodes  # noqa: E402
from diagnosis.storage.acts import Actor  # noqa: E402
from diagnosis.storage.writing import rebuild_episodes  # noqa: E402
from diagnosis.synthetic import make_confidences  # noqa: E402
from machines.models import Machine  # noqa: E402

DAYS = 180
FAULTY, GOAL_RATIO, GOAL_MS = 15, 1.5, 100  # diagnoses of a stretch of a fault; goals
LISTS = {"one row": (1, 1), "200 of one": (1, 200), "1 of each of 200": (200, 1), "5 of each of 200": (200, 5)}
LISTS |= {"200 of each of 5": (5, 200)}
SOMEBODY = Actor(None, "bench")


# --- What is in the database


def make_states(count: int, stretches: int, random: np.random.Generator) -> np.ndarray:
    """States of a machine that is faulty for some time again and again; within it now and then one says normal."""
    states = np.zeros(count, np.int64)
    for start in np.linspace(0, count - 2 * FAULTY, stretches).astype(int):
        states[start : start + FAULTY] = random.integers(1, 4)
        states[start + random.integers(0, FAULTY)] = 0
    return states


def fill_database(machines: int, diagnoses: int, wanted_episodes: int) -> list[str]:
    """The names of its machines; half of them are for posts with episodes, the others for posts without."""
    fill(300_000, machines, 0)
    names = list(Machine.objects.order_by("pk").values_list("name", flat=True))
    each = diagnoses // machines
    shape = len(names), each
    step = timedelta(days=DAYS) / each
    end = timezone.now() - timedelta(hours=1)
    instants, states, confidences = np.empty(shape, "datetime64[us]"), np.empty(shape, np.int64), np.empty(shape)
    for number in range(len(names)):
        random = np.random.default_rng([1, number])
        rising = np.arange(each)[::-1] * (step // timedelta(microseconds=1))
        instants[number] = (microseconds(end - step * number / len(names)) - rising).astype("datetime64[us]")
        states[number] = make_states(each, wanted_episodes // machines, random)
        confidences[number] = make_confidences(each, random)
    order = np.argsort(instants, axis=None, kind="stable")
    machine = np.repeat(np.arange(len(names)), each)[order].tolist()
    post([names[it] for it in machine], instants.ravel()[order], states.ravel()[order], confidences.ravel()[order])
    return names


def act_on_some(every: int) -> int:
    """Of each so many episodes one is acknowledged, one closed, one shelved, as people leave them."""
    done = 0
    for number, row in enumerate(Episode.objects.order_by("opened_at").iterator()):
        match number % every:
            case 0:
                acts.acknowledge(row.pk, SOMEBODY, seen=row.revision, comment="is looked after")
            case 1:
                acts.close(row.pk, SOMEBODY, seen=row.revision, verdict="right", found=row.fault_type)
            case 2 if row.is_active:
                acts.shelve(row.pk, SOMEBODY, seen=row.revision, reason="overhaul", minutes=600)
            case _:
                continue
        done += 1
    return done


# --- Posts


def rows_of(names: list[str], each: int, first: int, random: np.random.Generator) -> list[dict]:
    """The next diagnoses, a millisecond apart; of each tenth machine they say a fault."""
    return [
        {
            "machine_name": name,
            "detected_at": instant_of(first + number * 1_000).isoformat(),
            "fault_type": int(random.integers(1, 3)) if place % 10 == 0 else 0,
            "model_name": "synthetic",
            "confidence": 0.9,
        }
        for number in range(each)
        for place, name in enumerate(names)
    ]


def clock() -> Iterator[int]:
    """Microseconds since 1970, each later than all that was posted before, and none ahead."""
    return count(microseconds(timezone.now() - timedelta(minutes=55)), 1_000_000)


def posts(poster: Poster, names: list[str], times: int) -> dict[str, tuple[float, float]]:
    """Of each kind of list the median seconds with episodes and without."""
    half = len(names) // 2
    halves, instants = (names[:half], names[half:]), clock()
    found = {}
    for kind, (machines, each) in LISTS.items():
        took: tuple[list[float], list[float]] = ([], [])
        random = np.random.default_rng(3)
        for turn in range(times + 3):
            first = next(instants)
            for way in (0, 1) if turn % 2 else (1, 0):
                rows = rows_of(halves[way][:machines], each, first, random)
                if way == 0:
                    spent = poster.post(rows)
                else:
                    with patch.object(episodes, "take", lambda new, rules: None):
                        spent = poster.post(rows)
                if turn >= 3:
                    took[way].append(spent)
        found[kind] = statistics.median(took[0]), statistics.median(took[1])
    return found


def late(poster: Poster, names: list[str], times: int) -> tuple[float, float]:
    """Median seconds of a post of one row: in the middle of a history, and in its order."""
    in_order, too_late = [], []
    random = np.random.default_rng(4)
    for turn, name in zip(range(times), names, strict=False):
        of_machine = Episode.objects.filter(machine__name=name).order_by("opened_at")
        middle = of_machine[(of_machine.count() - 1) * (turn + 1) // (times + 1)]
        offset = timedelta(seconds=int(random.integers(-3600, 3600)))
        for instant, kept in ((middle.opened_at + offset, too_late), (timezone.now(), in_order)):
            row = {"machine_name": name, "detected_at": instant.isoformat(), "fault_type": 1, "model_name": "synthetic"}
            kept.append(poster.post([row]))
    return statistics.median(too_late), statistics.median(in_order)


# --- Pages


def requests(names: list[str]) -> list[Request]:
    story = Episode.objects.filter(follows=None, ended_at__isnull=False).order_by("-opened_at").first()
    acted = Episode.objects.exclude(verdict="").order_by("-opened_at").first()
    tabs = [Request(f"alarms, {tab}", at("alarms", tab=tab)) for tab in ("open", "shelved", "cleared", "closed")]
    return [
        Request("alarms", at("alarms")),
        *tabs,
        Request("alarms of a machine", at("alarms", machine=names[3], tab="closed")),
        Request("episode", at("alarm", story.pk)),
        Request("episode, acted on", at("alarm", acted.pk)),
        Request("overview", at("home")),
        Request("machine", at("machine", names[3])),
        Request("diagnoses", at("dashboard")),
        Request("history of a machine", at("history", machine=names[3])),
        Request("timeline", at("timeline")),
        Request("API, episodes", at("api-episodes", limit=100)),
        Request("API, latest", at("api-latest")),
    ]


def main() -> None:
    parser = argparse.ArgumentParser("bench_episodes", description=__doc__.splitlines()[0])
    parser.add_argument("--diagnoses", type=int, default=1_000_000, help="%(default)s")
    parser.add_argument("--machines", type=int, default=200, help="beside as many without episodes; %(default)s")
    parser.add_argument("--episodes", type=int, default=20_000, help="about so many; %(default)s")
    parser.add_argument("--requests", type=int, default=31, help="timed, of each kind; %(default)s")
    given = parser.parse_args()
    assert connection.vendor == "mysql", "this benchmark wants MariaDB or MySQL in DATABASE_URL"
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    began = time.perf_counter()
    names = fill_database(given.machines, given.diagnoses, given.episodes)
    done = act_on_some(20)
    analyze()
    counts = [model.objects.count() for model in (VibrationDiagnosis, Machine, Episode)]
    print("{:,} diagnoses, {:,} machines, {:,} episodes".format(*counts), f"({done:,} acted on)", end=" ")
    print(f"in {time.perf_counter() - began:.0f} s")

    site = Site()
    took = {it.name: site.measure(it, given.requests) for it in requests(names)}
    poster = Poster(site, "diagnoser", "api-diagnosis-bulk")
    without = [f"without {name}" for name in names]
    Machine.objects.bulk_create(Machine(name=name) for name in without)
    found = posts(poster, names + without, given.requests)
    late_s, in_order_s = late(poster, names, given.requests)
    began = time.perf_counter()
    changed = sum(map(rebuild_episodes, Machine.objects.filter(name__in=names)))
    rebuild_s = time.perf_counter() - began
    assert changed == 0, changed

    lines = [
        [kind, f"{with_ * 1e3:,.1f}", f"{bare * 1e3:,.1f}", f"{with_ / bare:.2f}"]
        for kind, (with_, bare) in found.items()
    ]
    lines.append(
        [
            "one that is late / in order",
            f"{late_s * 1e3:,.1f}",
            f"{in_order_s * 1e3:,.1f}",
            f"{late_s / in_order_s:.2f}",
        ]
    )
    lines += [[name, f"{it.ms:,.1f}", "", f"{it.queries} queries"] for name, it in took.items()]
    lines.append(["rebuild of all episodes", f"{rebuild_s * 1e3:,.0f}", "", ""])
    numbers = {
        "post_with_over_without": round(max(with_ / bare for with_, bare in found.values()), 2),
        "alarms_page_ms": round(took["alarms"].ms, 1),
        "episode_page_ms": round(max(took["episode"].ms, took["episode, acted on"].ms), 1),
        "slowest_page_ms": round(max(it.ms for it in took.values()), 1),
        "late_diagnosis_ms": round(late_s * 1e3, 1),
        "in_order_diagnosis_ms": round(in_order_s * 1e3, 1),
        "rebuild_s": round(rebuild_s, 1),
    }
    title = f"On {connection.mysql_server_info}; goals: {GOAL_RATIO} times, {GOAL_MS} ms"
    print_report(title, ["what", "ms", "without, ms", "ratio"], lines, numbers)


if __name__ == "__main__":
    main()
