"""Files that appear in a folder, each once it is complete."""

import gzip
import math
import stat
import time as clock
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BufferedIOBase, BufferedReader
from pathlib import Path

from watchfiles import watch

from common.printable import printable
from vibration.csv.lines import CheckedStream
from vibration.files.paths import CSV_FILES, FileKind, files_in, open_file

POLL_MS = 500
QUIET_S = 2.0  # a file that nobody has written to for so long is whole ...
QUIET_WITHOUT_END_S = 30.0  # ... or for so long, when it breaks off within a line or a gzip stream
REST = 20  # times as long as it took to look at all files: some ten thousand of them must not keep a processor busy
LOOK_S = 2.0  # how long the end of a gzip stream is looked for; as if it broke off, if it is not found by then


State = tuple[int, int]  # a file's size and its time of change in ns


class FolderGone(Exception):
    """The watched folder can't be read any more."""


@dataclass
class Seen:
    """A file as it was last looked at."""

    state: State
    since: float  # by the clock of this process
    has_end: bool | None = None  # None: not looked for


class WatchedFolder:
    """The files of a kind in a folder, and for ever each one that is written there or written to, once it is whole.

    A file that grows, or pauses within a line, is still being copied. One that is moved into the folder is whole. Links
    are not followed, as they may be anybody's; `pass_over` is called with each, once while it is there.
    """

    def __init__(self, folder: Path, pass_over: Callable[[Path], None] = lambda link: None, kind: FileKind = CSV_FILES):
        self.folder = folder
        self._kind = kind
        self._pass_over = pass_over
        self._links: set[Path] = set()
        self._given: dict[Path, State] = {}  # as each file was when it was given out
        self._again: dict[Path, float] = {}  # when a file is to be given out again, by the clock of this process
        self._seen: dict[Path, Seen] = {}
        self._rests_until = 0.0

    def whole_files(self, check: Callable[[], None] = lambda: None) -> Iterator[Path]:
        """Without end, unless `check`, which is called time and again, raises. Raises FolderGone."""
        # A change wakes the loop at once; the time limit brings it back for what has to become quiet.
        changes = watch(self.folder, recursive=False, rust_timeout=POLL_MS, yield_on_timeout=True, raise_interrupt=True)
        try:
            for _changes in changes:
                check()
                if clock.monotonic() >= self._rests_until:
                    yield from self._look_at_all(check)
        except OSError as error:
            raise FolderGone(f"{printable(self.folder)}: {error.strerror or error}; the watch has ended") from None

    def give_again(self, path: Path, after_s: float = 0.0) -> None:
        """Give out a file once more although it has not changed: importing it has failed."""
        self._again[path] = clock.monotonic() + after_s

    def _look_at_all(self, check: Callable[[], None]) -> Iterator[Path]:
        began, away_s = clock.monotonic(), 0.0
        files, links = files_in(self.folder, self._kind)
        self._tell_of(links)
        self._forget_all_but(files)
        for path in files:
            if self._is_to_be_given(path):
                left = clock.monotonic()
                yield path
                away_s += clock.monotonic() - left
            check()
        ended = clock.monotonic()
        self._rests_until = ended + REST * (ended - began - away_s)

    def _forget_all_but(self, files: list[Path]) -> None:
        """A watch runs for years, while files come and are taken away."""
        gone = self._seen.keys() | self._given.keys()
        for path in gone.difference(files):
            for known in (self._seen, self._given, self._again):
                known.pop(path, None)

    def _tell_of(self, links: list[Path]) -> None:
        for link in links:
            if link not in self._links:
                self._pass_over(link)
        self._links = set(links)

    def _is_to_be_given(self, path: Path) -> bool:
        state = (0, 0)
        try:
            found = path.lstat()
            if not stat.S_ISREG(found.st_mode):  # by now
                return False
            state = (found.st_size, found.st_mtime_ns)
            if self._again.get(path, math.inf) <= clock.monotonic():
                del self._again[path]
                self._given.pop(path, None)
            if self._given.get(path) == state or not self._is_whole(path, state):
                return False
        except FileNotFoundError:  # taken away meanwhile
            return False
        except OSError:
            if self._given.get(path) == state:
                return False
            # Given out once, for the importer to say so
        self._given[path] = state
        return True

    def _is_whole(self, path: Path, state: State) -> bool:
        seen = self._seen.get(path)
        if seen is None or seen.state != state:
            seen = self._seen[path] = Seen(state, clock.monotonic())
        # By the file's own time or, as clocks differ, since it was seen so
        quiet_s = max(clock.time() - state[1] / 1e9, clock.monotonic() - seen.since)
        if quiet_s >= QUIET_WITHOUT_END_S:
            return True
        if quiet_s >= QUIET_S and seen.has_end is None:
            seen.has_end = _has_end(path)
        return bool(seen.has_end)


def _has_end(path: Path) -> bool:
    with open_file(path, follow=False) as stream:
        if stream.read(2) == b"\x1f\x8b":
            stream.seek(0)
            return _gzip_has_end(stream)
        stream.seek(0, 2)
        stream.seek(max(0, stream.tell() - 1))
        return stream.read() == b"\n"


def _gzip_has_end(stream: BufferedIOBase) -> bool:
    deadline = clock.monotonic() + LOOK_S

    def check() -> None:
        if clock.monotonic() > deadline:
            raise TimeoutError

    try:
        # By what is read and by what comes of it: a little can hold much, and much can hold nothing.
        with gzip.GzipFile(fileobj=BufferedReader(CheckedStream(stream, check))) as unzipped:
            while unzipped.read(1 << 20):
                check()
    except (EOFError, gzip.BadGzipFile, zlib.error, TimeoutError):
        return False
    return True
