import logging
import subprocess
import sys
import time as clock
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import reset_queries
from django.utils import timezone

from common.database.errors import DATABASE_ERRORS
from common.database.transactions import Patience
from common.interrupting import Interruptions, noted_interruptions
from common.terminal import TerminalCommand
from diagnosis.notices import clock as transitions
from diagnosis.notices.backlog import remove_old
from diagnosis.notices.chores import taken
from diagnosis.notices.sending import send_next
from vibration.management.arguments import positive

logger = logging.getLogger(__name__)
EVERY_S = 3
AWAY_S = 3600.0  # how long a database may be away before the command fails
DAILY = timedelta(days=1)


class Command(TerminalCommand):
    help = (
        "Send notices, tell of shelvings that end and of machines that fall silent, and once a day remove what is old: "
        "sessions, notices that were sent, samples of captures by DJANGO_KEEP_CAPTURES and, with DJANGO_PRUNE_AFTER, "
        "raw samples. Runs until it is ended by Ctrl-C or SIGTERM. Several may run at once. While none runs, notices "
        "wait, and nothing else is wrong."
    )

    def add_arguments(self, parser):
        parser.add_argument("--once", action="store_true", help="do what is due, and end")
        parser.add_argument(
            "--every", type=positive, default=EVERY_S, metavar="S", help="seconds between two looks; %(default)s"
        )

    def handle(self, *args, once, every, **options):
        self.pruning: subprocess.Popen | None = None
        self.to_prune: list[list[str]] = []  # commands; the first is the one that runs
        try:
            with noted_interruptions() as interruptions, self._none_left_pruning():
                patience = Patience(AWAY_S, self.stderr.write, interruptions.sleep)
                self.stdout.write("Working: notices, and what is to be done once a day. Ctrl-C ends it.")
                self.stdout.flush()  # ahead of the log, where this goes to a file or a pipe
                self._round(every, patience, interruptions)
                while not once:
                    interruptions.sleep(every)
                    self._round(every, patience, interruptions)
                while self.to_prune:
                    interruptions.sleep(1)
                    self._look_after_pruning()
        except KeyboardInterrupt:
            self.stdout.write("Ended. What is due waits for the next worker.")
        except DATABASE_ERRORS as error:
            raise CommandError(f"The database failed: {error}") from None

    @contextmanager
    def _none_left_pruning(self) -> Iterator[None]:
        try:
            yield
        finally:
            if self.pruning:
                self.pruning.terminate()
                self.pruning.wait()

    def _round(self, every: int, patience: Patience, interruptions: Interruptions) -> None:
        began = clock.monotonic()
        now = timezone.now()
        transitions.look(now, patience)
        while send_next(patience=patience):
            interruptions.check()
            if clock.monotonic() - began > every:
                transitions.look(timezone.now(), patience)
                began = clock.monotonic()
        self._look_after_pruning()
        if taken("daily", DAILY, now, patience):
            self._do_daily(patience)
        reset_queries()  # with DEBUG on, Django would keep the text of every statement

    def _do_daily(self, patience: Patience) -> None:
        patience.until_done(lambda: call_command("clearsessions"))
        removed = patience.until_done(lambda: remove_old(timezone.now()))
        logger.info("expired sessions and %s old notices removed", removed)
        if not self.to_prune:
            self.to_prune = prunings()
            self._look_after_pruning()

    def _look_after_pruning(self) -> None:
        if self.pruning and self.pruning.poll() is not None:
            level = logging.WARNING if self.pruning.returncode else logging.INFO
            logger.log(level, "%s ended with status %s", self.to_prune.pop(0)[0], self.pruning.returncode)
            self.pruning = None
        if self.to_prune and not self.pruning:
            # A process of its own: it may take hours, and notices go on. One at a time: they write much.
            program = [sys.executable, str(settings.BASE_DIR / "manage.py")]
            self.pruning = subprocess.Popen([*program, *self.to_prune[0]])


def prunings() -> list[list[str]]:
    """The commands that remove what is old, as the settings say."""
    commands = []
    if settings.KEEP_CAPTURES:
        commands.append(["prune_captures", "--no-input"])  # by default of the age that the setting says
    if settings.PRUNE_AFTER:
        commands.append(["prune_vibration", f"--older-than={settings.PRUNE_AFTER}", "--no-input"])
    return commands
