from django.core.management.base import CommandError
from django.db import reset_queries

from common.database.errors import DATABASE_ERRORS
from common.interrupting import noted_interruptions
from common.terminal import TerminalCommand
from vibration.captures.rebuilding import count_without_samples, outdated
from vibration.captures.storing import rebuild_features
from vibration.files.display import show_bar
from vibration.management.arguments import known_machine
from vibration.signals.codec import DamagedCapture
from vibration.signals.features import VERSION


class Command(TerminalCommand):
    help = (
        f"Make the features of captures anew that are of another version than the present one, {VERSION}. Captures "
        "without samples keep the features that they have. Where the speed was not measured, the machine's rated speed "
        "of now counts. Goes batch by batch; interrupted, it is run again to go on."
    )

    def add_arguments(self, parser):
        parser.add_argument("--machine", action="append", metavar="M", help="of this machine only; may be repeated")
        parser.add_argument("--all", action="store_true", help="of every version; what is right already stays as it is")
        parser.add_argument("--dry-run", action="store_true", help="tell how many there are, and change nothing")

    def handle(self, *args, machine, dry_run, **options):
        done = changed = 0
        every = options["all"]
        try:
            machines = [known_machine(name) for name in machine] if machine else None
            total = sum(map(len, outdated(machines, of_every_version=every)))
            self.stdout.write(f"Features to be made anew: {total:,}")
            if left := count_without_samples(machines, of_every_version=every):
                self.stdout.write(f"Features that stay as they are, as the samples were removed: {left:,}")
            if dry_run or not total:
                return
            with show_bar("Rebuilding", total, self.stdout, self.stderr) as show, noted_interruptions() as wanted:
                for batch in outdated(machines, of_every_version=every):
                    changed += rebuild_features(batch)
                    done += len(batch)
                    show(done, done)
                    reset_queries()  # with DEBUG on, Django would keep the text of every statement
                    wanted.check()
        except KeyboardInterrupt:
            raise CommandError(f"Interrupted after {done:,}. Run it again to continue.", returncode=130) from None
        except DamagedCapture as error:
            raise CommandError(f"{error} Delete this capture, or bring it back from a backup.") from None
        except DATABASE_ERRORS as error:
            raise CommandError(f"The database failed after {done:,}: {error}. Run it again to continue.") from None
        self.stdout.write(f"Features made anew: {done:,}; other than before: {changed:,}")
