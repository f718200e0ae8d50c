from django.core.management.base import CommandError

from common.terminal import TerminalCommand
from vibration.models import DEFAULT_RECORDING, Recording


class Command(TerminalCommand):
    help = "Delete a recording with all its samples, which undoes its import. Asks first."

    def add_arguments(self, parser):
        parser.add_argument("machine")
        parser.add_argument("sensor")
        parser.add_argument("recording", nargs="?", default=DEFAULT_RECORDING)
        parser.add_argument("--no-input", action="store_true", help="do not ask")

    def handle(self, *args, machine, sensor, recording, no_input, **options):
        try:
            found = Recording.objects.with_place().get(
                sensor__machine__name=machine, sensor__sensor_no=sensor, name=recording
            )
        except Recording.DoesNotExist:
            raise CommandError(f"There is no recording {machine} / {sensor} / {recording}.") from None
        what = f"{found} with {found.sample_count:,} samples"
        if found.pruned_count:
            what += f" and the rollups of {found.pruned_count:,} that retention removed"
        if not no_input and self.ask(f"Delete {what}? Type yes: ") != "yes":
            raise CommandError("Nothing was deleted.")
        found.delete()
        self.stdout.write(f"Deleted {what}.")
