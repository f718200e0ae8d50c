"""Files that land in a folder, each once it is whole."""

import gzip
import time as clock
import zlib
from collections.abc import Iterator
from pathlib import Path

from watchfiles import watch

from vibration.file_importing import is_csv_name

POLL_MS = 500
QUIET_S = 2.0  # a file that nobody has written to for so long is whole ...
QUIET_WITHOUT_END_S = 30.0  # ... or for so long, when it breaks off within a line or a gzip stream


def whole_files(folder: Path) -> Iterator[Path]:
    """The CSV files in a folder, then for ever each one that is written there or written to, once it is whole.

    A file that grows, or pauses within a line, is still being copied. One that is moved into the folder is whole.
    """
    done: dict[Path, tuple[int, int]] = {}  # size and time of change, as they were when the file was given out
    # A change wakes the loop at once; the time limit brings it back for what has to become quiet.
    for _changes in watch(folder, recursive=False, rust_timeout=POLL_MS, yield_on_timeout=True, raise_interrupt=True):
        for path in sorted(entry for entry in folder.iterdir() if is_csv_name(entry)):
            try:
                stat = path.stat()
                seen = (stat.st_size, stat.st_mtime_ns)
                if done.get(path) == seen or not _is_whole(path, quiet_s=clock.time() - stat.st_mtime):
                    continue
            except FileNotFoundError:  # taken away between the listing and the look
                continue
            done[path] = seen
            yield path


def _is_whole(path: Path, *, quiet_s: float) -> bool:
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
