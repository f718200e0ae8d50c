"""How much a browser loads to show a page for the first time: Chromium with an empty cache, against a real server."""

import gzip
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread

from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler

from bench.serving import SESSION_COOKIE

GZIP_LEVEL = 6  # what web servers usually compress with
# What a web server compresses; pictures and fonts are so already
COMPRESSED = ("text/", "application/javascript", "application/json", "image/svg+xml")
READY_MS = 30_000


@dataclass(frozen=True)
class Weight:
    """What one page loaded, in bytes as sent over the wire, without headers."""

    requests: int
    document: int
    static: int
    data: int

    @property
    def total(self) -> int:
        return self.document + self.static + self.data


class _Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        pass


def chromium() -> str | None:
    """Where it is, if it is there."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium")


def weigh(application, session: str, paths: dict[str, str]) -> dict[str, Weight]:
    """The weight of each page by its name, seen with the session of that key. Raises what Playwright raises."""
    # Here, as both want packages of the tests
    from playwright.sync_api import expect, sync_playwright

    from conftest import CHROMIUM_ARGS

    with _served(application) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_ARGS)
        found = {}
        for name, path in paths.items():
            context = browser.new_context(
                base_url=address,
                locale="en-US",
                # As the proxy in front says in production: else every answer would be a redirection to HTTPS.
                extra_http_headers={"X-Forwarded-Proto": "https"},
            )
            # For https, as its name asks for; Chromium sends it to this machine's own http, too.
            cookie = {"name": SESSION_COOKIE, "value": session, "url": address.replace("http:", "https:")}
            context.add_cookies([cookie])
            page = context.new_page()
            answers = []
            page.on("response", lambda answer, answers=answers: answers.append(answer))
            page.goto(path)
            expect(page.locator("[aria-busy=true]")).to_have_count(0, timeout=READY_MS)
            found[name] = _weight(answers[:])
            context.close()
        browser.close()
    return found


@contextmanager
def _served(application) -> Iterator[str]:
    server = ThreadedWSGIServer(("127.0.0.1", 0), _Quiet)
    server.set_app(application)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _weight(answers: list) -> Weight:
    bytes_of = {"document": 0, "static": 0, "data": 0}
    for answer in answers:
        assert answer.status in (200, 204, 304), f"{answer.status} {answer.url}"
        if answer.status != 200:
            continue  # without a body
        kind = answer.request.resource_type
        kind = "document" if kind == "document" else "data" if kind in ("fetch", "xhr") else "static"
        body = answer.body()
        if answer.headers.get("content-type", "").startswith(COMPRESSED):
            body = gzip.compress(body, GZIP_LEVEL)
        bytes_of[kind] += len(body)
    return Weight(requests=len(answers), **bytes_of)
