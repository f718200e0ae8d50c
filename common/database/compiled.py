"""Queries that run with each call of the API: the ORM makes their SQL once, which takes longer than to run it."""

from collections.abc import Callable, Sequence
from threading import local
from typing import NamedTuple

from django.db import connections
from django.db.models import QuerySet


class _Compiled(NamedTuple):
    sql: str
    params: list  # with the marks
    apply: Callable[[list], list]  # from what the driver returns to what the ORM does


class CompiledQuery:
    """A `values_list` queryset in which only texts change from one call to the next."""

    def __init__(self, build: Callable[..., QuerySet], values: int = 1):
        """`build` gets a text in the place of each of so many `values`, and uses each as one parameter of a lookup."""
        self._build = build
        self._marks = [f"\x00{number}\x00" for number in range(values)]
        self._made = local()  # what converts values holds a connection, which is of one thread

    def rows(self, *values: str) -> list[tuple]:
        """The rows for these values, as the queryset would return them."""
        compiled: _Compiled | None = getattr(self._made, "compiled", None)
        if compiled is None:
            compiled = self._made.compiled = self._compile()
        of_mark = dict(zip(self._marks, values, strict=True))
        with connections["default"].cursor() as cursor:
            cursor.execute(compiled.sql, [of_mark.get(it, it) for it in compiled.params])
            return compiled.apply(cursor.fetchall())

    def _compile(self) -> _Compiled:
        query = self._build(*self._marks).query
        compiler = query.get_compiler("default")
        sql, params = compiler.as_sql()
        converters = compiler.get_converters([expression for expression, *_names in compiler.select])

        def apply(rows: Sequence[tuple]) -> list[tuple]:
            return list(map(tuple, compiler.apply_converters(rows, converters))) if converters else list(rows)

        return _Compiled(sql, list(params), apply)
