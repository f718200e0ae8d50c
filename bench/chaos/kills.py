"""The database, and processes of the application, are killed at random instants and started again."""

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from threading import Event, Thread

from django.db.models import Sum

from bench.serving import children_of
from common.database.transactions import Patience
from scripts.throwaway_server import Server
from vibration.models import ImportRun

KILLED_UNTIL = 0.9  # of the import
DOWN_S = (0.1, 3.0)  # from a kill to the next start
MAX_BATCH_S = 1.0  # more was a wait for the database
POLL_S = 0.02


def kill_at_random(
    server: Server, importing: subprocess.Popen, rows: int, kills: int, choose: random.Random
) -> Iterator[float]:
    """Kill the server and start it again; yields for how many seconds it was away each time, as it comes back.

    Ends early when the import has ended, which then was too short for so many.
    """
    patience = Patience(60)

    def stored() -> int:
        return patience.until_done(lambda: ImportRun.objects.aggregate(rows=Sum("new"))["rows"] or 0)

    for number in range(kills):
        wanted = (number + choose.random()) / kills * KILLED_UNTIL * rows
        before, batch_s, changed = stored(), 0.0, time.monotonic()
        while before < wanted and importing.poll() is None:
            time.sleep(POLL_S)
            if (now := stored()) != before:
                before, batch_s, changed = now, time.monotonic() - changed, time.monotonic()
        time.sleep(choose.uniform(0, min(batch_s, MAX_BATCH_S)))  # anywhere within a batch
        if importing.poll() is not None:
            return
        began = time.monotonic()
        server.kill()
        time.sleep(choose.uniform(*DOWN_S))
        server.start()
        yield time.monotonic() - began


class WorkerKiller(Thread):
    """Kills the youngest process of the application now and then; gunicorn starts another in its place."""

    def __init__(self, pid: int, mean_s: float, choose: random.Random):
        super().__init__(daemon=True)
        self.pid, self.longest_s, self.choose = pid, 2 * mean_s, choose
        self.end, self.kills = Event(), 0

    def run(self) -> None:
        while not self.end.wait(self.choose.uniform(0, self.longest_s)):
            _oldest, *younger = children_of(self.pid) or [0]
            if younger:
                os.kill(younger[-1], signal.SIGKILL)
                self.kills += 1

    def __enter__(self) -> "WorkerKiller":
        self.start()
        return self

    def __exit__(self, *error) -> None:
        self.end.set()
        self.join()
