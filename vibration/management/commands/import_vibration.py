import argparse
import getpass
import signal
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.db import reset_queries
from django.utils import timezone

from vibration.file_importing import BadPath, Options, RejectsFile, Report, find_files, import_file, place_of
from vibration.models import DEFAULT_RECORDING, ImportRun
from vibration.reading import BATCH_ROWS
from vibration.reporting import problem_lines, result_line, show_progress, summary_table
from vibration.watching import whole_files


class Command(BaseCommand):
    help = (
        "Import vibration samples from CSV files (.csv, .csv.gz; also whole folders) with the columns measured_time, "
        "normal, unbalance, looseness, unbalance_looseness. Importing the same again changes nothing. Exits with 0 "
        "only if every row was stored or stood there already with the same values."
    )

    def add_arguments(self, parser):
        parser.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="CSV files, or folders of them")
        parser.add_argument("--machine", help="instead of the part before the last _ in <machine>_<sensor>.csv")
        parser.add_argument("--sensor", help="instead of the part after the last _")
        parser.add_argument("--recording", default=DEFAULT_RECORDING, metavar="NAME", help="a run of the sensor")
        parser.add_argument(
            "--started-at", type=parse_instant, metavar="ISO", help="when time 0 was; without an offset: plant time"
        )
        parser.add_argument("--batch-size", type=positive, default=BATCH_ROWS, metavar="N", help="rows a transaction")
        parser.add_argument(
            "--on-conflict",
            choices=["report", "update"],
            default="report",
            help="a row whose time is stored with other values: keep it out and report it (default), or let it replace",
        )
        parser.add_argument(
            "--on-error",
            choices=["stop", "skip"],
            default="stop",
            help="a row that is not five good numbers: stop there (default), or leave it out and go on",
        )
        parser.add_argument("--rejects", type=Path, metavar="FILE", help="write conflicting and rejected rows to FILE")
        parser.add_argument("--dry-run", action="store_true", help="class every row and store nothing")
        parser.add_argument(
            "--watch", type=Path, metavar="DIR", help="keep running: import each file that lands in DIR"
        )

    def handle(self, *args, **options):
        if bool(options["paths"]) == bool(options["watch"]):
            raise CommandError("Name files or folders to import, or a folder to --watch.")
        settings = Options(
            machine=options["machine"],
            sensor=options["sensor"],
            recording=options["recording"],
            started_at=options["started_at"],
            batch_rows=options["batch_size"],
            replace=options["on_conflict"] == "update",
            skip_bad_rows=options["on_error"] == "skip",
            dry_run=options["dry_run"],
            started_by=getpass.getuser(),
        )
        # A service manager ends a program with SIGTERM; it is to end as with Ctrl-C, between two batches.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        files = self._files(options["paths"], settings)
        with self._rejects_file(options["rejects"], files, options["watch"]) as rejects:
            if options["watch"]:
                self._watch(options["watch"], settings, rejects)
            else:
                self._import(files, settings, rejects)

    def _files(self, paths: list[Path], settings: Options) -> list[Path]:
        try:
            files = find_files(paths)
            for file in files:
                place_of(file, settings)  # a name that can't be is said before anything is imported
        except BadPath as error:
            raise CommandError(str(error)) from None
        return files

    def _rejects_file(self, path: Path | None, files: list[Path], watched: Path | None):
        if path is None:
            return nullcontext()
        if watched and path.resolve().parent == watched.resolve():
            raise CommandError(f"--rejects {path} lies in the watched folder and would be imported itself.")
        if any(path.resolve() == file.resolve() for file in files):
            raise CommandError(f"--rejects {path} is one of the files to import.")
        try:
            return RejectsFile(path)
        except OSError as error:
            raise CommandError(f"--rejects {path}: {error.strerror}") from None

    def _import(self, files: list[Path], settings: Options, rejects: RejectsFile | None) -> None:
        reports: list[Report] = []
        try:
            for file in files:
                reports.append(self._import_one(file, settings, rejects))
                failed = reports[-1].run.outcome in (ImportRun.Outcome.STOPPED, ImportRun.Outcome.FAILED)
                if failed and not settings.skip_bad_rows:
                    break
        except KeyboardInterrupt:
            self.stdout.write(summary_table(reports, dry_run=settings.dry_run))
            raise CommandError(
                "Interrupted: whole batches are stored; import the same again to complete it.", returncode=130
            ) from None
        self.stdout.write(summary_table(reports, dry_run=settings.dry_run))
        if unread := files[len(reports) :]:
            self.stdout.write(f"Not read: {', '.join(map(str, unread))} (--on-error skip goes on with the next file)")
        if bad := sum(report.run.outcome != ImportRun.Outcome.COMPLETE for report in reports):
            raise CommandError(f"{bad} of {len(files)} files have rows or contents that were not taken, see above.")

    def _watch(self, folder: Path, settings: Options, rejects: RejectsFile | None) -> None:
        if not folder.is_dir():
            raise CommandError(f"{folder}: no such folder")
        self.stdout.write(f"Watching {folder}; Ctrl-C ends it.")
        try:
            for file in whole_files(folder):
                try:
                    report = self._import_one(file, settings, rejects)
                except (BadPath, FileNotFoundError) as error:  # one file must not end the watch
                    self.stderr.write(str(error))
                else:
                    self.stdout.write(result_line(report))
        except KeyboardInterrupt:
            self.stdout.write("Ended.")

    def _import_one(self, path: Path, settings: Options, rejects: RejectsFile | None) -> Report:
        with show_progress(path, self.stdout) as show:

            def on_progress(report: Report, bytes_read: int) -> None:
                show(report.run.read, bytes_read)
                reset_queries()  # with DEBUG on, Django would keep the text of every statement

            report = import_file(path, settings, rejects=rejects, on_progress=on_progress)
        for line in problem_lines(report):
            self.stderr.write(line)
        return report


def parse_instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is no time like 2026-03-01T09:00:00 or 2026-03-01T00:00Z") from None
    return instant if timezone.is_aware(instant) else timezone.make_aware(instant)


def positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is no number of rows")
    return int(text)
