"""A folder and an empty database of a program's own, which the processes that it starts find too."""

import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import django

from scripts.throwaway_server import running_server


@contextmanager
def own_database(name: str, *, sqlite: bool, **variables: str) -> Iterator[Path]:
    """A folder, removed afterwards, beside an empty database on SQLite or a MariaDB in it; Django is set up for it.

    The variables are settings. SIGTERM then ends this program in order: by itself it would end it alone, and leave its
    servers and processes running.
    """
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    with ExitStack() as until_the_end:
        folder = Path(until_the_end.enter_context(tempfile.TemporaryDirectory(prefix=f"himmes-{name}-")))
        if sqlite:
            url = f"sqlite:///{folder / 'own.sqlite3'}"
        else:
            url = until_the_end.enter_context(running_server(folder)).database_url
        os.environ |= {"DATABASE_URL": url, **variables}
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "himmes.settings")
        os.environ.setdefault("DJANGO_SECRET_KEY", "benchmark-" * 6)
        django.setup()
        yield folder
