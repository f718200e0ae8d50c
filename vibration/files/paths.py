"""The files that a path means, and opening them."""

import errno
import os
import re
import stat
from collections.abc import Callable
from io import BufferedReader
from pathlib import Path

from common.printable import printable
from vibration.csv.lines import decode_anyhow

_SUFFIX = re.compile(r"\.csv(\.gz)?$", re.IGNORECASE)
NOT_FOLLOWED = "is a link, which is not followed; to import what it leads to, name the link itself"


class BadPath(ValueError):
    """A path that can't be imported; the message says why and what to do."""


def find_files(paths: list[Path], pass_over: Callable[[Path], None] = lambda link: None) -> list[Path]:
    """The files meant by paths: a file itself, the CSV files directly in a folder. Raises BadPath.

    A path may be a link, as whoever names it knows; links in a folder may be anybody's, and go to `pass_over`.
    """
    files: list[Path] = []
    for path in paths:
        try:
            files += _files_of(path, pass_over)
        except OSError as error:
            raise BadPath(f"{printable(path)}: {error.strerror}") from None
    return list(dict.fromkeys(files))


def _files_of(path: Path, pass_over: Callable[[Path], None]) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        found = path.exists() or path.is_symlink()
        what = "is neither a regular file nor a folder" if found else "no such file or folder"
        raise BadPath(f"{printable(path)}: {what}")
    files, links = csv_files_in(path)
    for link in links:
        pass_over(link)
    if not files:
        raise BadPath(f"{printable(path)}: no .csv or .csv.gz file in this folder")
    return files


def csv_files_in(folder: Path) -> tuple[list[Path], list[Path]]:
    """The CSV files directly in a folder, and the links that are called like some, whatever they lead to."""
    with os.scandir(folder) as entries:  # it tells what each is without a call for each: there may be ten thousands
        found = sorted((entry.name, entry) for entry in entries if _is_csv(entry.name))
    files = [folder / name for name, entry in found if entry.is_file(follow_symlinks=False)]
    return files, [folder / name for name, entry in found if entry.is_symlink()]


def _is_csv(name: str) -> bool:
    return _SUFFIX.search(name) is not None and not name.startswith(".")


def open_csv(path: Path, *, follow: bool) -> BufferedReader:
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


def stem_of(path: Path) -> str:
    """Its name without .csv or .csv.gz."""
    return _SUFFIX.sub("", name_of(path))
