"""What commands print, and who runs them.

Names of files and what stands in them come from anybody, and so may names in the database.
"""

import getpass
import os
import sys
from collections.abc import Callable
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandParser, OutputWrapper
from rich.text import Text

from common.printable import printable


class PrintableOutput(OutputWrapper):
    """Writes messages with their lines and tabs, and escapes for all other characters that a terminal would obey."""

    def write(self, msg: str = "", style_func: Callable[[str], str] | None = None, ending: str | None = None) -> None:
        # What has a style of its own is what Django's checks say, with their colours in it.
        super().write(msg if style_func else printable(msg, keep="\n\t"), style_func, ending)


class TerminalCommand(BaseCommand):
    """What each command derives from: whatever it says goes through `printable`.

    A name that could hold a line end and so forge a line goes through it once more, where it is put into a message.
    """

    def __init__(self, stdout: TextIO | None = None, stderr: TextIO | None = None, **options: Any):
        super().__init__(stdout, stderr, **options)
        style = self.stderr.style_func
        self.stdout, self.stderr = PrintableOutput(stdout or sys.stdout), PrintableOutput(stderr or sys.stderr)
        self.stderr.style_func = style

    def create_parser(self, *args: Any, **options: Any) -> CommandParser:
        parser = super().create_parser(*args, **options)
        refuse = parser.error
        # A shell puts in names of files for a *. Django makes the parser of a class of its own.
        parser.error = lambda message: refuse(printable(message, keep="\n"))
        return parser

    def execute(self, *args: Any, **options: Any) -> str | None:
        given = {name: PrintableOutput(options[name]) for name in ("stdout", "stderr") if options.get(name)}
        return super().execute(*args, **options | given)

    def ask(self, question: str) -> str:
        """What the person in front of the terminal answers. Raises EOFError when there is none."""
        return input(printable(question))


def cell(text: object) -> Text:
    """A cell of a table: rich would take [red] or :smile: in a plain string for markup."""
    return Text(printable(text))


def user_name() -> str:
    """Whose process this is: nobody logs in to a command."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return f"uid {os.getuid()}"
