"""Answers to what a page asks each second, noted as such: each with a line of its own, they would flood the log."""

from django.http import HttpResponseBase


def mark_poll(response: HttpResponseBase, is_poll: bool = True) -> None:
    response.is_poll = is_poll  # type: ignore[attr-defined]  # a note of ours at whatever answer it is


def is_poll(response: HttpResponseBase) -> bool:
    return getattr(response, "is_poll", False)
