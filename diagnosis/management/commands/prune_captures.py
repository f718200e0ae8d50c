from datetime import datetime

from django.conf import settings
from django.core.management.base import CommandError
from django.utils import timezone
from rich.table import Table

from common.terminal import cell, user_name
from diagnosis.storage.evidence import evidence
from machines.models import Machine
from vibration.captures.pruning import Found, Why, find_old, remove_old
from vibration.files.display import as_text
from vibration.management.arguments import age, known_machine
from vibration.management.removing import RemovingCommand


class Command(RemovingCommand):
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
        super().add_arguments(parser)

    def handle(self, *args, older_than, machine, dry_run, no_input, pause, **options):
        older_than = older_than or settings.KEEP_CAPTURES
        if older_than is None:
            raise CommandError("DJANGO_KEEP_CAPTURES says forever. To remove samples all the same, give --older-than.")
        cutoff = timezone.now() - older_than
        with self.told_if_ended_early():
            machines = [known_machine(name) for name in machine] if machine else Machine.objects.all()
            names = {it.pk: it.name for it in machines}
            found = {number: of for number, of in find_old(cutoff, evidence).items() if number in names}
            total = sum(it.going for it in found.values())
            self._show(found, names, cutoff)
            if dry_run or not total:
                return
            if not no_input:
                self.confirm(f"Remove samples of captures for good, {total:,} in all?")
            counts = (count for count, _bytes in remove_old(found, cutoff, evidence, by=user_name()))
            seconds = self.remove_batches(counts, total, pause)
        removed = self.removed
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

    def unfinished(self, trouble: str) -> str:
        return (
            f"{trouble}; captures whose samples are removed: {self.removed:,}, each as a whole. "
            "Run it again to continue."
        )


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
