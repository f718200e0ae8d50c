"""What a browser gets from a production server: its pages through a proxy that ends TLS, and its static files."""

import os
import re
import shutil
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from secrets import token_urlsafe
from threading import Thread

import trustme
from playwright.sync_api import Response, expect, sync_playwright

from scripts.screenshots import PAGE_MS, SIZES, watch

PAGES = ("/", "/diagnosis/timeline/", "/vibration/", "/admin/")
HASHED = re.compile(r"\.[0-9a-f]{12}\.\w+$")
A_YEAR_S = 365 * 24 * 3600


@contextmanager
def tls_proxy(port: int) -> Iterator[str]:
    """Address of a proxy in front of the server on a port, which says by headers what it was asked."""

    class Proxy(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def pass_on(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = dict(self.headers) | {"X-Forwarded-Proto": "https", "X-Forwarded-For": self.client_address[0]}
            server = HTTPConnection("127.0.0.1", port, timeout=60)
            server.request(self.command, self.path, body, headers | {"Connection": "close"})
            answer = server.getresponse()
            content = answer.read()
            self.send_response_only(answer.status, answer.reason)
            for name, value in answer.getheaders():
                if name.lower() not in ("connection", "content-length", "transfer-encoding"):
                    self.send_header(name, value)
            if answer.status not in (204, 304):
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            server.close()

        do_GET = do_POST = pass_on  # noqa: N815  the names that the library looks for

        def log_message(self, *arguments):
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as proxy:
        proxy.socket = context.wrap_socket(proxy.socket, server_side=True)
        Thread(target=proxy.serve_forever, daemon=True).start()
        yield f"https://127.0.0.1:{proxy.server_port}"
        proxy.shutdown()


def open_pages(address: str, password: str, picture: Path) -> dict[str, int]:
    """Log in as admin, open the pages, take a picture of the first.

    Returns how many there were of what was looked at. Raises AssertionError for anything that is not as in production.
    """
    static: dict[str, Response] = {}

    def note(response: Response) -> None:
        if "/static/" in response.url:
            static.setdefault(response.url, response)

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM") or shutil.which("chromium"),
            args=["--disable-gpu", *(["--no-sandbox"] if os.geteuid() == 0 else [])],
        )
        # The certificate is of an authority that lives as long as this program.
        look = {"viewport": SIZES["wide"], "locale": "en-US", "reduced_motion": "reduce"}
        page = browser.new_context(base_url=address, ignore_https_errors=True, **look).new_page()
        page.set_default_timeout(PAGE_MS)
        problems = watch(page)
        page.on("response", note)

        page.goto("/")
        assert "/login/" in page.url, f"{page.url} is shown without a login"
        page.fill("[name=username]", "admin")
        page.fill("[name=password]", password)
        page.click("form[method=post] button.btn-primary")
        # Nothing else is shown with the password that was printed.
        page.wait_for_url(f"{address}/password/")
        page.fill("[name=old_password]", password)
        own = token_urlsafe(16)
        page.fill("[name=new_password1]", own)
        page.fill("[name=new_password2]", own)
        page.click("form[method=post] button.btn-primary")
        page.wait_for_url(f"{address}/password/changed/")
        for path in PAGES:
            answer = page.goto(path)
            assert "x-request-id" in answer.headers, f"{path} is not from the application"
            expect(page.locator("[aria-busy=true]")).to_have_count(0)
            if path == "/":
                expect(page.locator("[data-checked]")).not_to_have_text("–")
                page.screenshot(path=picture, full_page=True)
        problems += [problem for response in static.values() for problem in wrong_with(response)]
        browser.close()
    kinds = {kind: sum(url.endswith(kind) for url in static) for kind in (".css", ".js")}
    assert all(kinds.values()), f"of styles and scripts one is missing: {kinds}"
    assert not problems, "\n".join(problems)
    return {"pages": len(PAGES) + 1, "static_files": len(static)}


def wrong_with(file: Response) -> list[str]:
    """What is not as it should be with a static file: kept for ever under its hashed name, compressed if it is text."""
    headers = file.all_headers()
    problems = []
    age = re.search(r"max-age=(\d+)", headers.get("cache-control", ""))
    if not HASHED.search(file.url) or not age or int(age[1]) < A_YEAR_S or "immutable" not in headers["cache-control"]:
        problems.append(f"{file.url} is not to be kept: {headers.get('cache-control')}")
    if file.url.endswith((".css", ".js")) and headers.get("content-encoding") != "br":
        problems.append(f"{file.url} is not compressed: {headers.get('content-encoding')}")
    return problems
