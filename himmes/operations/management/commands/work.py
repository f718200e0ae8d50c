import logging
import subprocess
import sys
import time as clock
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
        "sessions, notices that were sent and, with DJANGO_PRUNE_AFTER, raw samples. Runs until it is ended by Ctrl-C "
        "or SIGTERM. Several may run at once. While none runs, notices wait, and nothing else is wrong."
    )

    def add_arguments(self, parser):
        parser.add_argument("--once", action="store_true", help="do what is due, and end")
        parser.add_argument(
            "--every", type=positive, default=EVERY_S, metavar="S", help="seconds between two looks; %(default)s"
        )

    def handle(self, *args, once, every, **options):
        self.pruning: subprocess.Popen | None = None
        try:
            with noted_interruptions() as interruptions:
                patience = Patience(AWAY_S, self.stderr.write, interruptions.sleep)
                self.stdout.write("Working: notices, and what is to be done once a day. Ctrl-C ends it.")
                self.stdout.flush()  # ahead of the log, where this goes to a file or a pipe
                self._round(every, patience, interruptions)
                while not once:
                    interruptions.sleep(every)
                    self._round(every, patience, interruptions)
                while self.pruning:
                    interruptions.sleep(1)
                    self._look_after_pruning()
        except KeyboardInterrupt:
            self.stdout.write("Ended. What is due waits for the next worker.")
        except DATABASE_ERRORS as error:
            raise CommandError(f"The database failed: {error}") from None
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
        if settings.PRUNE_AFTER and not self.pruning:
            program = [sys.executable, str(settings.BASE_DIR / "manage.py"), "prune_vibration"]
            # A process of its own: it may take hours, and notices go on.
            self.pruning = subprocess.Popen([*program, f"--older-than={settings.PRUNE_AFTER}", "--no-input"])

    def _look_after_pruning(self) -> None:
        if self.pruning and self.pruning.poll() is not None:
            level = logging.WARNING if self.pruning.returncode else logging.INFO
            logger.log(level, "prune_vibration ended with status %s", self.pruning.returncode)
            self.pruning = None
