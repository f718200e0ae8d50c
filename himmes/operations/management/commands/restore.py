import signal
import time as clock
from pathlib import Path

from django.core.management.base import CommandError
from django.db import connection

from common.database.errors import DATABASE_ERRORS
from common.terminal import TerminalCommand
from himmes.operations.backups.archive import Archive, BackupError
from himmes.operations.backups.making import current_engine
from himmes.operations.backups.restoring import check_fits, compare, restore_backup, tables_with_data
from himmes.operations.backups.showing import compared_table, show_progress


class Command(TerminalCommand):
    help = "Restore a backup into an empty database, or with --replace in place of what is there."

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path, metavar="FILE", help="what `backup` wrote")
        parser.add_argument(
            "--verify",
            action="store_true",
            help="read all rows again and compare counts and checksums; exit status 1 when a table differs",
        )
        parser.add_argument(
            "--replace", action="store_true", help="delete every table of the database first; asks, unless --no-input"
        )
        parser.add_argument("--no-input", action="store_true", help="do not ask")

    def handle(self, *args, file, verify, replace, no_input, **options):
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        started = clock.monotonic()
        state = "Nothing was changed."
        try:
            self.stdout.write(f"Into: {current_engine().place}")
            self.stdout.flush()
            archive = Archive(file)
            missing = check_fits(archive)
            self._check_target(archive, replace=replace, no_input=no_input)
            with show_progress(self.stdout) as tell:
                state = current_engine().after_failure
                restore_backup(archive, tell)
                state = "It was restored, but not compared."
                compared = compare(archive, tell) if verify else []
        except (BackupError, OSError) as error:
            raise CommandError(f"{error}\n{state}") from None
        except DATABASE_ERRORS as error:
            raise CommandError(f"The database failed: {error}\n{state}") from None
        except KeyboardInterrupt:
            raise CommandError(f"Interrupted. {state}", returncode=130) from None
        if compared:
            self.stdout.write(compared_table(compared))
        if different := [one.table for one in compared if not one.equal]:
            raise CommandError(f"Restored, but not as in the backup: {', '.join(different)}.")
        manifest = archive.manifest
        self.stdout.write(
            f"{file} of {manifest.made_at}: {manifest.rows:,} rows of {len(manifest.tables)} tables restored"
            f"{', compared and found equal' if verify else ''}, {clock.monotonic() - started:.1f} s."
        )
        if missing:
            self.stdout.write(
                f"The backup is older than this program; run `manage.py migrate` for {len(missing)} migrations."
            )

    def _check_target(self, archive: Archive, *, replace: bool, no_input: bool) -> None:
        found = tables_with_data()
        connection.close()
        if not found:
            return
        name = connection.settings_dict["NAME"]
        what = f"{len(found)} tables with data ({', '.join(found[:5])}{', ...' if len(found) > 5 else ''})"
        if not replace:
            raise CommandError(f"The database {name} has {what}. Name an empty one, or give --replace to delete them.")
        question = (
            f"Replace all of the database {name}, {what}, by the backup of {archive.manifest.made_at}? Type yes: "
        )
        if not no_input and self.ask(question) != "yes":
            raise CommandError("Nothing was changed.")
