import argparse
import sys
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.utils import timezone
from rich.console import Console
from rich.progress import track

from common.terminal import user_name
from vibration.files.display import removal_table
from vibration.management.arguments import age, known_machine, positive
from vibration.management.removing import RemovingCommand
from vibration.models import ImportRun, Recording
from vibration.storage.pruning import BATCH_ROWS, Removal, find_removal, remove

LONGEST_IMPORT = timedelta(days=1)  # one that began before that and is not finished was killed
LARGEST_BATCH = 100_000  # rows: writers of the recording wait for one batch, on SQLite all writers


class Command(RemovingCommand):
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
        parser.add_argument("--batch-size", type=batch_size, default=BATCH_ROWS, metavar="N", help="rows a transaction")
        super().add_arguments(parser)

    def handle(self, *args, older_than, machine, dry_run, no_input, batch_size, pause, **options):
        cutoff = timezone.now() - older_than
        recordings = Recording.objects.with_place().filter(sample_count__gt=0)
        if machine:
            recordings = recordings.filter(sensor__machine__in=[known_machine(name) for name in machine])
        recordings = self._without_imported(recordings)
        with self.told_if_ended_early():
            removals = [found for it in self._track(recordings) if (found := find_removal(it, cutoff))]
            self._show(removals, cutoff)
            if dry_run or not removals:
                return
            total = sum(it.samples for it in removals)
            if not no_input:
                self.confirm(f"Remove {total:,} samples for good?")
            counts = (count for removal in removals for count in self._remove(removal, cutoff, batch_size))
            seconds = self.remove_batches(counts, total, pause)
        removed = self.removed
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

    def unfinished(self, trouble: str) -> str:
        return f"{trouble}; {self.removed:,} samples are removed, in whole batches. Run it again to continue."

    def _remove(self, removal: Removal, cutoff: datetime, batch_size: int):
        try:
            yield from remove(removal, cutoff, by=user_name(), batch_rows=batch_size)
        except Recording.DoesNotExist:
            self.stderr.write(f"{removal.recording} was deleted in the meantime.")


def batch_size(text: str) -> int:
    if (number := positive(text)) > LARGEST_BATCH:
        raise argparse.ArgumentTypeError(f"'{text}' is more than {LARGEST_BATCH:,} rows, for which others would wait")
    return number
