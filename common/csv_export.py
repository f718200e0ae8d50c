"""Tables of any length as a CSV download."""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Protocol

from django.db import models
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request

from common.audit_trail import note_read
from common.limits.rates import count_export

# What a spreadsheet takes for the start of a formula: a sign, perhaps behind spaces and quotes that it does not count.
_FORMULA = r"""((?:[^\S\t\r\n]|["\0])*)(?=[=+\-@＝＋－＠])"""
_FORMULA_AT_START = re.compile(_FORMULA)
# Where the list separator is ; or a tab, a cell is cut there, whatever quotes stand around it. At a comma none is: what
# holds one is quoted as a whole.
_FORMULA_WITHIN = re.compile(rf"([;\t\r\n]){_FORMULA}")
_BOM = "\ufeff"  # without it Excel reads Korean text as cp949


class CsvRenderer(BaseRenderer):
    """Accepts `?format=csv`. Views answer with `stream_csv`; only OPTIONS responses are rendered here."""

    media_type = "text/csv"
    format = "csv"
    charset = "utf-8"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        return JSONRenderer().render(data)


def stream_csv(
    request: HttpRequest | Request,
    name: str,
    header: Iterable[str],
    rows: Iterable[Iterable],
    *,
    of: type[models.Model],
    about: Mapping[str, object] | None = None,
) -> StreamingHttpResponse:
    """A download `<name>.csv`, UTF-8 with a BOM, sent while `rows` are read; a number has the digits that read back.

    Above the header each of `about` is a line `# name: value`, which readers of CSV take for a comment.

    That it was asked for stands in the audit trail, as data `of` this model. Raises Throttled for whoever asks more
    often than DJANGO_EXPORT_RATE.
    """
    count_export(request)
    note_read(of, f"{name}.csv", event="export")
    response = StreamingHttpResponse(_lines(header, rows, about or {}), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(True, f"{name}.csv")
    return response


def safe_text(text: str) -> str:
    """A text cell of which no spreadsheet runs anything as a formula: an apostrophe stands before what looks like one.

    So it is whether the file is cut at commas, semicolons or tabs.
    """
    if _FORMULA_WITHIN.search(text):
        text = _FORMULA_WITHIN.sub(r"\1'\2", text)
    return f"'{text}" if _FORMULA_AT_START.match(text) else text


class Written(Protocol):
    """What CSV is written to."""

    def write(self, line: str, /) -> Any: ...


class SafeWriter:
    """Writes rows of CSV to a file: texts by `safe_text`, instants by `time_text`, numbers as they are."""

    def __init__(self, file: Written):
        self._writer = csv.writer(file)

    def writerow(self, row: Iterable) -> Any:
        return self._writer.writerow(map(_written, row))


def time_text(instant: datetime) -> str:
    """Plant time with its offset, and always six digits of a second.

    Without those that are 0, a column has two forms, which programs that guess the form from the first row refuse.
    """
    return timezone.localtime(instant).isoformat(timespec="microseconds")


def _written(cell: Any) -> Any:
    if isinstance(cell, str):
        return safe_text(cell)
    return time_text(cell) if isinstance(cell, datetime) else cell


class _Echo:
    def write(self, line: str) -> str:
        return line


def _lines(header: Iterable[str], rows: Iterable[Iterable], about: Mapping[str, object]) -> Iterator[str]:
    writer = SafeWriter(_Echo())
    above = [writer.writerow([f"# {name}: {value}"]) for name, value in about.items()]
    yield _BOM + "".join(above) + writer.writerow(header)
    lines: list[str] = []
    for row in rows:
        lines.append(writer.writerow(row))
        if len(lines) == 1_000:
            yield "".join(lines)
            lines = []
    yield "".join(lines)
