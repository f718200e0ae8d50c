"""What the commands that import files have in common: files and folders, the watch, the reports, what went wrong."""

from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from io import BufferedIOBase
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.db import transaction

from common.database.connections import discard_all
from common.database.errors import DATABASE_ERRORS
from common.interrupting import noted_interruptions
from common.printable import printable
from common.terminal import TerminalCommand
from vibration.files.clocks import note_clock_of_file
from vibration.files.display import problem_lines, result_line, summary_table
from vibration.files.importing import ImportedBefore, NotRegistered
from vibration.files.names import BadName
from vibration.files.paths import CSV_FILES, NOT_FOLLOWED, BadPath, find_files, open_file
from vibration.files.report import RejectsFile, Report
from vibration.files.watching import FolderGone, WatchedFolder
from vibration.management.arguments import seconds, some_path
from vibration.models import ImportRun

RETRY_S = 10  # after the database failed while a folder is watched
WAIT_S = 600.0  # for a database that goes away
LOOK_AGAIN_S = 30.0  # whether a machine was registered by now
REGISTER = (
    "register it in the administration, and the file is imported; or name the machines that may be registered: "
    "--name-pattern, or --machine and --sensor"
)


class LeftOut(Exception):
    """A file that who runs the command does not want; nothing of it is stored."""


class ImportCommand(TerminalCommand):
    """A command that imports files: what is special to a kind of them is left to its methods."""

    kind = CSV_FILES
    counted, batches = "rows", "batches"  # what the counts count, and what is stored as one

    def read_options(self, options: dict[str, Any]) -> Any:
        """A frozen dataclass with `naming`, `once`, `registered_by`. Raises CommandError."""
        raise NotImplementedError

    def import_open(self, stream: BufferedIOBase, path: Path, rejects: RejectsFile | None) -> Report:
        """Raises what `import_file` does, and LeftOut."""
        raise NotImplementedError

    def ends_all(self, report: Report) -> bool:
        """Whether the files after this one are left alone, too."""
        return False

    def add_import_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--rejects", type=some_path, metavar="FILE", help="write what conflicts or is rejected to FILE"
        )
        parser.add_argument(
            "--wait-for-database",
            type=seconds,
            default=WAIT_S,
            metavar="SECONDS",
            help="seconds to wait each time the database is away (default 600); 0: fail at once",
        )
        parser.add_argument("--dry-run", action="store_true", help="class everything and store nothing")
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
        self.options = self.read_options(options)
        if options["watch"] and not self.options.naming.is_explicit:
            # What lands in a watched folder is anybody's.
            self.options = replace(self.options, registered_by=None)
        self.wait_s = options["wait_for_database"]
        self.named = set(options["paths"])
        try:
            files = self._placed(find_files(options["paths"], self._pass_over, self.kind))
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
        trouble, returncode, passed_before = "", 1, self.passed_over
        try:
            for file in files:
                self.interruptions.check()
                try:
                    reports.append(self._import_one(file, rejects))
                except LeftOut as error:
                    self.stderr.write(f"{printable(file)}: {error}")
                    self.passed_over += 1
                    continue
                if self.ends_all(reports[-1]):
                    break
        except KeyboardInterrupt:
            trouble, returncode = "Interrupted", 130
        except DATABASE_ERRORS as error:
            trouble = f"The database failed: {error}"
        if reports:
            self.stdout.write(summary_table(reports, dry_run=dry_run))
        if unread := files[len(reports) + self.passed_over - passed_before :]:
            self.stdout.write(f"Not read, or not to the end: {', '.join(map(printable, unread))}")
        if trouble:
            stored = f"whole {self.batches} are stored; import the same again to complete it"
            if dry_run:
                stored = "nothing was stored"
            raise CommandError(f"{trouble}; {stored}.", returncode=returncode)
        bad = sum(report.run.outcome != ImportRun.Outcome.COMPLETE for report in reports) + self.passed_over
        if bad:
            total = len(files) + passed_before
            raise CommandError(
                f"{bad} of {total} files have {self.counted} or contents that were not imported, see above."
            )

    def _watch(self, folder: Path, rejects: RejectsFile | None) -> None:
        if not folder.is_dir():
            raise CommandError(f"{printable(folder)}: no such folder")
        self.stdout.write(f"Watching {printable(folder)}; Ctrl-C ends it.")
        self.stdout.flush()
        watched = WatchedFolder(folder, self._pass_over, self.kind)
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
                report = self.import_open(stream, path, rejects)
        for line in problem_lines(report):
            self.stderr.write(line)
        return report


@contextmanager
def rolled_back() -> Iterator[None]:
    with transaction.atomic():
        try:
            yield
        finally:
            transaction.set_rollback(True)
