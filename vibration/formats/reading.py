"""Reads a file of signals, whatever its format: by what it begins with, then by its name."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from vibration.formats.delimited import decompressed, read_delimited
from vibration.formats.lvm import LVM_MARK, read_lvm
from vibration.formats.table import MAX_HELD_BYTES, BadFile, Table
from vibration.formats.wav import read_wav

MAX_FILE_BYTES = MAX_HELD_BYTES
EXTRAS = "requirements-formats.txt"
_GZIP = b"\x1f\x8b"
_HDF5 = b"\x89HDF\r\n\x1a\n"
_MAT5 = b"MATLAB 5.0 MAT-file"
_MAT73 = b"MATLAB 7.3 MAT-file"
# What can't be read, by what it begins with: what it is, and what to do.
_FOREIGN = {
    b"PK\x03\x04": ("an Excel workbook or a zip archive", "export it as CSV, or unpack it"),
    b"\xd0\xcf\x11\xe0": ("an old Excel workbook", "export it as CSV"),
    b"%PDF": ("a PDF", "export the signals as CSV"),
    b"\xfd7zXZ": ("xz-compressed", "unpack it"),
    b"BZh": ("bzip2-compressed", "unpack it"),
    b"(\xb5/\xfd": ("zstd-compressed", "unpack it"),
    b"fLaC": ("FLAC audio", "export it as WAV"),
    b"OggS": ("Ogg audio", "export it as WAV"),
}


def read_table(path: Path, *, separator: str = "", decimal: str = "") -> Table:
    """All columns of a file, exact, with what it says of rate, start and units. Raises BadFile and OSError.

    `separator` and `decimal` are for text that can be read in two ways.
    """
    size = path.stat().st_size
    if size > MAX_FILE_BYTES:
        raise BadFile(
            path,
            f"it has {size / 2**20:,.0f} MB, and at most {MAX_FILE_BYTES >> 20} MB are read at once",
            "split it into shorter files",
        )
    return read_content(path, path.read_bytes(), separator=separator, decimal=decimal)


def read_content(path: Path, content: bytes, *, separator: str = "", decimal: str = "") -> Table:
    """The same of a file's bytes; `path` is what it is called, and need not lead to it."""
    if content.startswith(_GZIP):
        content = decompressed(path, content)
        if content.startswith(_GZIP):
            raise BadFile(path, "it is gzip-compressed twice", "unpack it")
        if reader := _binary_reader(content):
            raise BadFile(path, f"a {_name_of(reader)} file is gzip-compressed", "unpack it")
    elif reader := _binary_reader(content):
        return reader(path, content)
    for signature, (what, advice) in _FOREIGN.items():
        if content.startswith(signature):
            raise BadFile(path, f"this is {what}", advice)
    if content.removeprefix(b"\xef\xbb\xbf").lstrip()[: len(LVM_MARK)].lower() == LVM_MARK:
        return read_lvm(path, content)
    return read_delimited(path, content, separator=separator, decimal=decimal)


def _binary_reader(content: bytes) -> Callable[[Path, bytes], Table] | None:
    if content[:4] in (b"RIFF", b"RIFX", b"RF64") and content[8:12] == b"WAVE":
        return read_wav
    if content.startswith(b"PAR1"):
        return _read_parquet
    if content.startswith(b"TDSm"):
        return _read_tdms
    if content.startswith(_MAT5):
        return _read_mat
    if content.startswith(_HDF5) or content.startswith(_MAT73):
        return _read_hdf5
    return None


def _name_of(reader: Callable[[Path, bytes], Table]) -> str:
    return reader.__name__.rpartition("_")[2].upper()


# Each is imported once a file needs it: none is light, and those of EXTRAS need not be installed.
def _read_parquet(path: Path, content: bytes) -> Table:
    from vibration.formats.parquet import read_parquet

    return read_parquet(path, content)


def _read_tdms(path: Path, content: bytes) -> Table:
    _check_installed(path, "nptdms", "TDMS")
    from vibration.formats.tdms import read_tdms

    return read_tdms(path, content)


def _read_mat(path: Path, content: bytes) -> Table:
    from vibration.formats.arrays import read_mat

    return read_mat(path, content)


def _read_hdf5(path: Path, content: bytes) -> Table:
    _check_installed(path, "h5py", "HDF5 or MAT 7.3")
    from vibration.formats.arrays import read_hdf5

    return read_hdf5(path, content)


def _check_installed(path: Path, package: str, format_name: str) -> None:
    if find_spec(package) is None:
        raise BadFile(
            path,
            f"this is a {format_name} file, and the package {package}, which reads it, is not installed",
            f"run pip install -c constraints.txt -r {EXTRAS}",
        )
