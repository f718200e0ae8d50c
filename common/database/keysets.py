"""Tables read in order of a unique key, some thousand rows at a time: each read begins where the one before has ended.

No read lasts as long as a slow client, no row comes twice, and rows that arrive meanwhile move none to another place.
"""

from collections.abc import Iterator, Sequence
from functools import reduce

from django.db.models import Q, QuerySet

FETCHED_ROWS = 5_000  # in one read
Key = Sequence  # the values of a row in the fields that order it


def behind(order: Sequence[str], key: Key, *, included: bool = False) -> Q:
    """The rows that come after a key in this order, as `order_by` takes it; and the row of the key, if `included`."""
    (name, value), *others = [(name.removeprefix("-"), value) for name, value in zip(order, key, strict=True)]
    beyond = "lt" if order[0].startswith("-") else "gt"
    bound = Q(**{f"{name}__{beyond}e": value})
    if not others:
        return bound if included else Q(**{f"{name}__{beyond}": value})
    same = Q(**{name: value}) & behind(order[1:], key[1:], included=included)
    # The bound by itself is what a database starts its index read with.
    return (Q(**{f"{name}__{beyond}": value}) | same) & bound


def ahead(order: Sequence[str], key: Key) -> Q:
    """The rows that come before a key in this order."""
    return behind([name[1:] if name.startswith("-") else f"-{name}" for name in order], key)


def order_of(queryset: QuerySet) -> list[str]:
    """The fields that a queryset is ordered by, "-" before one that falls; to order by an expression gives no key."""
    return [str(name) for name in queryset.query.order_by]


def fields_of(order: Sequence[str]) -> list[str]:
    """The fields of an order, for `values_list`."""
    return [name.removeprefix("-") for name in order]


def read_by_key(queryset: QuerySet) -> Iterator[list]:
    """All rows of a queryset in its own order, which must be unique, as lists of 5,000; the last one is shorter.

    The rows are model instances, or named tuples that have the fields of the order.
    """
    order = order_of(queryset)
    rows = list(queryset[:FETCHED_ROWS])
    while rows:
        yield rows
        if len(rows) < FETCHED_ROWS:
            break
        last = [reduce(getattr, name.split("__"), rows[-1]) for name in fields_of(order)]
        rows = list(queryset.filter(behind(order, last))[:FETCHED_ROWS])
