"""What the commands that remove old samples have in common: they ask, go batch by batch, and may be ended at any."""

import argparse
import signal
import time as clock
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError
from django.db import reset_queries

from common.database.errors import DATABASE_ERRORS
from common.interrupting import noted_interruptions
from common.terminal import TerminalCommand
from vibration.files.display import show_bar
from vibration.management.arguments import LONGEST_PAUSE_S, PAUSE, pause


class RemovingCommand(TerminalCommand):
    """Counts in `removed` what its batches remove; a subclass finds what that is, and says how far it came."""

    removed = 0

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--machine", action="append", metavar="M", help="of this machine only; may be repeated")
        parser.add_argument("--dry-run", action="store_true", help="show what would be removed, and remove nothing")
        parser.add_argument("--no-input", action="store_true", help="do not ask")
        parser.add_argument(
            "--pause",
            type=pause,
            default=PAUSE,
            metavar="X",
            help="after each batch, leave the database to others for X times as long as it took; %(default)g",
        )

    def unfinished(self, trouble: str) -> str:
        """What is told of a removal that ended early: the trouble, and what is removed by then."""
        raise NotImplementedError

    def confirm(self, question: str) -> None:
        """Raises CommandError where the answer is not yes."""
        try:
            answer = self.ask(f"{question} Type yes: ")
        except EOFError:
            raise CommandError("Nothing was removed: nobody answered. Where nobody can, give --no-input.") from None
        if answer != "yes":
            raise CommandError("Nothing was removed.")

    @contextmanager
    def told_if_ended_early(self) -> Iterator[None]:
        """Ctrl-C, SIGTERM and a database that fails become a CommandError that says how far it came."""
        # A service manager ends a program with SIGTERM; it is to end as with Ctrl-C.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        self.removed = 0
        try:
            yield
        except KeyboardInterrupt:
            raise CommandError(self.unfinished("Interrupted"), returncode=130) from None
        except DATABASE_ERRORS as error:
            raise CommandError(self.unfinished(f"The database failed: {error}")) from None

    def remove_batches(self, counts: Iterable[int], total: int, pause: float) -> float:
        """Draw from `counts`, each of a batch that is removed by then; how many seconds it took.

        After each batch the database is left to others for `pause` times as long as it took.
        """
        started = began = clock.monotonic()
        with show_bar("Removing", total, self.stdout, self.stderr) as show, noted_interruptions() as interruptions:
            for count in counts:
                self.removed += count
                show(self.removed, self.removed)
                reset_queries()  # with DEBUG on, Django would keep the text of every statement
                interruptions.sleep(min(LONGEST_PAUSE_S, pause * (clock.monotonic() - began)))
                began = clock.monotonic()
        return clock.monotonic() - started
