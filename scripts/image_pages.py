"""What a browser gets from a server in production: a first login, its pages, its static files."""

import re
from pathlib import Path
from secrets import token_urlsafe

from playwright.sync_api import Response, expect, sync_playwright

from scripts.screenshots import PAGE_MS, SIZES, chromium, watch

PAGES = ("/", "/diagnosis/timeline/", "/vibration/", "/admin/")
HASHED = re.compile(r"/static/.*\.[0-9a-f]{12}\.\w+$")


def open_pages(address: str, password: str, picture: Path) -> None:
    """Log in as admin, open the pages, take a picture of the first.

    Raises AssertionError for anything that is not as in production.
    """
    static: dict[str, Response] = {}
    with sync_playwright() as playwright:
        browser = chromium(playwright)
        look = {"viewport": SIZES["wide"], "locale": "en-US", "reduced_motion": "reduce"}
        page = browser.new_context(base_url=address, ignore_https_errors=True, **look).new_page()
        page.set_default_timeout(PAGE_MS)
        problems = watch(page)
        page.on("response", lambda it: static.setdefault(it.url, it) if "/static/" in it.url else None)
        page.goto("/")
        assert "/login/" in page.url, f"{page.url} is shown without a login"
        page.fill("[name=username]", "admin")
        page.fill("[name=password]", password)
        page.click("form[method=post] button.btn-primary")
        # Nothing else is shown with the password that was printed.
        page.wait_for_url(f"{address}/password/")
        own = token_urlsafe(16)
        for name, value in (("old_password", password), ("new_password1", own), ("new_password2", own)):
            page.fill(f"[name={name}]", value)
        page.click("form[method=post] button.btn-primary")
        page.wait_for_url(f"{address}/password/changed/")
        for path in PAGES:
            page.goto(path)
            expect(page.locator("[aria-busy=true]")).to_have_count(0)
            if path == "/":
                expect(page.locator("[data-checked]")).not_to_have_text("–")
                page.screenshot(path=picture, full_page=True)
        assert {url.rsplit(".", 1)[1] for url in static} >= {"css", "js"}, static.keys()
        problems += [url for url, response in static.items() if not kept_and_compressed(url, response)]
        browser.close()
    assert not problems, "\n".join(problems)


def kept_and_compressed(url: str, file: Response) -> bool:
    """Whether a static file may be kept for ever under its hashed name, and is compressed if it is text."""
    headers = file.all_headers()
    compressed = headers.get("content-encoding") == "br" or not url.endswith((".css", ".js"))
    return bool(HASHED.search(url)) and "immutable" in headers.get("cache-control", "") and compressed
