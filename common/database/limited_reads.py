"""The first rows of each of many groups, read by index, at a cost of the rows returned, not of the table.

A window function (ROW_NUMBER() OVER (PARTITION BY ...)) numbers every row of the table first, and takes seconds at a
million of them.
"""

from django.db import connections, models

UNITED = 50  # querysets in one statement

TOO_MANY = "The answer would have more than {most:,} rows. Ask for fewer of each, or filter."


class TooManyRows(Exception):
    """More rows than one answer may have."""


def rows_of_each(querysets: list[models.QuerySet], *, most: int) -> list[tuple]:
    """The rows of all these values_list querysets, each ordered and sliced; in no order between the querysets.

    Raises TooManyRows, without reading on, once there are more than `most`.
    """
    if not querysets:
        return []
    features = connections[querysets[0].db].features
    # SQLite knows no ORDER BY or LIMIT inside a UNION; a statement costs next to nothing there.
    united = UNITED if features.supports_slicing_ordering_in_compound else 1
    rows: list[tuple] = []
    for start in range(0, len(querysets), united):
        first, *others = querysets[start : start + united]
        rows += first.union(*others, all=True) if others else first
        if len(rows) > most:
            raise TooManyRows
    return rows
