"""Tables of any length as a CSV download."""

import csv
from collections.abc import Iterable, Iterator

from django.db import models
from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header
from rest_framework.renderers import BaseRenderer, JSONRenderer

from machines.audit_trail import Action, note
from machines.rates import count_export

# What a spreadsheet would take for the start of a formula
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n", "\0")
_BOM = "\ufeff"  # without it Excel reads Korean text as cp949


class CsvRenderer(BaseRenderer):
    """Lets a client ask for `?format=csv`. Views answer with `stream_csv`; only what OPTIONS tells comes here."""

    media_type = "text/csv"
    format = "csv"
    charset = "utf-8"

    def render(self, data, accepted_media_type=None, renderer_context=None):
        return JSONRenderer().render(data)


def stream_csv(
    request, name: str, header: Iterable[str], rows: Iterable[Iterable], *, of: type[models.Model]
) -> StreamingHttpResponse:
    """A download `<name>.csv`, UTF-8 with a BOM, sent while `rows` are read; a number has the digits that read back.

    That it was asked for stands in the audit trail, as data `of` this model. Raises Throttled for whoever asks more
    often than DJANGO_EXPORT_RATE.
    """
    count_export(request)
    note(Action.ACCESS, of, f"{name}.csv", event="export")
    response = StreamingHttpResponse(_lines(header, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(True, f"{name}.csv")
    return response


def safe_text(text: str) -> str:
    """A text cell that no spreadsheet runs as a formula: an apostrophe stands before it if it looks like one."""
    return f"'{text}" if text.startswith(_FORMULA) else text


class _Echo:
    def write(self, line: str) -> str:
        return line


def _lines(header, rows) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield _BOM + writer.writerow(header)
    lines: list[str] = []
    for row in rows:
        lines.append(writer.writerow(row))
        if len(lines) == 1_000:
            yield "".join(lines)
            lines = []
    yield "".join(lines)
