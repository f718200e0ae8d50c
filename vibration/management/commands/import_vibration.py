import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from io import BufferedIOBase
from pathlib import Path

from django.core.management.base import CommandError
from django.db import reset_queries, transaction

from common.database.connections import discard_all
from common.database.errors import DATABASE_ERRORS
from common.database.transactions import Patience
from common.interrupting import noted_interruptions
from common.printable import printable
from common.terminal import TerminalCommand, user_name
from vibration.csv.reader import BATCH_ROWS
from vibration.csv.times import TIMES
from vibration.files.clocks import note_clock_of_file
from vibration.files.display import problem_lines, result_line, show_progress, summary_table
from vibration.files.importing import ImportedBefore, NotRegistered, import_file
from vibration.files.name_patterns import BadPattern
from vibration.files.names import BadName, Naming
from vibration.files.paths import NOT_FOLLOWED, BadPath, find_files, open_file
from vibration.files.report import RejectsFile, Report
from vibration.files.storing import ON_RESTART, Options
from vibration.files.watching import FolderGone, WatchedFolder
from vibration.management.arguments import name_pattern, parse_instant, positive, seconds, some_path, zone
from vibration.models import DEFAULT_RECORDING, ImportRun

RETRY_S = 10  # after the database failed while a folder is watched
WAIT_S = 600.0  # for a database that goes away
LOOK_AGAIN_S = 30.0  # whether a machine was registered by now
REGISTER = (
    "register it in the administration, and the file is imported; or name the machines that may be registered: "
    "--name-pattern, or --machine and --sensor"
)


