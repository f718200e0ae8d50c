import sys
from contextlib import ExitStack
from functools import cache
from io import BufferedIOBase
from pathlib import Path

from django.core.management.base import CommandError

from common.database.transactions import Patience
from common.names import InvalidName
from common.printable import printable
from common.terminal import user_name
from vibration.captures.importing import CaptureOptions, import_capture_file
from vibration.captures.mappings import NoSuchMapping, find_mapping, save_mapping
from vibration.captures.naming import CaptureNaming
from vibration.captures.understanding import Said, Understood
from vibration.files.display import Shown, show_bar
from vibration.files.name_patterns import BadPattern
from vibration.files.paths import SIGNAL_FILES
from vibration.files.report import RejectsFile, Report
from vibration.formats.mapping import BadMapping, Mapping, from_json
from vibration.formats.stamps import TIMES
from vibration.management.arguments import (
    above_zero,
    axis_names,
    capture_pattern,
    capture_unit,
    parse_instant,
    some_path,
    zone,
)
from vibration.management.import_command import ImportCommand, LeftOut
from vibration.management.understood import understood_text


class Command(ImportCommand):
    help = (
        "Import captures, some seconds of one or more axes of a running machine, from CSV and other texts (also .gz), "
        "WAV, Parquet, TDMS, MAT, HDF5 and .lvm files, or folders of them. Shows what each column is taken for before "
        "anything is stored, and on a terminal asks. Importing the same again changes nothing. Exits with 0 only if "
        "every capture was stored or was already stored with the same samples."
    )
    kind = SIGNAL_FILES
    counted = batches = "captures"

    def add_arguments(self, parser):
        parser.add_argument("paths", nargs="*", type=some_path, metavar="PATH", help="files, or folders of them")
        parser.add_argument("--machine", help="instead of the part before the last _ in <machine>_<sensor>[_<start>]")
        parser.add_argument("--sensor", help="instead of the part after the last _")
        parser.add_argument(
            "--axis", type=axis_names, metavar="NAMES", help="what the axes are called, in the order of columns: x,y,z"
        )
        parser.add_argument(
            "--name-pattern",
            type=capture_pattern,
            metavar="PATTERN",
            help="how the files are named, without .csv or the like: {machine}, {sensor}, {axis} and {start}, a time "
            "stamp. The options above say what it leaves out",
        )
        parser.add_argument("--rate", type=above_zero, metavar="HZ", help="samples per second, where no time tells it")
        parser.add_argument("--unit", type=capture_unit, help="of every axis: m/s2, g, mm/s or unknown")
        parser.add_argument("--rpm", type=above_zero, help="the speed of the machine")
        parser.add_argument(
            "--started-at",
            type=parse_instant,
            metavar="ISO",
            help="when the first sample was measured; plant time if it has no offset",
        )
        parser.add_argument(
            "--start-from-mtime",
            action="store_true",
            help="take the time of a file's last change for its start, where nothing else tells it",
        )
        parser.add_argument("--time", choices=TIMES, help="how the time column is written (default: as it looks)")
        parser.add_argument(
            "--time-zone", type=zone, metavar="NAME", help="of times of day without an offset (default: plant time)"
        )
        parser.add_argument(
            "--mapping", metavar="NAME|FILE", help="which column is what: a saved mapping, or a .json file of one"
        )
        parser.add_argument(
            "--save-mapping", metavar="NAME", help="keep what the first file is taken for, for others like it"
        )
        parser.add_argument(
            "--split", type=above_zero, metavar="SECONDS", help="cut what is longer into captures of so many seconds"
        )
        parser.add_argument("--yes", action="store_true", help="do not ask")
        parser.add_argument(
            "--on-error",
            choices=["stop", "skip"],
            default="stop",
            help="a capture that can't be stored, such as one in the future: store nothing of its file (default), or "
            "skip it. Other files go on in either case",
        )
        self.add_import_arguments(parser)

    def read_options(self, options):
        self.asks = sys.stdin.isatty() and not options["yes"] and not options["watch"]
        self.save_as: str | None = options["save_mapping"]
        self.is_dry = options["dry_run"]
        self.agreed: set[tuple] = set()
        try:
            naming = CaptureNaming(
                options["machine"], options["sensor"], options["name_pattern"], zone=options["time_zone"]
            )
        except BadPattern as error:
            raise CommandError(str(error)) from None
        pattern = options["name_pattern"]
        if options["axis"] and pattern and "axis" in pattern.names:
            raise CommandError("--axis and {axis} in --name-pattern both say it; leave one of them out.")
        if options["started_at"] and pattern and "start" in pattern.names:
            raise CommandError("--started-at and {start} in --name-pattern both say it; leave one of them out.")
        said = Said(
            mapping=self._mapping(options["mapping"]) if options["mapping"] else None,
            axes=options["axis"] or (),
            rate_hz=options["rate"],
            unit=options["unit"],
            rpm=options["rpm"],
            time=options["time"],
            zone=options["time_zone"],
            started_at=options["started_at"],
            split_s=options["split"],
        )
        return CaptureOptions(
            naming=naming,
            said=said,
            start_from_mtime=options["start_from_mtime"],
            once=options["watch"] is not None,
            skip_bad=options["on_error"] == "skip",
            started_by=user_name(),
        )

    def _mapping(self, text: str) -> Mapping:
        """A saved one by its name, or that of a file. Raises CommandError."""
        is_file = text.lower().endswith(".json") or "/" in text
        try:
            return from_json(Path(text).read_text(encoding="utf-8")) if is_file else find_mapping(text)
        except (BadMapping, UnicodeDecodeError) as error:
            raise CommandError(f"--mapping {printable(text)}: {error}") from None
        except NoSuchMapping as error:
            raise CommandError(f"{error}. A file of a mapping ends with .json.") from None
        except OSError as error:
            raise CommandError(f"--mapping {printable(text)}: {error.strerror}") from None

    def _agree(self, found: Understood) -> None:
        """Show what a file is taken for, and ask, once for all files that are taken alike. Raises LeftOut."""
        alike = (found.mapping, tuple(it.name for it in found.table.columns), found.doubts, str(found.problem))
        if alike not in self.agreed:
            self.stdout.write(understood_text(found))
            self.stdout.flush()
            if self.asks and found.is_storable:
                try:
                    answer = self.ask("Store it so, and other files that are taken alike? [y/N] ")
                except EOFError:
                    answer = ""
                if answer.strip().lower() not in ("y", "yes"):
                    raise LeftOut("left out, as was answered; --mapping, --rate, --unit and others say what it is")
            self.agreed.add(alike)
        if self.save_as and found.is_storable:
            self._save(self.save_as, found.mapping)
            self.save_as = None

    def _save(self, name: str, mapping: Mapping) -> None:
        try:
            is_new = save_mapping(name, mapping, saved_by=user_name())
        except InvalidName as error:
            raise CommandError(f"--save-mapping: {error}") from None
        if not self.is_dry:
            done = "is saved" if is_new else "takes the place of the one that was saved"
            self.stdout.write(f"The mapping '{printable(name)}' {done}.")

    def import_open(self, stream: BufferedIOBase, path: Path, rejects: RejectsFile | None) -> Report:
        with ExitStack() as stack:

            @cache
            def bar() -> Shown:
                """Not before there is something to show: a question may come first."""
                shown = show_bar(path.name, 1, self.stdout, self.stderr, said_as=str(path), what="samples")
                return stack.enter_context(shown)

            patience = Patience(self.wait_s, lambda text: bar().say(text), self.interruptions.sleep)

            def on_progress(report: Report, done: int, of: int) -> None:
                bar()(done, done, max(1, of))
                self.interruptions.check()

            return import_capture_file(
                stream,
                path,
                self.options,
                rejects=rejects,
                on_understood=self._agree,
                on_progress=on_progress,
                patience=patience,
            )
