import os
from io import BufferedIOBase
from pathlib import Path

from django.core.management.base import CommandError
from django.db import reset_queries

from common.database.transactions import Patience
from common.terminal import user_name
from vibration.csv.reader import BATCH_ROWS
from vibration.csv.times import TIMES
from vibration.files.display import show_progress
from vibration.files.importing import import_file
from vibration.files.name_patterns import BadPattern
from vibration.files.names import Naming
from vibration.files.report import RejectsFile, Report
from vibration.files.storing import ON_RESTART, Options
from vibration.management.arguments import name_pattern, parse_instant, positive, some_path, zone
from vibration.management.import_command import ImportCommand
from vibration.models import DEFAULT_RECORDING, ImportRun


class Command(ImportCommand):
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
        self.add_import_arguments(parser)

    def read_options(self, options):
        return Options(
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

    def ends_all(self, report: Report) -> bool:
        is_over = report.run.outcome in (ImportRun.Outcome.STOPPED, ImportRun.Outcome.FAILED)
        return is_over and not self.options.skip_bad_rows

    def import_open(self, stream: BufferedIOBase, path: Path, rejects: RejectsFile | None) -> Report:
        with show_progress(path, self.stdout, self.stderr) as show:
            patience = Patience(self.wait_s, show.say, self.interruptions.sleep)

            def on_progress(report: Report, bytes_read: int) -> None:
                size = os.fstat(stream.fileno()).st_size  # by now: it may grow
                show(report.run.read, bytes_read, max(1, size))
                reset_queries()  # with DEBUG on, Django would keep the text of every statement
                self.interruptions.check()

            return import_file(stream, path, self.options, rejects=rejects, on_progress=on_progress, patience=patience)
