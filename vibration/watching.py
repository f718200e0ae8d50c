"""Files that land in a folder, each once it is whole."""

import gzip
import time as clock
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from watchfiles import watch

from vibration.csv_paths import is_csv

POLL_MS = 500
QUIET_S = 2.0  # a file that nobody has written to for so long is whole ...
QUIET_WITHOUT_END_S = 30.0  # ... or for so long, when it breaks off within a line or a gzip stream


class FolderGone(Exception):
    """The watched folder can't be read any more."""


class WatchedFolder:
    """The CSV files in a folder, and for ever each one that is written there or written to, once it is whole.

    A file that grows, or pauses within a line, is still being copied. One that is moved into the folder is whole.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self._given: dict[Path, tuple] = {}  # size and time of change of each file as it was given out
        self._seen: dict[Path, tuple] = {}  # the same as it was last looked at, and since when it is so

    def whole_files(self, check: Callable[[], None] = lambda: None) -> Iterator[Path]:
        """Without end, unless `check`, which is called time and again, raises. Raises FolderGone."""
        # A change wakes the loop at once; the time limit brings it back for what has to become quiet.
        options = {"recursive": False, "rust_timeout": POLL_MS, "yield_on_timeout": True, "raise_interrupt": True}
        try:
            for _changes in watch(self.folder, **options):
                check()
                for path in sorted(self.folder.iterdir()):
                    if self._is_to_be_given(path):
                        yield path
        except OSError as error:
            raise FolderGone(f"{self.folder}: {error.strerror or error}; the watch has ended") from None

    def give_again(self, path: Path) -> None:
        """Give out a file once more although it has not changed: importing it has failed."""
        self._given.pop(path, None)

    def _is_to_be_given(self, path: Path) -> bool:
        state = (0, 0)
        try:
            if not is_csv(path):
                return False
            stat = path.stat()
            state = (stat.st_size, stat.st_mtime_ns)
            if self._given.get(path) == state or not _is_whole(path, self._quiet_s(path, stat)):
                return False
        except FileNotFoundError:  # taken away meanwhile
            return False
        except PermissionError:
            if self._given.get(path) == state:
                return False
            # Given out once, for the importer to say so
        self._given[path] = state
        return True

    def _quiet_s(self, path: Path, stat) -> float:
        """How long nothing was written: by the file's own time or, as clocks differ, since it was seen so."""
        state, now = (stat.st_size, stat.st_mtime_ns), clock.monotonic()
        if self._seen.get(path, (None, 0))[0] != state:
            self._seen[path] = (state, now)
        return max(clock.time() - stat.st_mtime, now - self._seen[path][1])


def _is_whole(path: Path, quiet_s: float) -> bool:
    return quiet_s >= QUIET_WITHOUT_END_S or (quiet_s >= QUIET_S and _has_end(path))


def _has_end(path: Path) -> bool:
    with path.open("rb") as stream:
        if stream.read(2) == b"\x1f\x8b":
            stream.seek(0)
            return _gzip_has_end(stream)
        stream.seek(0, 2)
        stream.seek(max(0, stream.tell() - 1))
        return stream.read() == b"\n"


def _gzip_has_end(stream) -> bool:
    try:
        with gzip.GzipFile(fileobj=stream) as unzipped:
            while unzipped.read(1 << 20):
                pass
    except (EOFError, gzip.BadGzipFile, zlib.error):
        return False
    return True
