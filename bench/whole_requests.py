"""Requests to the whole application in this process, timed: with the settings of production, as a server asks it."""

import gzip
import html
import json
import re
import statistics
import time
from typing import NamedTuple

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.test import Client, RequestFactory
from django.urls import reverse

from bench.page_requests import Request
from bench.serving import SESSION_COOKIE
from himmes.accounts.tokens import make_token

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

    def older_rows(self) -> str:
        """The query string behind the first page of the table of samples."""
        return html.unescape(re.search(rb'rel="next" href="([^"]+)"', self.page(reverse("table")))[1].decode())

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


class Poster:
    """A program that posts lists of rows to one path of the API, with a token of its role."""

    def __init__(self, site: Site, role: str, view: str):
        self._site, self._path = site, reverse(view)
        user = get_user_model().objects.create_user(f"bench-{role}")
        group = Group.objects.get(name=role)
        user.groups.add(group)
        _token, self._text = make_token(user, group, name="bench")

    def post(self, rows: list[dict]) -> float:
        """Seconds until the answer is out. Each of the rows is new."""
        headers = {
            "Host": "127.0.0.1",
            "X-Forwarded-Proto": "https",
            "Authorization": f"Bearer {self._text}",
        }
        body = json.dumps(rows)
        environ = self._site.factory.post(self._path, body, content_type="application/json", headers=headers).environ
        said: list[str] = []
        began = time.perf_counter()
        answer = self._site.application(environ, lambda status, headers: said.append(status))
        came = json.loads(b"".join(answer))
        answer.close()
        seconds = time.perf_counter() - began
        assert said == ["200 OK"], (said, came)
        assert came["inserted"] == len(rows), came
        return seconds


def analyze() -> None:
    """Let the database look at its tables as they are now, so that its plans are those of such tables."""
    for table in connection.introspection.table_names():
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE TABLE {connection.ops.quote_name(table)}")
            cursor.fetchall()


def _log_in(user) -> str:
    client = Client()
    client.force_login(user)
    return client.cookies[SESSION_COOKIE].value
