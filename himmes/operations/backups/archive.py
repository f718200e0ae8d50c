"""The file of a backup: a zip of the database's own dump and a manifest that tells what is in it."""

import hashlib
import json
import os
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

FORMAT = 1
MANIFEST = "manifest.json"
BLOCK_BYTES = 2**20
# Level 3 took half as long again, for 3 % of the bytes.
COMPRESS_LEVEL = 1

# What reading a zip file that is not whole ends in
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, KeyError)

# Called now and then with what is being done, how much of it is done, and how much there is to do, if that is known.
Tell = Callable[[str, int, int | None], None]


class BackupError(Exception):
    """Why a backup can't be made or restored, in words for the operator."""


@dataclass(frozen=True)
class TableSum:
    """What a table holds: two tables of one engine with the same sum hold the same rows, bit for bit."""

    rows: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a backup says of itself."""

    made_at: str  # ISO 8601 with an offset
    engine: str  # sqlite, mariadb or mysql
    server: str  # its version
    tool: str  # what made the dump
    content: str  # the name of the dump inside the zip
    content_bytes: int
    content_sha256: str
    migrations: list[str]  # those applied, as "app.name"
    left_out: list[str]  # tables that are there without their rows
    tables: dict[str, TableSum]

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables.values())


class Content:
    """A file being written: counts and hashes what goes through."""

    def __init__(self, file: IO[bytes]):
        self._file = file
        self._hash = hashlib.sha256()
        self.bytes = 0

    def write(self, data: bytes) -> None:
        self._file.write(data)
        self._hash.update(data)
        self.bytes += len(data)

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


@contextmanager
def working_folder(path: Path) -> Iterator[Path]:
    """A folder of its own beside `path`, for nobody else's eyes, that is removed at the end.

    Beside it, as there is the room; where temporary files go, in a container, often is not.
    """
    try:
        folder = tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    except OSError as error:
        raise BackupError(f"{path.parent}: {error.strerror}") from None
    with folder as name:
        yield Path(name)


class NewArchive:
    """A zip file being written in a folder of its own; it gets its name when it is whole."""

    def __init__(self, folder: Path):
        self.path = folder / "backup.zip"
        self.path.touch(mode=0o600)
        self._zip = zipfile.ZipFile(self.path, "w", zipfile.ZIP_DEFLATED, compresslevel=COMPRESS_LEVEL)

    @contextmanager
    def content(self, name: str) -> Iterator[Content]:
        with self._zip.open(name, "w", force_zip64=True) as file:
            yield Content(file)

    def finish(self, manifest: Manifest, path: Path) -> int:
        """The number of bytes of the file at `path`, which is whole and on the disk now."""
        self._zip.writestr(MANIFEST, json.dumps({"format": FORMAT} | asdict(manifest), indent=1))
        self._zip.close()
        with self.path.open("rb") as file:
            os.fsync(file.fileno())
        if path.exists():
            raise BackupError(f"{path} is there by now; this backup was not kept.")
        self.path.rename(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return path.stat().st_size


class Archive:
    """A finished backup.

    Raises BackupError when the file can't be read, or is no backup, or not a whole one.
    """

    def __init__(self, path: Path):
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
            said = json.loads(self._zip.read(MANIFEST))
            if said.pop("format") != FORMAT:
                raise BackupError(f"{path} has a format that this version can't read; use the version that made it.")
            tables = {name: TableSum(**table) for name, table in said.pop("tables").items()}
            self.manifest = Manifest(**said, tables=tables)
        except OSError as error:
            raise BackupError(f"{path}: {error.strerror}") from None
        except (*_DAMAGED, AttributeError, TypeError, ValueError) as error:
            raise BackupError(f"{path} is no backup, or cut or damaged: {error}") from None

    def blocks(self) -> Iterator[bytes]:
        """The dump from its beginning to its end, which is compared with the zip's own checksum."""
        try:
            with self._zip.open(self.manifest.content) as file:
                while block := file.read(BLOCK_BYTES):
                    yield block
        except _DAMAGED as error:
            raise BackupError(f"{self.path} is cut or damaged: {error}") from None

    def check(self, tell: Tell, *, copy_to: Path | None = None) -> None:
        """Read the whole dump, and copy it if asked.

        Raises BackupError when it isn't what was written.
        """
        with (copy_to or Path(os.devnull)).open("wb") as file:
            found = Content(file)
            for block in self.blocks():
                found.write(block)
                tell("Checking the file (bytes)", found.bytes, self.manifest.content_bytes)
        if (found.bytes, found.sha256) != (self.manifest.content_bytes, self.manifest.content_sha256):
            raise BackupError(f"{self.path} is damaged: its content does not have the checksum of its manifest.")


def copy_file(path: Path, content: Content, tell: Tell) -> None:
    """Put a file into an archive."""
    size = path.stat().st_size
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            content.write(block)
            tell("Compressing (bytes)", content.bytes, size)
