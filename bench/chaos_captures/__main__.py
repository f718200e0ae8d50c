"""Whoever stores captures is killed again and again, and none is lost or doubled: `make chaos-captures`.

Three ways, one after the other, on a database of this program's own: files by `manage.py import_captures`, messages by
`manage.py mqtt_gateway` and a Mosquitto of its own, posts to the application (gunicorn). On each the process that
stores gets SIGKILL at random instants, spread over the work by what is stored by then, and is started again, as systemd
or a person would; the broker is restarted now and then, too. The seed decides when, as far as a clock can be decided.

Afterwards each capture that was in a file, was acknowledged by the broker or by the application must be stored once,
with its samples, and nothing else; and its features must be those that a rebuild gives. The last line is JSON; the exit
status is 1 if anything is off.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Event, Thread
from urllib.parse import urlencode, urlsplit

from bench.chaos_captures.made import AXES, Made
from bench.own_database import own_database
from bench.serving import children_of, in_production
from bench.waiting import PATIENCE_S, wait_until

KILLED_UNTIL = 0.9  # of the work
WITHIN_S = 0.05  # from what was waited for to the kill: a few times as long as storing one takes
POSTERS = 3
BROKER_KILLS = 5  # so many kills of the gateway to one restart of the broker
WAYS = ("files", "messages", "posts")


def stored(way: str) -> int:
    """Captures of a way, by now."""
    from common.database.transactions import Patience
    from vibration.models import Capture

    return Patience(60).until_done(lambda: Capture.objects.filter(sensor__machine__name=way).count())


def instants(way: str, count: int, kills: int, choose: random.Random, gave_up: Event | None = None) -> Iterator[int]:
    """The numbers of the kills, each as so much is stored as it is due; `gave_up` ends the waiting."""
    for number in range(kills):
        wanted = int((number + choose.random()) / kills * KILLED_UNTIL * count * len(AXES))
        wait_until(lambda wanted=wanted: stored(way) >= wanted, f"{wanted} captures of {way} are stored", gave_up)
        time.sleep(choose.uniform(0, WITHIN_S))
        yield number


class Program:
    """A command of ours in a process of its own, which is started again after each kill."""

    def __init__(self, log: Path, *command: str, **variables: str):
        self._log, self._command, self._variables = log, command, variables
        self.process = self._start()

    def _start(self) -> subprocess.Popen:
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "manage.py", *self._command], stdout=log, stderr=log, env=os.environ | self._variables
            )

    def kill(self) -> bool:
        """Whether it was at work still."""
        was_running = self.process.poll() is None
        self.process.kill()
        self.process.wait()
        self.process = self._start()
        return was_running

    def __enter__(self) -> "Program":
        return self

    def __exit__(self, *error: object) -> None:
        self.process.kill()
        self.process.wait()


def by_files(folder: Path, made: list[Made], kills: int, choose: random.Random) -> int:
    files = folder / "files"
    files.mkdir()
    for it in made:
        (files / it.file_name).write_bytes(it.file)
    command = ("import_captures", str(files), "--axis", ",".join(AXES), "--unit", "g", "--yes")
    done = 0
    with Program(folder / "import.log", *command) as program:
        for _number in instants("files", len(made), kills, choose):
            done += program.kill()
        if program.process.wait(PATIENCE_S):
            sys.exit((folder / "import.log").read_text(errors="replace")[-5_000:])
    return done


def by_messages(folder: Path, made: list[Made], kills: int, choose: random.Random) -> int:
    from vibration.tests.broker_world import Broker, Publisher

    place = folder / "broker"
    place.mkdir()
    broker = Broker(place, "allow_anonymous true", "max_queued_messages 0")
    done = 0
    try:
        with Program(folder / "gateway.log", "mqtt_gateway", DJANGO_MQTT_URL=broker.url) as program:
            log = folder / "gateway.log"
            wait_until(lambda: "subscribed to" in log.read_text(errors="replace"), "the gateway has subscribed")
            publisher = Publisher(broker.port)
            for it in made:
                publisher.send(it.topic, it.message)  # comes back once it is acknowledged
            publisher.close()
            for number in instants("messages", len(made), kills, choose):
                if number % BROKER_KILLS == BROKER_KILLS - 1:
                    broker.stop()
                    broker.start()
                done += program.kill()
            wait_until(lambda: stored("messages") >= len(made) * len(AXES), "all messages are stored")
            program.process.terminate()
            if program.process.wait(PATIENCE_S):
                sys.exit(log.read_text(errors="replace")[-5_000:])
    finally:
        broker.stop()
    return done


class Poster(Thread):
    """Posts its share of the captures, and each again until it is acknowledged."""

    def __init__(self, address: str, token: str, made: list[Made], end: Event):
        super().__init__(daemon=True)
        self._host, self._token, self._made, self._end = urlsplit(address).netloc, token, made, end
        self.faults: list[str] = []

    def run(self) -> None:
        for it in self._made:
            while not self._end.is_set() and not self._is_acknowledged(it):
                self._end.wait(0.05)

    def _is_acknowledged(self, made: Made) -> bool:
        query = urlencode({"machine_name": made.way, "sensor_no": "de", "axis": ",".join(AXES)} | made.said)
        headers = {
            "Authorization": f"Bearer {self._token}",
            "Content-Type": "application/octet-stream",
            "X-Forwarded-Proto": "https",  # as its proxy says
        }
        connection = HTTPConnection(self._host, timeout=30)
        try:
            connection.request("POST", f"/api/captures?{query}", made.counts.tobytes(), headers)
            answer = connection.getresponse()
            said = answer.read()
        except (OSError, HTTPException):  # its server was killed
            return False
        finally:
            connection.close()
        if answer.status not in (200, 201, 502, 503):
            self.faults.append(f"a post was answered by {answer.status}: {said[:500].decode(errors='replace')}")
            self._end.set()
        return answer.status in (200, 201)


def by_posts(folder: Path, made: list[Made], kills: int, choose: random.Random) -> int:
    from django.contrib.auth import get_user_model
    from django.contrib.auth.models import Group

    from himmes.accounts.tokens import make_token

    role = Group.objects.get(name="collector")
    user = get_user_model().objects.create_user("chaos")
    user.groups.add(role)
    token = make_token(user, role, name="chaos")[1]
    end, done = Event(), 0
    with in_production(folder, workers=2, pages=False) as application:
        posters = [Poster(application.address, token, made[number::POSTERS], end) for number in range(POSTERS)]
        for it in posters:
            it.start()
        for _number in instants("posts", len(made), kills, choose, end):
            wait_until(lambda: bool(children_of(application.pid)), "gunicorn has a process")
            os.kill(choose.choice(children_of(application.pid)), signal.SIGKILL)
            done += 1
        for it in posters:
            it.join(PATIENCE_S)
        end.set()
    if faults := [fault for it in posters for fault in it.faults]:
        sys.exit(faults[0])
    return done


def run(folder: Path, given: argparse.Namespace) -> dict:
    from django.core.management import call_command

    from bench.chaos_captures.checks import wrong_captures, wrong_features

    call_command("migrate", verbosity=0)
    began = time.monotonic()
    everything, kills = [], {}
    for way, work in zip(WAYS, (by_files, by_messages, by_posts), strict=True):
        made = [Made(way, number, given.seed) for number in range(given.captures)]
        everything += made
        kills[way] = work(folder, made, given.kills, random.Random(f"{given.seed} {way}"))
        print(f"{way}: killed {kills[way]} times, {stored(way):,} captures are stored", flush=True)
    wrong = [*wrong_captures(everything), *wrong_features()]
    logs = "\n".join(log.read_text(errors="replace") for log in folder.glob("*.log"))
    if "Traceback" in logs:
        wrong.append(f"a process wrote a traceback: {logs[logs.index('Traceback') :][:5_000]}")
    wrong += [f"{way}: the work was over after {count} kills" for way, count in kills.items() if count < given.kills]
    for text in wrong[:20]:
        print(text, file=sys.stderr)
    return {
        "captures": len(everything) * len(AXES),
        "samples": sum(len(values) for it in everything for _key, values in it.axes()),
        "kills": kills,
        "wrong": len(wrong),
        "seconds": round(time.monotonic() - began),
        "ok": not wrong,
    }


def main() -> None:
    parser = argparse.ArgumentParser("chaos_captures", description=__doc__.splitlines()[0])
    parser.add_argument("--sqlite", action="store_true", help="on SQLite instead of MariaDB")
    parser.add_argument("--kills", type=int, default=5, help="on each way; %(default)s")
    parser.add_argument("--captures", type=int, default=200, help="of three axes, on each way; %(default)s")
    parser.add_argument("--seed", type=int, default=1, help="of captures and instants; %(default)s")
    given = parser.parse_args()
    with own_database("chaos-captures", sqlite=given.sqlite, DJANGO_API_REGISTERS_MACHINES="True") as folder:
        result = run(folder, given)
    print(json.dumps(result))
    sys.exit(not result["ok"])


if __name__ == "__main__":
    main()
