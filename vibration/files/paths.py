"""The files that a path means, and opening them."""

import errno
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from common.printable import printable
from vibration.csv.lines import decode_anyhow


@dataclass(frozen=True)
class FileKind:
    """Which files of a folder are meant, by the end of their names."""

    endings: tuple[str, ...]  # in small letters, the longer before those that end it
    told: str

    def is_meant(self, name: str) -> bool:
        return name.lower().endswith(self.endings) and not name.startswith(".")

    def stem(self, name: str) -> str:
        """A name without its end."""
        end = next((it for it in self.endings if name.lower().endswith(it)), "")
        return name[: len(name) - len(end)]


_TEXTS = (".csv", ".txt", ".tsv", ".dat", ".lvm")
CSV_FILES = FileKind((".csv.gz", ".csv"), ".csv or .csv.gz")
SIGNAL_FILES = FileKind(
    (*(f"{it}.gz" for it in _TEXTS), *_TEXTS, ".wav", ".parquet", ".tdms", ".mat", ".h5", ".hdf5"),
    ".csv, .txt, .tsv, .dat, .lvm (also .gz), .wav, .parquet, .tdms, .mat, .h5 or .hdf5",
)
NOT_FOLLOWED = "is a link, which is not followed; to import what it leads to, name the link itself"


class BadPath(ValueError):
    """A path that can't be imported; the message says why and what to do."""


def find_files(
    paths: list[Path], pass_over: Callable[[Path], None] = lambda link: None, kind: FileKind = CSV_FILES
) -> list[Path]:
    """The files meant by paths: a file itself, those of the kind directly in a folder. Raises BadPath.

    A path may be a link, as whoever names it knows; links in a folder may be anybody's, and go to `pass_over`.
    """
    files: list[Path] = []
    for path in paths:
        try:
            files += _files_of(path, pass_over, kind)
        except OSError as error:
            raise BadPath(f"{printable(path)}: {error.strerror}") from None
    return list(dict.fromkeys(files))


def _files_of(path: Path, pass_over: Callable[[Path], None], kind: FileKind) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        found = path.exists() or path.is_symlink()
        what = "is neither a regular file nor a folder" if found else "no such file or folder"
        raise BadPath(f"{printable(path)}: {what}")
    files, links = files_in(path, kind)
    for link in links:
        pass_over(link)
    if not files:
        raise BadPath(f"{printable(path)}: no {kind.told} file in this folder")
    return files


def files_in(folder: Path, kind: FileKind) -> tuple[list[Path], list[Path]]:
    """The files of a kind directly in a folder, and the links that are called like some, whatever they lead to."""
    with os.scandir(folder) as entries:  # it tells what each is without a call for each: there may be ten thousands
        found = sorted((entry.name, entry) for entry in entries if kind.is_meant(entry.name))
    files = [folder / name for name, entry in found if entry.is_file(follow_symlinks=False)]
    return files, [folder / name for name, entry in found if entry.is_symlink()]


def open_file(path: Path, *, follow: bool) -> BufferedReader:
    """A regular file, opened to be read. Raises OSError when it can't be, or is none by now.

    What is in a folder may be another thing than when it was looked at: a link, which is followed only if `follow`, or
    a pipe, which would never open.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | (0 if follow else os.O_NOFOLLOW))
    except OSError as error:
        if error.errno == errno.ELOOP and not follow:
            raise OSError(error.errno, NOT_FOLLOWED, str(path)) from None
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "is not a regular file", str(path))
    return os.fdopen(descriptor, "rb")


def name_of(path: Path) -> str:
    """The file's name as text, also when an archive from Korean Windows left it in cp949."""
    return decode_anyhow(os.fsencode(path.name))


def stem_of(path: Path, kind: FileKind = CSV_FILES) -> str:
    """Its name without the end that its kind has."""
    return kind.stem(name_of(path))
