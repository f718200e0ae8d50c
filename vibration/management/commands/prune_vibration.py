import argparse
import signal
import sys
import time as clock
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.core.management.base import CommandError
from django.db import reset_queries
from django.utils import timezone
from rich.console import Console
from rich.progress import track

from common.database.errors import DATABASE_ERRORS
from common.interrupting import noted_interruptions
from common.terminal import TerminalCommand, user_name
from vibration.files.display import removal_table, show_bar
from vibration.management.arguments import LONGEST_PAUSE_S, PAUSE, age, known_machine, pause, positive
from vibration.models import ImportRun, Recording
from vibration.storage.pruning import BATCH_ROWS, Removal, find_removal, remove

LONGEST_IMPORT = timedelta(days=1)  # one that began before that and is not finished was killed
LARGEST_BATCH = 100_000  # rows: writers of the recording wait for one batch, on SQLite all writers


class Command(TerminalCommand):
    help = (
        "Remove raw samples that are older than an age, and keep their rollups: waveforms of removed samples are still "
        "drawn, with the least and greatest value of each bucket. Shows first what it would remove, and asks. "
        "A sample counts from its collected_at; where that is not known, from the last write to its recording. Of "
        "each recording a beginning is removed: the first sample, in order of measured_time, that is not old enough "
        "ends it. Removed samples can't be brought back, and rows of their times are not stored again. Removes batch "
        "by batch; interrupted, it is run again to go on."
    )

    def add_arguments(self, parser):
        parser.add_argument("--older-than", type=age, required=True, metavar="AGE", help="such as 90d, 12w or 36h")
        parser.add_argument("--machine", action="append", metavar="M", help="of this machine only; may be repeated")
        parser.add_argument("--dry-run", action="store_true", help="show what would be removed, and remove nothing")
        parser.add_argument("--no-input", action="store_true", help="do not ask")
        parser.add_argument("--batch-size", type=batch_size, default=BATCH_ROWS, metavar="N", help="rows a transaction")
        parser.add_argument(
            "--pause",
            type=pause,
            default=PAUSE,
            metavar="X",
            help="after each batch, leave the database to others for X times as long as it took; %(default)g",
        )

    def handle(self, *args, older_than, machine, dry_run, no_input, batch_size, pause, **options):
        cutoff = timezone.now() - older_than
        recordings = Recording.objects.with_place().filter(sample_count__gt=0)
        if machine:
            recordings = recordings.filter(sensor__machine__in=[known_machine(name) for name in machine])
        recordings = self._without_imported(recordings)
        # A service manager ends a program with SIGTERM; it is to end as with Ctrl-C.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        removed = 0
        try:
            removals = [found for it in self._track(recordings) if (found := find_removal(it, cutoff))]
            self._show(removals, cutoff)
            if dry_run or not removals:
                return
            total = sum(it.samples for it in removals)
            if not no_input:
                self._confirm(f"Remove {total:,} samples for good?")
            started = began = clock.monotonic()
            with show_bar("Removing", total, self.stdout, self.stderr) as show, noted_interruptions() as interruptions:
                for removal in removals:
                    for count in self._remove(removal, cutoff, batch_size):
                        removed += count
                        show(removed, removed)
                        reset_queries()  # with DEBUG on, Django would keep the text of every statement
                        interruptions.sleep(min(LONGEST_PAUSE_S, pause * (clock.monotonic() - began)))
                        began = clock.monotonic()
        except KeyboardInterrupt:
            raise CommandError(unfinished("Interrupted", removed), returncode=130) from None
        except DATABASE_ERRORS as error:
            raise CommandError(unfinished(f"The database failed: {error}", removed)) from None
        seconds = clock.monotonic() - started
        self.stdout.write(f"Removed {removed:,} of {total:,} samples in {seconds:.1f} s. Their rollups stay.")
        if removed != total:
            self.stdout.write("What differs was stored or deleted by others in the meantime.")

    def _without_imported(self, recordings: list[Recording]) -> list[Recording]:
        """Those of which no import runs.

        The next rows of an import of old samples belong to the bucket of the last. Removed now, that bucket would keep
        them out.
        """
        since = timezone.now() - LONGEST_IMPORT
        running = ImportRun.objects.filter(outcome=ImportRun.Outcome.UNFINISHED, started_at__gte=since)
        imported = set(running.values_list("recording", flat=True))
        for recording in recordings:
            if recording.pk in imported:
                self.stderr.write(f"{recording} is left for the next time: an import of it is running, or was killed.")
        return [it for it in recordings if it.pk not in imported]

    def _track(self, recordings: list[Recording]) -> Iterable[Recording]:
        if not sys.stderr.isatty():
            return recordings
        return track(recordings, "Looking at recordings", console=Console(stderr=True), transient=True)

    def _show(self, removals: list[Removal], cutoff: datetime) -> None:
        since = f"{timezone.localtime(cutoff):%Y-%m-%d %H:%M}"
        if not removals:
            self.stdout.write(f"No samples from before {since} can be removed.")
            return
        self.stdout.write(f"Samples from before {since} to be removed:")
        self.stdout.write(removal_table(removals))

    def _confirm(self, question: str) -> None:
        try:
            answer = self.ask(f"{question} Type yes: ")
        except EOFError:
            raise CommandError("Nothing was removed: nobody answered. Where nobody can, give --no-input.") from None
        if answer != "yes":
            raise CommandError("Nothing was removed.")

    def _remove(self, removal: Removal, cutoff: datetime, batch_size: int):
        try:
            yield from remove(removal, cutoff, by=user_name(), batch_rows=batch_size)
        except Recording.DoesNotExist:
            self.stderr.write(f"{removal.recording} was deleted in the meantime.")


def unfinished(trouble: str, removed: int) -> str:
    return f"{trouble}; {removed:,} samples are removed, in whole batches. Run it again to continue."


def batch_size(text: str) -> int:
    if (number := positive(text)) > LARGEST_BATCH:
        raise argparse.ArgumentTypeError(f"'{text}' is more than {LARGEST_BATCH:,} rows, for which others would wait")
    return number