class Command(TerminalCommand):
    help = (
        "Import vibration samples from CSV files (.csv, .csv.gz; also whole folders) with the columns measured_time, "
        "normal, unbalance, looseness, unbalance_looseness. Importing the same again changes nothing. Exits with 0 "
        "only if every row was stored or was already stored with the same values."
    )

    def add_arguments(self, parser):
        parser.add_argument("paths", nargs="*", type=some_path, metavar="PATH", help="CSV files, or folders of them")
        parser.add_argument("--machine", help="instead of the part before the last _ in <machine>_<sensor>.csv")
        parser.add_argument("--sensor", help="instead of the part after the last _")
        parser.add_argument("--recording", metavar="NAME", help=f"its recording (default: {DEFAULT_RECORDING})")
        parser.add_argument(
            "--name-pattern",
            type=name_pattern,
            metavar="PATTERN",
            help="how the files are named, without .csv: {machine}, {sensor}, {recording}, and "
            "{start}, a time stamp; e.g. '{machine}_{sensor}_{start}'. The options above say what it leaves out",
        )
        parser.add_argument(
            "--started-at", type=parse_instant, metavar="ISO", help="when time 0 was; plant time if it has no offset"
        )
        parser.add_argument(
            "--time",
            choices=TIMES,
            default="seconds",
            help="how the time column is written: seconds from the start (default), seconds, ms, us or ns since 1970, "
            "or ISO 8601 dates and times. Of all but seconds the first is the start of a new recording",
        )
        parser.add_argument(
            "--time-zone",
            type=zone,
            metavar="NAME",
            help="time zone of --time iso without an offset, such as UTC (default: plant time)",
        )
        parser.add_argument(
            "--on-restart",
            choices=ON_RESTART,
            default="refuse",
            help="where the time falls back within a file: end before that row (default), begin another recording "
            "there, NAME-2, ..., or take all rows as one recording",
        )
        parser.add_argument("--batch-size", type=positive, default=BATCH_ROWS, metavar="N", help="rows a transaction")
        parser.add_argument(
            "--on-conflict",
            choices=["report", "update"],
            default="report",
            help="a row whose time is stored with other values: keep it out and report it (default), or let it "
            "replace the stored one",
        )
        parser.add_argument(
            "--on-error",
            choices=["stop", "skip"],
            default="stop",
            help="a row that is not five good numbers: stop there (default), or skip it and continue",
        )
        parser.add_argument(
            "--rejects", type=some_path, metavar="FILE", help="write conflicting and rejected rows to FILE"
        )
        parser.add_argument(
            "--wait-for-database",
            type=seconds,
            default=WAIT_S,
            metavar="SECONDS",
            help="seconds to wait each time the database is away (default 600); 0: fail at once",
        )
        parser.add_argument("--dry-run", action="store_true", help="class every row and store nothing")
        parser.add_argument(
            "--watch",
            type=some_path,
            metavar="DIR",
            help="keep running: import each file that appears in DIR; registers machines and sensors only if "
            "--name-pattern, or --machine and --sensor, name them",
        )

    def handle(self, *args, **options):
        if bool(options["paths"]) == bool(options["watch"]):
            raise CommandError("Name files or folders to import, or a folder to --watch.")
        if options["dry_run"] and options["watch"]:
            raise CommandError("--dry-run and --watch cannot be combined.")
        self.options = Options(
            naming=self._naming(options),
            time=options["time"],
            zone=options["time_zone"],
            on_restart=options["on_restart"],
            batch_rows=options["batch_size"],
            replace=options["on_conflict"] == "update",
            once=options["watch"] is not None,
            skip_bad_rows=options["on_error"] == "skip",
            started_by=user_name(),
        )
        if options["watch"] and not self.options.naming.is_explicit:
            # What lands in a watched folder is anybody's.
            self.options = replace(self.options, registered_by=None)
        self.wait_s = options["wait_for_database"]
        self.named = set(options["paths"])
        try:
            files = self._placed(find_files(options["paths"], self._pass_over))
        except BadPath as error:
            raise CommandError(str(error)) from None
        try:
            # Between two batches; a service manager ends a program with SIGTERM, which counts as Ctrl-C.
            with (
                noted_interruptions() as self.interruptions,
                self._rejects_file(options["rejects"], files, options["watch"]) as rejects,
            ):
                if options["watch"]:
                    self._watch(options["watch"], rejects)
                else:
                    # A dry run is the very import, undone at the end: its figures are those of the import itself.
                    with rolled_back() if options["dry_run"] else nullcontext():
                        self._import(files, rejects, dry_run=options["dry_run"])
        except DATABASE_ERRORS as error:
            # Of the transaction around a dry run; what fails in an import is told there.
            raise CommandError(f"The database failed: {error}; nothing was stored.") from None
        except OSError as error:
            # Reading failures are in the reports; what is left is writing the rejects.
            where = error.filename or options["rejects"] or "the output"
            raise CommandError(f"{printable(where)}: {error.strerror}") from None

    def _naming(self, options) -> Naming:
        said = {name: options[name] for name in ("machine", "sensor", "recording", "started_at")}
        pattern, zone = options["name_pattern"], options["time_zone"]
        if options["started_at"] and options["time"] != "seconds":
            raise CommandError("--started-at goes with --time seconds; time stamps already say when the start was.")
        if zone and options["time"] != "iso" and not (pattern and "start" in pattern.names):
            raise CommandError("--time-zone goes with --time iso, or with {start} in --name-pattern.")
        try:
            return Naming(**said, pattern=pattern, zone=zone)
        except BadPattern as error:
            raise CommandError(str(error)) from None

    def _pass_over(self, link: Path) -> None:
        self.stderr.write(f"{printable(link)} {NOT_FOLLOWED}.")

    def _placed(self, files: list[Path]) -> list[Path]:
        """The files whose names tell where they belong: of a pattern those that are like it, else all. Raises BadName.

        So a name that can't be is said before anything is imported.
        """
        placed = []
        for file in files:
            try:
                self.options.naming.place_of(file)
                placed.append(file)
            except BadName as error:
                if self.options.naming.pattern is None:
                    raise
                self.stderr.write(f"{error}; passed over")
        self.passed_over = len(files) - len(placed)
        return placed

    def _rejects_file(self, path: Path | None, files: list[Path], watched: Path | None):
        if path is None:
            return nullcontext()
        absolute, shown = path.absolute(), printable(path)
        if any(absolute == file.absolute() or (path.exists() and path.samefile(file)) for file in files):
            raise CommandError(f"--rejects {shown} is one of the files to import.")
        if watched and path.resolve().parent == watched.resolve():
            raise CommandError(f"--rejects {shown} is in the watched folder and would be imported itself.")
        if not RejectsFile.may_be_written(path):
            raise CommandError(f"--rejects {shown} exists and holds something other than rejects; name another file.")
        return RejectsFile(path)

    def _import(self, files: list[Path], rejects: RejectsFile | None, *, dry_run: bool) -> None:
        reports: list[Report] = []
        trouble, returncode = "", 1
        try:
            for file in files:
                self.interruptions.check()
                reports.append(self._import_one(file, rejects))
                is_over = reports[-1].run.outcome in (ImportRun.Outcome.STOPPED, ImportRun.Outcome.FAILED)
                if is_over and not self.options.skip_bad_rows:
                    break
        except KeyboardInterrupt:
            trouble, returncode = "Interrupted", 130
        except DATABASE_ERRORS as error:
            trouble = f"The database failed: {error}"
        if reports:
            self.stdout.write(summary_table(reports, dry_run=dry_run))
        if unread := files[len(reports) :]:
            self.stdout.write(f"Not read, or not to the end: {', '.join(map(printable, unread))}")
        if trouble:
            stored = (
                "nothing was stored" if dry_run else "whole batches are stored; import the same again to complete it"
            )
            raise CommandError(f"{trouble}; {stored}.", returncode=returncode)
        bad = sum(report.run.outcome != ImportRun.Outcome.COMPLETE for report in reports) + self.passed_over
        if bad:
            total = len(files) + self.passed_over
            raise CommandError(f"{bad} of {total} files have rows or contents that were not imported, see above.")

    def _watch(self, folder: Path, rejects: RejectsFile | None) -> None:
        if not folder.is_dir():
            raise CommandError(f"{printable(folder)}: no such folder")
        self.stdout.write(f"Watching {printable(folder)}; Ctrl-C ends it.")
        self.stdout.flush()
        watched = WatchedFolder(folder, self._pass_over)
        self.unregistered: set[Path] = set()
        try:
            for file in watched.whole_files(self.interruptions.check):
                self._watch_file(watched, file, rejects)
                self.stdout.flush()  # it may be a log, which somebody follows
        except KeyboardInterrupt:
            self.stdout.write("Ended.")
        except FolderGone as error:
            raise CommandError(str(error)) from None

    def _watch_file(self, watched: WatchedFolder, file: Path, rejects: RejectsFile | None) -> None:
        """One file, or an hour without the database, must not end the watch."""
        try:
            report = self._import_one(file, rejects)
            self.stdout.write(result_line(report))
            if told := note_clock_of_file(file, report, self.options.naming.place_of(file)):
                self.stderr.write(f"{printable(file)}: {told}")
        except ImportedBefore as error:
            self.stdout.write(f"{printable(file)} -> {printable(error.place)}: {error}")
        except BadName as error:
            self.stderr.write(str(error))
        except NotRegistered as error:
            if file not in self.unregistered:  # else told before
                self.stderr.write(f"{printable(file)}: {error}; {REGISTER}")
            self.unregistered.add(file)
            watched.give_again(file, LOOK_AGAIN_S)
        except DATABASE_ERRORS as error:
            self.stderr.write(f"{printable(file)}: the database failed: {error}. Trying again in {RETRY_S} s.")
            discard_all()
            watched.give_again(file)
            self.interruptions.sleep(RETRY_S)
        else:
            self.unregistered.discard(file)

    def _import_one(self, path: Path, rejects: RejectsFile | None) -> Report:
        try:
            stream = open_file(path, follow=path in self.named)
        except OSError as error:
            # There is nothing to keep a record of.
            run = ImportRun(outcome=ImportRun.Outcome.FAILED, message=error.strerror or str(error), place="")
            report = Report(path, run)
        else:
            with stream:
                report = self._import_open(stream, path, rejects)
        for line in problem_lines(report):
            self.stderr.write(line)
        return report

    def _import_open(self, stream: BufferedIOBase, path: Path, rejects: RejectsFile | None) -> Report:
        with show_progress(path, self.stdout, self.stderr) as show:
            patience = Patience(self.wait_s, show.say, self.interruptions.sleep)

            def on_progress(report: Report, bytes_read: int) -> None:
                size = os.fstat(stream.fileno()).st_size  # by now: it may grow
                show(report.run.read, bytes_read, max(1, size))
                reset_queries()  # with DEBUG on, Django would keep the text of every statement
                self.interruptions.check()

            return import_file(stream, path, self.options, rejects=rejects, on_progress=on_progress, patience=patience)


@contextmanager
def rolled_back() -> Iterator[None]:
    with transaction.atomic():
        try:
            yield
        finally:
            transaction.set_rollback(True)
