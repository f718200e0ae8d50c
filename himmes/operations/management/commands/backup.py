import signal
import time as clock
from pathlib import Path

from django.core.management.base import CommandError

from common.database.errors import DATABASE_ERRORS
from common.terminal import TerminalCommand
from himmes.operations.backups.archive import BackupError
from himmes.operations.backups.making import make_backup
from himmes.operations.backups.showing import show_progress


class Command(TerminalCommand):
    help = (
        "Write a backup of the whole database to a new file. Others may read and write meanwhile; the backup is of one "
        "instant."
    )

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path, metavar="FILE", help="a new file; restore reads it")

    def handle(self, *args, file, **options):
        # A service manager ends a program with SIGTERM; it is to clean up as with Ctrl-C.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        started = clock.monotonic()
        try:
            with show_progress(self.stdout) as tell:
                manifest, size = make_backup(file, tell)
        except BackupError as error:
            raise CommandError(str(error)) from None
        except DATABASE_ERRORS as error:
            raise CommandError(f"The database failed: {error}; there is no backup.") from None
        except OSError as error:
            raise CommandError(f"{error.filename or file}: {error.strerror}; there is no backup.") from None
        except KeyboardInterrupt:
            raise CommandError("Interrupted; there is no backup.", returncode=130) from None
        self.stdout.write(
            f"{file}: {manifest.rows:,} rows of {len(manifest.tables)} tables, {size:,} bytes, "
            f"{clock.monotonic() - started:.1f} s. Keep it as you keep a password: it holds all data, and the "
            "hashes of passwords and tokens."
        )
