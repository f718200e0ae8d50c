"""The disk that the database is on, where this server can see it."""

import shutil
from pathlib import Path

from django.conf import settings


def database_folder() -> Path | None:
    """The folder of an SQLite database; None for one in memory and for a database server, whose disks are its own."""
    database = settings.DATABASES["default"]
    if database["ENGINE"] == "django.db.backends.sqlite3" and Path(database["NAME"]).is_absolute():
        return Path(database["NAME"]).parent
    return None


def free_bytes() -> int | None:
    """What is free on the disk of the database; None when it can't be seen."""
    folder = database_folder()
    try:
        return shutil.disk_usage(folder).free if folder else None
    except OSError:
        return None
