"""Requests to the whole application in this process, timed: with the settings of production, as a server asks it."""

import gzip
import statistics
import time
from typing import NamedTuple

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.test import Client, RequestFactory

from bench.page_requests import Request
from bench.serving import SESSION_COOKIE

WARM_UP = 3


class Measured(NamedTuple):
    seconds: list[float]
    queries: int
    sent: int  # bytes of the body

    @property
    def ms(self) -> float:
        return statistics.median(self.seconds) * 1e3


class Site:
    """The application, asked as a server does that has it in its own process."""

    def __init__(self):
        self.application = get_wsgi_application()
        self.factory = RequestFactory()
        viewer = get_user_model().objects.create_user("viewer")
        viewer.groups.add(Group.objects.get(name="viewer"))
        administrator = get_user_model().objects.create_superuser("administrator")
        self.sessions = {user.username: _log_in(user) for user in (viewer, administrator)}

    def ask(self, asked: Request) -> tuple[float, bytes]:
        """Seconds, and the body as it is sent."""
        headers = {
            "Host": "127.0.0.1",
            "X-Forwarded-Proto": "https",
            "Accept-Encoding": "gzip",
            "Accept-Language": "en",
            "Cookie": f"{SESSION_COOKIE}={self.sessions[asked.by]}",
        } | asked.before()
        environ = self.factory.get(asked.path, headers=headers).environ
        said = []
        began = time.perf_counter()
        answer = self.application(environ, lambda status, headers: said.append(int(status.split()[0])))
        body = b"".join(answer)
        answer.close()
        seconds = time.perf_counter() - began
        if said != [asked.status]:
            # At the turn of a minute even that is new which was known a moment ago.
            if asked.status in (204, 304) and said == [200]:
                return self.ask(asked)
            raise AssertionError(f"{asked.name}: {said[0]} instead of {asked.status}\n{body[:500]!r}")
        return seconds, body

    def page(self, path: str) -> bytes:
        """Decompressed."""
        return gzip.decompress(self.ask(Request(path, path))[1])

    def measure(self, asked: Request, times: int) -> Measured:
        for _ in range(WARM_UP):
            self.ask(asked)
        seconds = [self.ask(asked)[0] for _ in range(times)]
        queries = []

        def note(execute, *given):
            queries.append(given[0])
            return execute(*given)

        headers = asked.before()  # its own queries do not count
        with connection.execute_wrapper(note):
            body = self.ask(asked._replace(before=lambda: headers))[1]
        return Measured(seconds, len(queries), len(body))


def _log_in(user) -> str:
    client = Client()
    client.force_login(user)
    return client.cookies[SESSION_COOKIE].value
