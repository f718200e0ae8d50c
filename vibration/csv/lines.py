"""Lines of a CSV stream, plain or gzip-compressed, as bytes of bounded length."""

import gzip
import hashlib
import io
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from common.printable import printable

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAX_LINE_BYTES = 64 * 1024  # a longer line is not a row of five numbers
PIECE_BYTES = 8 * 1024  # read at once; what was read before damage is found within such a piece is lost
BOM = b"\xef\xbb\xbf"
SHOWN_CELL_CHARACTERS = 20  # in a message: to find the cell by, not to read a file by that is no table


class UnreadableFile(Exception):
    """The file as a whole can't be read; the message says why and what to do."""


class CheckedStream(io.RawIOBase):
    """A binary stream that calls `check` whenever a piece is read of it."""

    def __init__(self, stream: io.BufferedIOBase, check: Callable[[], None]):
        self._stream, self._check = stream, check

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        self._check()
        return self._stream.readinto(buffer)


class Lines:
    """The lines of a stream that is at its beginning, each of at most MAX_LINE_BYTES; raises UnreadableFile.

    `check` is called with how many bytes were read by then, decompressed, at each piece of the stream; whoever takes
    lines adds them by `count`.
    """

    def __init__(self, stream: io.BufferedIOBase, check: Callable[[int], None]):
        self._content_bytes = 0
        self._check_bytes = check
        self._stream = _decompressed(stream, self._check)

    def count(self, content_bytes: int) -> None:
        self._content_bytes += content_bytes
        self._check()

    def _check(self) -> None:
        self._check_bytes(self._content_bytes)

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._read()
        except EOFError:
            raise UnreadableFile(
                "the gzip data ends before its end mark: the file was cut off. Rows up to there were taken; "
                "copy the file again and import it again"
            ) from None
        except (gzip.BadGzipFile, zlib.error) as error:
            raise UnreadableFile(f"the gzip data is damaged ({error}); copy and import the file again") from None

    def _read(self) -> Iterator[bytes]:
        # Split a piece at a time: to ask the stream for each line takes twice as long.
        start, is_skipping = b"", False  # of a line that goes on in the next piece: what is kept, or no more
        for piece in iter(partial(self._stream.read1, PIECE_BYTES), b""):
            if is_skipping:
                end = piece.find(b"\n") + 1
                self.count(end or len(piece))
                piece, is_skipping = piece[end:] if end else b"", not end
            lines = io.BytesIO(start + piece).readlines()
            goes_on = bool(lines) and not lines[-1].endswith(b"\n")
            start = b""
            if lines and is_overlong(line := lines[0][:MAX_LINE_BYTES]):  # no other: a piece is shorter
                self.count(len(lines[0]) - len(line))
                is_skipping = goes_on and len(lines) == 1
                lines[0] = line
            if goes_on and not is_skipping:
                start = lines.pop()
            yield from lines
        if start:
            yield start


def sha256_of(stream: io.BufferedIOBase, check: Callable[[], None] = lambda: None) -> str:
    """The checksum of all of a stream, which is at its beginning then. `check` is called meanwhile, and may raise."""
    digest = hashlib.file_digest(CheckedStream(stream, check), "sha256").hexdigest()
    stream.seek(0)
    return digest


def decode(raw: bytes) -> str:
    """UTF-8, or cp949 as Korean Windows writes it. Raises UnicodeDecodeError when it is neither."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp949")


def decode_anyhow(raw: bytes) -> str:
    """The same, with marks in place of what is neither."""
    try:
        return decode(raw)
    except UnicodeDecodeError:
        return raw.decode("utf-8", errors="replace")


def shown(cell: bytes) -> str:
    """The beginning of a cell, for a message."""
    text = decode_anyhow(cell).strip()
    return printable(text if len(text) <= SHOWN_CELL_CHARACTERS else text[:SHOWN_CELL_CHARACTERS] + "…")


def is_overlong(line: bytes) -> bool:
    return len(line) == MAX_LINE_BYTES and not line.endswith(b"\n")


def is_open(line: bytes) -> bool:
    """Whether the file ends within this line."""
    return not line.endswith(b"\n") and not is_overlong(line)


def _decompressed(stream: io.BufferedIOBase, check: Callable[[], None]) -> io.BufferedIOBase:
    """The stream, through gzip when it begins like it; the name of a file proves nothing."""
    is_gzip = stream.read(2) == b"\x1f\x8b"
    stream.seek(0)
    checked = io.BufferedReader(CheckedStream(stream, check))
    return gzip.GzipFile(fileobj=checked) if is_gzip else checked
