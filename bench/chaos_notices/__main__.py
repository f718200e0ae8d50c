"""Workers that send notices are killed again and again, and no notice is lost: `make chaos-notices`.

Machines fall ill and get well, in the code that stores their diagnoses; two people want to be told, one by e-mail and
one by webhook. Two workers (`manage.py work`) send to a mail server and a web server of this program's own, on the
loopback. The receivers kill all workers at instants that matter: half of the times before a notice has been said, half
after it was received and before its sender knows. Killed workers are started again, as systemd would. In the middle
both receivers are down for a while.

Afterwards each notice in the outbox must be noted as sent and must have arrived; each message must carry the key of
one; and of each machine "opened" must have come before "cleared". The last line is JSON; the exit status is 1 if
anything is off.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections import Counter
from datetime import datetime, timedelta
from itertools import cycle
from pathlib import Path
from threading import RLock

from bench.chaos_notices.receivers import Got, Kept, Moment, Receivers
from bench.own_database import own_database
from bench.serving import free_port
from bench.waiting import wait_until

MACHINES = 20
DOWN_S = 25.0  # how long the receivers are away
STEP_S = 0.05


class Workers:
    """So many processes of `manage.py work`, started again whenever they are killed."""

    def __init__(self, number: int, log: Path):
        self._number, self._log = number, log
        self._lock = RLock()
        self._running: list[subprocess.Popen] = []
        self.kills = Counter[str]()

    def __enter__(self) -> "Workers":
        self.start()
        return self

    def __exit__(self, *args: object) -> None:
        with self._lock:
            for it in self._running:
                it.terminate()
            for it in self._running:
                it.wait()

    def start(self) -> None:
        with self._lock, self._log.open("ab") as log:
            command = [sys.executable, "manage.py", "work", "--every=1"]
            self._running = [subprocess.Popen(command, stdout=log, stderr=log) for _number in range(self._number)]

    def kill(self, moment: Moment) -> None:
        """SIGKILL, so that none of them can put anything in order; then others take their place."""
        with self._lock:
            for it in self._running:
                it.kill()
            for it in self._running:
                it.wait()
            self.kills[moment.value] += 1
            self.start()


def diagnosed(machine: str, states: list[int], until: datetime) -> None:
    """Store these diagnoses of a machine, one a second up to an instant."""
    import numpy as np

    from diagnosis.history.reading import microseconds
    from diagnosis.storage.writing import post_diagnoses

    number = len(states)
    instants = [microseconds(until - timedelta(seconds=it)) for it in range(number - 1, -1, -1)]
    post_diagnoses(
        {
            "machine_name": [machine] * number,
            "detected_at": np.array(instants, np.int64).astype("datetime64[us]"),
            "fault_type": states,
            "model_name": ["cnn-v3"] * number,
            "confidence": np.full(number, 0.9),
        }
    )


def subscribe(web_port: int) -> None:
    from django.contrib.auth import get_user_model

    from diagnosis.models import Subscription

    for channel, target in (("email", "kim@example.org"), ("webhook", f"http://127.0.0.1:{web_port}/alarms")):
        user = get_user_model().objects.create_superuser(channel)
        Subscription.objects.create(user=user, channel=channel, target=target, transitions=["opened", "cleared"])


def run(folder: Path, given: argparse.Namespace) -> dict:
    from django.core.management import call_command
    from django.utils import timezone

    from diagnosis.models import Notice

    call_command("migrate", verbosity=0)
    mail_port, web_port = int(os.environ["CHAOS_MAIL_PORT"]), free_port()
    subscribe(web_port)
    machines = [f"g{number}" for number in range(1, given.machines + 1)]
    moments = cycle(Moment)
    began = time.monotonic()
    with Workers(given.workers, folder / "workers.log") as workers:
        kept = Kept(workers.kill)
        with Receivers(kept, mail_port, web_port) as receivers:
            receivers.up()

            def kill() -> None:
                before = workers.kills.total()
                kept.arm(next(moments))
                wait_until(lambda: workers.kills.total() > before, "a worker came", every_s=STEP_S)
                print(f"killed {workers.kills.total()} of {given.kills} times", flush=True)

            start = timezone.now() - timedelta(minutes=5)
            for number, kills in enumerate(_spread(given.kills, 2 * given.machines)):
                name, falls_ill = machines[number % given.machines], number < given.machines
                states, at = ([1, 1, 1], start) if falls_ill else ([0] * 6, start + timedelta(minutes=1))
                diagnosed(name, states, at)
                if number == given.machines:
                    receivers.down()
                    print(f"receivers are down for {given.down_seconds:g} s", flush=True)
                    time.sleep(given.down_seconds)
                    receivers.up()
                for _number in range(kills):
                    kill()
            wait_until(lambda: not Notice.objects.filter(sent_at=None).exists(), "all was sent", every_s=STEP_S)
    notices = dict(Notice.objects.values_list("key", "subscription__channel"))
    return judged(notices, kept.got, workers.kills) | {"seconds": round(time.monotonic() - began)}


def _spread(kills: int, steps: int) -> list[int]:
    """How many kills come after each step, in all so many."""
    return [(number + 1) * kills // steps - number * kills // steps for number in range(steps)]


def judged(notices: dict[str, str], got: list[Got], kills: Counter[str]) -> dict:
    """What became of the notices, of which each key has its channel."""
    arrived = Counter((it.channel, it.key) for it in got)
    lost = [key for key, channel in notices.items() if not arrived[channel, key]]
    return {
        "notices": len(notices),
        "kills": kills.total(),
        "kills_before_sending": kills[Moment.BEFORE.value],
        "kills_after_receipt": kills[Moment.AFTER.value],
        "lost": len(lost),
        "repeated": sum(count - 1 for count in arrived.values()),
        "without_id": sum(it.key not in notices for it in got),
        "out_of_order": out_of_order(got),
    }


def out_of_order(got: list[Got]) -> int:
    """How many episodes were said to be over before they were said to have begun."""
    first: dict[tuple[str, str, str], float] = {}
    for it in got:
        transition, episode = it.key.split("-")[:2] if it.key else ("", "")
        first.setdefault((it.channel, episode, transition), it.at)
    return sum(
        first.get((channel, episode, "opened"), at) > at
        for (channel, episode, transition), at in first.items()
        if transition == "cleared"
    )


def main() -> None:
    parser = argparse.ArgumentParser("chaos_notices", description=__doc__.splitlines()[0])
    parser.add_argument("--sqlite", action="store_true", help="on SQLite instead of MariaDB")
    parser.add_argument("--kills", type=int, default=20, help="%(default)s")
    parser.add_argument("--machines", type=int, default=MACHINES, help="each falls ill and gets well; %(default)s")
    parser.add_argument("--workers", type=int, default=2, help="%(default)s")
    parser.add_argument("--down-seconds", type=float, default=DOWN_S, help="of the receivers; %(default)s")
    given = parser.parse_args()
    mail_port = str(free_port())
    variables = {
        "CHAOS_MAIL_PORT": mail_port,
        "DJANGO_EMAIL_URL": f"smtp://127.0.0.1:{mail_port}",
        "DJANGO_EMAIL_FROM": "mes@example.org",
        "DJANGO_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8",
        "DJANGO_EPISODE_RULE": "2/3/5",
        "DJANGO_PRUNE_AFTER": "",
        "DJANGO_KEEP_CAPTURES": "forever",
        "DJANGO_SITE_URL": "",
    }
    with own_database("chaos-notices", sqlite=given.sqlite, **variables) as folder:
        result = run(folder, given)
        log = (folder / "workers.log").read_text(errors="replace")
    # A killed worker says nothing; a traceback is that of one which failed.
    if "Traceback" in log:
        print(log[log.index("Traceback") :][:5_000], file=sys.stderr)
    result["ok"] = (
        not (result["lost"] or result["without_id"] or result["out_of_order"] or "Traceback" in log)
        and result["kills"] == given.kills
    )
    print(json.dumps(result))
    sys.exit(not result["ok"])


if __name__ == "__main__":
    main()
