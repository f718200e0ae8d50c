"""Take the README's pictures of the waveform page from a running site.

    HIMMES_USER=... HIMMES_PASSWORD=... python scripts/screenshots.py http://127.0.0.1:8000

The site should hold the recordings of make_sample_csv: the real data is not to be published.
"""

import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
PICTURES = {"en-US": "waveform.png", "ko-KR": "waveform.ko.png"}


def main(base_url: str) -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM") or shutil.which("chromium"),
            args=["--disable-gpu", *(["--no-sandbox"] if os.geteuid() == 0 else [])],
        )
        for locale, name in PICTURES.items():
            page = browser.new_page(
                base_url=base_url, locale=locale, color_scheme="light", viewport={"width": 1440, "height": 900}
            )
            page.goto("/vibration/")
            page.fill("[name=username]", os.environ["HIMMES_USER"])
            page.fill("[name=password]", os.environ["HIMMES_PASSWORD"])
            page.locator("main button").click()
            page.wait_for_selector("#waveform[aria-busy=false]")
            page.screenshot(path=IMAGES / name)
            print(IMAGES / name)
        browser.close()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
