"""Take the pictures of docs/images anew: every page, light and dark, on a wide screen and on a phone.

    python -m scripts.screenshots [PAGE ...]

Nothing need run: scripts/sample_plant.py fills a database in a scratch folder, and a server of its own shows it.
What goes wrong in a page ends it with what that was. PAGE (overview, kiosk, ...) takes the pictures of these alone.
"""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, Playwright, ViewportSize, expect, sync_playwright

PROJECT = Path(__file__).resolve().parent.parent
IMAGES = PROJECT / "docs" / "images"
START_SECONDS, PAGE_MS = 30, 30_000
SIZES: dict[str, ViewportSize] = {"wide": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}
LANE_PX = 34  # of the timeline, as in static/js/timeline.js
# Some 680 samples: the curves of the four states can be told apart.
WINDOW = "machine=g1&sensor=sensor1&recording=default&start=42&end=42.25"


def open_history(page: Page) -> None:
    row = page.locator("details.machine-row").filter(has_text="g1 (")
    row.locator("summary").click()
    expect(row.locator("tbody tr").first).to_be_visible()
    scroll_on_phone(page, row)


def show_rows(page: Page) -> None:
    scroll_on_phone(page, page.locator("table.samples"))


def scroll_on_phone(page: Page, target: Locator) -> None:
    """The filters fill the screen of a phone."""
    if page.viewport_size == SIZES["phone"]:
        target.evaluate("(it) => it.scrollIntoView()")


def open_tip(page: Page) -> None:
    """Points at the lane of cwp2, the fifth, from right to left until there is something."""
    canvas = page.locator("#timeline canvas")
    canvas.scroll_into_view_if_needed()
    if not (box := canvas.bounding_box()):
        sys.exit("no timeline")
    for share in (0.72, 0.66, 0.6, 0.54, 0.8):
        page.mouse.move(box["x"] + box["width"] * share, box["y"] + LANE_PX * 4.6)
        page.wait_for_timeout(200)
        if page.locator("#timeline .tip").is_visible():
            return
    sys.exit("no tooltip on the timeline")


def nothing(page: Page) -> None:
    pass


# Of each page: its address, what is done before the picture, and whether the picture has the whole page
PAGES: dict[str, tuple[str, Callable[[Page], None], bool]] = {
    "overview": ("/", nothing, False),
    "kiosk": ("/?kiosk=1", nothing, False),
    "machine": ("/machines/g1/", nothing, False),
    "dashboard": ("/diagnosis/", open_history, False),
    "timeline": ("/diagnosis/timeline/", open_tip, False),
    "waveform": (f"/vibration/?{WINDOW}", nothing, True),
    "table": ("/vibration/table/?machine=g1&sensor=sensor1", show_rows, False),
}
IN_KOREAN = ("overview", "timeline", "waveform")


@contextmanager
def plant() -> Iterator[tuple[str, str]]:
    """Address and session key of a server that shows the sample plant."""
    with tempfile.TemporaryDirectory(prefix="himmes-screenshots-") as name:
        folder = Path(name)
        environment = os.environ | {
            "DATABASE_URL": f"sqlite:///{folder / 'plant.sqlite3'}",
            "DJANGO_DEBUG": "True",
            "DJANGO_SECRET_KEY": secrets.token_urlsafe(50),
            "DJANGO_ALLOWED_HOSTS": "127.0.0.1",
            "DJANGO_TIME_ZONE": "Asia/Seoul",
        }
        filling: list[str | Path] = [sys.executable, "-m", "scripts.sample_plant", folder / "csv"]
        filled = subprocess.run(filling, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        log = folder / "log"
        with log.open("wb") as out:
            command = [sys.executable, "manage.py", "runserver", "--noreload", f"127.0.0.1:{port}"]
            server = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=out, stderr=out)
        try:
            wait_for(port, server, log)
            yield f"http://127.0.0.1:{port}", filled.stdout.split()[-1]
        finally:
            server.terminate()
            server.wait()


def wait_for(port: int, server: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if server.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"the server did not start:\n{log.read_text(errors='replace')}")
            time.sleep(0.1)


def take(browser: Browser, address: str, session: str, page_name: str, picture: str, size: str, **options) -> list[str]:
    """Write one picture; what went wrong in the page."""
    path, prepare, whole = PAGES[page_name]
    # Without motion: Bootstrap else scrolls softly, and the picture catches it on its way.
    context = browser.new_context(base_url=address, viewport=SIZES[size], reduced_motion="reduce", **options)
    context.add_cookies([{"name": "sessionid", "value": session, "url": address}])
    page = context.new_page()
    page.set_default_timeout(PAGE_MS)
    problems = watch(page)
    page.goto(path)
    expect(page.locator("[aria-busy=true]")).to_have_count(0, timeout=PAGE_MS)
    if page.locator("[data-checked]").count():
        expect(page.locator("[data-checked]")).not_to_have_text("–", timeout=PAGE_MS)
    prepare(page)
    page.screenshot(path=IMAGES / picture, full_page=whole)
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    if overflow > 0:
        problems.append(f"the page is {overflow} pixels wider than the screen")
    context.close()
    print(f"{picture} {(IMAGES / picture).stat().st_size / 1e3:,.0f} kB", flush=True)
    return [f"{picture}: {problem}" for problem in problems]


def watch(page: Page) -> list[str]:
    """A list that takes in what goes wrong in a page."""
    problems = []
    page.on("console", lambda it: problems.append(f"console: {it.text}") if it.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: problems.append(f"error: {error}"))
    page.on("response", lambda it: problems.append(f"{it.status} {it.url}") if it.status >= 400 else None)
    # Aborted: the page itself dropped it, for a newer request or because it was left.
    page.on(
        "requestfailed",
        lambda it: problems.append(f"{it.failure} {it.url}") if it.failure != "net::ERR_ABORTED" else None,
    )
    return problems


def chromium(playwright: Playwright, language: str = "en") -> Browser:
    """A browser in this language, which writes fields for dates in it, whatever the locale of a context is."""
    return playwright.chromium.launch(
        executable_path=os.environ.get("CHROMIUM") or shutil.which("chromium"),
        env={**os.environ, "LANGUAGE": language},
        args=["--disable-gpu", *(["--no-sandbox"] if os.geteuid() == 0 else [])],
    )


def main(names: list[str]) -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    problems = []
    with plant() as (address, session), sync_playwright() as playwright:
        english, korean = chromium(playwright), chromium(playwright, "ko")
        for name in names:
            for theme in ("light", "dark"):
                for size in SIZES:
                    picture = f"{name}-{theme}-{size}.png"
                    look = {"color_scheme": theme, "locale": "en-US"}
                    problems += take(english, address, session, name, picture, size, **look)
            if name in IN_KOREAN:
                look = {"color_scheme": "light", "locale": "ko-KR"}
                problems += take(korean, address, session, name, f"{name}.ko.png", "wide", **look)
        english.close()
        korean.close()
    if problems:
        sys.exit("\n".join(problems))


if __name__ == "__main__":
    if unknown := set(sys.argv[1:]) - PAGES.keys():
        sys.exit(f"unknown page: {', '.join(sorted(unknown))}; known: {', '.join(PAGES)}")
    main(sys.argv[1:] or list(PAGES))
