"""The log: one JSON object a line on standard error, with the request that each line belongs to.

Imports no settings: gunicorn.conf.py takes the same set-up before there are any.
"""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from pythonjsonlogger.json import JsonFormatter

from common.printable import printable

OUR_LOGGERS = ["common", "himmes", "machines", "vibration", "diagnosis"]
# Nothing else is written, so that no library brings in what is not to be logged, such as a request with its query.
FIELDS = [
    "time",
    "level",
    "logger",
    "message",
    "request_id",
    "method",
    "path",
    "status",
    "duration_ms",
    "user",
    "token",
    "address",
    "process",
    "traceback",
    "stack",
]
_RENAMED = {
    "levelname": "level",
    "name": "logger",
    "status_code": "status",
    "exc_info": "traceback",
    "stack_info": "stack",
}

# What somebody sent in place of a request line or a header: perhaps a token whose colon he forgot
_QUOTED = re.compile(r"""b?['"].*""", re.DOTALL)

_request: ContextVar = ContextVar("request", default=None)  # with an `id`, which RequestLogMiddleware gives it


@contextmanager
def about(request) -> Iterator[None]:
    """What is logged within belongs to this request, an HttpRequest with an `id`."""
    token = _request.set(request)
    try:
        yield
    finally:
        _request.reset(token)


def current_request():
    """The HttpRequest that is being answered; None outside of one, as in a command."""
    return _request.get()


def current_request_id() -> str | None:
    """The id of the request that is being answered; None outside of one, as in a command."""
    return getattr(_request.get(), "id", None)


class OfTheRequest(logging.Filter):
    """Adds to a record the request that it belongs to, and takes away what would be too much."""

    def filter(self, record: logging.LogRecord) -> bool:
        request = _request.get() or getattr(record, "request", None)  # the latter when its middleware is through
        request_id = getattr(request, "id", None)
        if request and request_id:
            record.request_id, record.method, record.path = request_id, request.method, request.path
        if record.name.startswith("django.") and getattr(record, "status_code", 500) < 500:
            # Refused, which is nobody's fault here: one line, and no traceback for each knock of a stranger.
            record.exc_info = record.exc_text = None
            if record.levelno > logging.WARNING:
                record.levelno, record.levelname = logging.WARNING, "WARNING"
        if record.name.startswith("gunicorn."):
            if str(record.msg).startswith("Invalid request from"):
                record.msg = _QUOTED.sub("...", record.msg)
            if isinstance(record.args, tuple):
                record.args = tuple(_without_query(arg) for arg in record.args)
        return True


def _without_query(arg):
    return arg.partition("?")[0] if isinstance(arg, str) and arg.startswith("/") else arg


class JsonLine(JsonFormatter):
    """In ASCII: no name, path or message can end a line, or write to the terminal of who reads it."""

    def __init__(self):
        super().__init__(["levelname", "name", "message", "process"], rename_fields=_RENAMED, timestamp="time")

    def process_log_record(self, log_data: dict) -> dict:
        return {name: log_data[name] for name in FIELDS if log_data.get(name) is not None}


class PlainLine(logging.Formatter):
    """For the eyes of who develops; a traceback has further lines."""

    def __init__(self):
        super().__init__("{asctime} {levelname} {name}: {message}", style="{")

    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record), keep="\n\t")


def logging_config(*, debug: bool, level: str = "INFO") -> dict:
    """The set-up of `logging` for servers and commands; `level` is that of our own loggers, DEBUG or INFO and so on.

    It does not reach the libraries: on DEBUG some of them log statements and headers.
    """
    ours: dict[str, dict[str, Any]] = {name: {"level": level} for name in OUR_LOGGERS}
    if debug:  # runserver itself has a line for each request
        ours |= {"himmes.requests": {"level": "WARNING"}}
    else:
        # It would log query strings; the lines of himmes.requests are in its place.
        ours |= {"django.server": {"handlers": [], "level": "CRITICAL"}}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"of the request": {"()": OfTheRequest}},
        "formatters": {
            "json": {"()": JsonLine},
            "plain": {"()": PlainLine},
        },
        "handlers": {
            "standard error": {
                "class": "logging.StreamHandler",
                "formatter": "plain" if debug else "json",
                "filters": ["of the request"],
            },
            "nowhere": {"class": "logging.NullHandler"},
        },
        "root": {"level": "WARNING", "handlers": ["standard error"]},
        # Each has handlers of its own, which would say everything twice.
        "loggers": {
            "django": {"level": "INFO", "handlers": []},
            "gunicorn.error": {"handlers": [], "propagate": True},
            # Of an address that it does not take it writes the token. What it says of a failure is in our own lines.
            "apprise": {"handlers": ["nowhere"], "propagate": False},
            "waitress.queue": {"level": "ERROR"},  # a warning for each request that waits for a thread
            **ours,
        },
    }
