"""The text that mysqldump writes with one INSERT a row: summed up table by table, and put together anew."""

import hashlib
import re
from collections.abc import Callable, Iterable

from himmes.operations.backups.archive import BackupError, TableSum, Tell

# Rows are joined to statements of about so many bytes: one by one, 1.5 million took half an hour to restore, not 20 s.
# Servers take 16 MiB or more.
STATEMENT_BYTES = 2**20
_SANDBOX = re.compile(rb"/\*(M!|!)999999")
_NEGATIVE_ZERO = re.compile(rb"[(,]-0[,)]")
# A text, of which nothing is to be changed, or a negative zero. A text without an end goes to the end of all: looked
# for from each of its quotes, it would take a time that grows with the square of its length.
_TEXT_OR_NEGATIVE_ZERO = re.compile(rb"'(?:[^'\\]|\\.?|'')*+(?:'|\Z)|(?<=[(,])-0(?=[,)])", re.DOTALL)


def copy_dump(
    lines: Iterable[bytes], tables: Iterable[str], write: Callable[[bytes], object], tell: Tell
) -> dict[str, TableSum]:
    """Write a dump with many rows in each INSERT, and return what each of the tables holds.

    Rows of other tables are left out. The sum is that of the rows' text, in the order of the dump, whatever the
    statements that they stand in. Raises BackupError for a dump of another form.
    """
    hashes = {name: hashlib.sha256() for name in tables}
    counts = dict.fromkeys(hashes, 0)
    start, table, size, read = b"", "", 0, 0
    rows: list[bytes] = []

    def flush():
        nonlocal rows, size
        if rows and table in hashes:
            text = b",\n".join(rows)
            hashes[table].update(text + b",\n")
            counts[table] += len(rows)
            write(b"%s\n%s;\n" % (start, _with_float_zeros(text)))
        if rows:
            tell("Reading the database (rows)", read, None)
        rows, size = [], 0

    for line in lines:
        if not line.startswith(b"INSERT INTO `"):
            flush()
            # A line for MariaDB's newest clients only; others take it for an error.
            if not _SANDBOX.match(line):
                write(line)
            continue
        if not start or not line.startswith(start):
            flush()
            start = line[: line.find(b" VALUES (") + len(b" VALUES ")]
            table = start[len(b"INSERT INTO `") : start.find(b"` ", 13)].decode().replace("``", "`")
        row = line[len(start) : -2]
        if not (line.endswith(b");\n") and row.startswith(b"(")):
            raise BackupError(f"The dump tool wrote a line of an unknown form, for the table {table!r}.")
        rows.append(row)
        size += len(row)
        read += 1
        if size >= STATEMENT_BYTES:
            flush()
    flush()
    return {name: TableSum(counts[name], hashes[name].hexdigest()) for name in hashes}


def _with_float_zeros(text: bytes) -> bytes:
    """Rows in which a -0 is a float: as an integer it has no sign, and MySQL would store 0."""
    if not _NEGATIVE_ZERO.search(text):
        return text
    return _TEXT_OR_NEGATIVE_ZERO.sub(lambda found: b"-0e0" if found[0] == b"-0" else found[0], text)
