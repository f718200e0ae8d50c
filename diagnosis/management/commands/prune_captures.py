import signal
import time as clock
from datetime import datetime

from django.conf import settings
from django.core.management.base import CommandError
from django.db import reset_queries
from django.utils import timezone
from rich.table import Table

from common.database.errors import DATABASE_ERRORS
from common.interrupting import noted_interruptions
from common.terminal import TerminalCommand, cell, user_name
from diagnosis.storage.evidence import evidence
from machines.models import Machine
from vibration.captures.pruning import Found, Why, find_old, remove_old
from vibration.files.display import as_text, show_bar
from vibration.management.arguments import LONGEST_PAUSE_S, PAUSE, age, known_machine, pause


class Command(TerminalCommand):
    help = (
        "Remove the samples of captures that began longer ago than an age; the captures themselves and their features "
        "stay. Those that people keep stay whole, so do the first good capture of each axis, which is its reference, "
        "and the captures of a machine from one day before to one day after an alarm opened that is not done with or "
        "was right. Shows first what it would remove, and asks. Removed samples can't be brought back. Removes batch "
        "by batch; interrupted, it is run again to go on."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "--older-than", type=age, metavar="AGE", help="such as 14d, 12w or 36h; by default DJANGO_KEEP_CAPTURES"
        )
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

    def handle(self, *args, older_than, machine, dry_run, no_input, pause, **options):
        older_than = older_than or settings.KEEP_CAPTURES
        if older_than is None:
            raise CommandError("DJANGO_KEEP_CAPTURES says forever. To remove samples all the same, give --older-than.")
        cutoff = timezone.now() - older_than
        # A service manager ends a program with SIGTERM; it is to end as with Ctrl-C.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        removed = 0
        try:
            machines = [known_machine(name) for name in machine] if machine else Machine.objects.all()
            names = {it.pk: it.name for it in machines}
            found = {number: of for number, of in find_old(cutoff, evidence).items() if number in names}
            total = sum(it.going for it in found.values())
            self._show(found, names, cutoff)
            if dry_run or not total:
                return
            if not no_input:
                self._confirm(f"Remove samples of captures for good, {total:,} in all?")
            started = began = clock.monotonic()
            with show_bar("Removing", total, self.stdout, self.stderr) as show, noted_interruptions() as interruptions:
                for count, _bytes in remove_old(found, cutoff, evidence, by=user_name()):
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
        self.stdout.write(f"Captures whose samples were removed: {removed:,}, in {seconds:.1f} s. Their features stay.")
        if removed != total:
            self.stdout.write(f"{total:,} were found: others stored, kept or deleted some in the meantime.")

    def _show(self, found: dict[int, Found], names: dict[int, str], cutoff: datetime) -> None:
        since = f"{timezone.localtime(cutoff):%Y-%m-%d %H:%M}"
        if not found:
            self.stdout.write(f"There are no samples of captures from before {since}.")
            return
        self.stdout.write(f"Samples of captures from before {since}:")
        self.stdout.write(removal_table({names[number]: of for number, of in found.items()}))
        if not any(it.going for it in found.values()):
            self.stdout.write("None of them can be removed.")

    def _confirm(self, question: str) -> None:
        try:
            answer = self.ask(f"{question} Type yes: ")
        except EOFError:
            raise CommandError("Nothing was removed: nobody answered. Where nobody can, give --no-input.") from None
        if answer != "yes":
            raise CommandError("Nothing was removed.")


def removal_table(found: dict[str, Found]) -> str:
    """What goes and what stays of each machine, by its name."""
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("machine", overflow="fold")
    for name in ("to be removed", "MB", "from", "to", *(f"stay: {why}" for why in Why), "MB"):
        table.add_column(name, justify="right")
    for name, of in sorted(found.items()):
        table.add_row(cell(name), *_figures([of]))
    if len(found) > 1:
        table.add_row(f"{len(found)} machines", *_figures(list(found.values())))
    return as_text(table)


def _figures(found: list[Found]) -> list[str]:
    firsts, lasts = [it.first for it in found if it.first], [it.last for it in found if it.last]
    return [
        f"{sum(it.going for it in found):,}",
        f"{sum(it.bytes for it in found) / 1e6:,.1f}",
        f"{timezone.localtime(min(firsts)):%Y-%m-%d}" if firsts else "",
        f"{timezone.localtime(max(lasts)):%Y-%m-%d}" if lasts else "",
        *(f"{sum(it.staying[why] for it in found):,}" for why in Why),
        f"{sum(it.staying_bytes for it in found) / 1e6:,.1f}",
    ]


def unfinished(trouble: str, removed: int) -> str:
    return f"{trouble}; captures whose samples are removed: {removed:,}, each as a whole. Run it again to continue."
