"""Health checks: `/healthz`, whether this server is alive, and `/readyz`, whether it can do its work."""

import logging
import shutil
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from django.conf import settings
from django.core.cache import cache
from django.db import connections
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponseBase, HttpResponseNotAllowed, JsonResponse
from django.utils import timezone

from common.database.disk import database_folder
from common.database.errors import DATABASE_ERRORS
from diagnosis.notices import backlog

logger = logging.getLogger(__name__)
ANSWER_S = 2.5  # a balancer waits for some seconds only
KEPT_S = 1  # how long what was found is good for the next who ask
# Of the connection that is only for looking; the thread that waits for it ends, too.
_TIMEOUTS_S = {
    "mysql": {"connect_timeout": 2, "read_timeout": 2, "write_timeout": 2},
    "sqlite": {"timeout": 2},
}


class HealthMiddleware:
    """Middleware, before all that may refuse or keep anything: no Host, HTTPS, login, session or limit is asked for."""

    def __init__(self, get_response):
        self.get_response = get_response
        self.checks: dict[str, Callable[[], JsonResponse]] = {"/healthz": alive, "/readyz": ready}

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        check = self.checks.get(request.path_info)
        if check is None:
            return self.get_response(request)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        response = check()
        response.headers["Cache-Control"] = "no-store"
        response.headers["Content-Length"] = str(len(response.content))
        if request.method == "HEAD":
            response.content = b""
        return response


def alive() -> JsonResponse:
    return JsonResponse({"status": "alive"})


def ready() -> JsonResponse:
    """503 with the names of what failed; the reasons are in the log, as they are nothing for strangers."""
    seen = look_at_database()
    checks = {
        "database": seen is not None,
        "migrations": seen is not None and not seen.unapplied,
        "cache": seen is not None and seen.cache_answers,
        "disk": not full_disks(),
    }
    words = {name: "ok" if fine else "failed" for name, fine in checks.items()}
    # For information: a server is not less ready for what a worker has not sent.
    notices = {"notices": seen.notices} if seen and seen.notices else {}
    if all(checks.values()):
        return JsonResponse({"status": "ready", "checks": words} | notices)
    return JsonResponse({"status": "not ready", "checks": words} | notices, status=503)


# --- The database


class Seen(NamedTuple):
    """What a look at the database has found."""

    unapplied: list[str]  # migrations
    cache_answers: bool  # the cache, which mostly is a table of it; each call of the API needs it
    notices: str = ""  # as backlog.state says; empty: not known


_pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="look-at-database")
_lock = Lock()
_look: Future | None = None
_begun = 0.0


def look_at_database() -> Seen | None:
    """None when the database does not answer, which is known after 2.5 seconds at the latest.

    In a thread and with a connection of its own: no time-out that a driver offers holds in each case. All who ask
    meanwhile wait for the same answer, and whoever asks within a second of its beginning gets it too, good or bad: so
    strangers who ask often cost no more than one connection at a time, and one in a second. The connections that
    requests work with need no look: `himmes.wsgi_handler` lets go of a broken one before each request.
    """
    global _look, _begun
    with _lock:
        if _look is None or (_look.done() and time.monotonic() - _begun >= KEPT_S):
            _look, _begun = _pool.submit(_see), time.monotonic()
        look = _look
    try:
        seen = look.result(timeout=ANSWER_S)
    except TimeoutError:
        logger.warning("The database has not answered within %s s.", ANSWER_S)
        return None
    except DATABASE_ERRORS as error:
        logger.warning("The database does not answer: %s", error)
        return None
    if seen.unapplied:
        logger.warning("Migrations are not applied: %s", ", ".join(seen.unapplied))
    return seen


def _see() -> Seen:
    connection = connections.create_connection("default")
    timeouts = _TIMEOUTS_S.get(connection.vendor, {})
    options = connection.settings_dict["OPTIONS"] | timeouts
    connection.settings_dict = connection.settings_dict | {"OPTIONS": options}
    connections["default"] = connection  # of this thread, so that the cache takes the same
    try:
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        unapplied = [str(migration) for migration, _backwards in plan]
        notices = "" if unapplied else backlog.state(timezone.now())  # whose tables may not be there
        return Seen(unapplied, _cache_answers(), notices)
    finally:
        connection.close()


def _cache_answers() -> bool:
    try:
        cache.get("ready")
    except Exception as error:  # noqa: BLE001  each kind of cache has errors of its own
        logger.warning("The cache does not answer: %s. Its table is made by `manage.py createcachetable`.", error)
        return False
    return True


# --- The disks


def disks() -> dict[str, Path]:
    """The folders that this server itself writes to. The disk of a database server shows when a write fails."""
    folders = {"uploads": Path(settings.FILE_UPLOAD_TEMP_DIR or tempfile.gettempdir())}
    if folder := database_folder():
        folders["database"] = folder
    return folders


def full_disks() -> list[str]:
    full = []
    for name, folder in disks().items():
        try:
            free = shutil.disk_usage(folder).free
        except OSError as error:
            logger.warning("The folder for the %s, %s, can't be looked at: %s", name, folder, error.strerror)
            full.append(name)
            continue
        if free < settings.READY_MIN_FREE_MB * 2**20:
            logger.warning("The disk of the %s, %s, has only %s MB left.", name, folder, free // 2**20)
            full.append(name)
    return full
