"""The clock of a page in the hand of a test: what a page does after a while needs no waiting, however busy the machine.

`page.clock.install()` comes before the page is opened.
"""

import time

ANSWERS_S = 60  # by the clock of this process


def stop_clock(page) -> None:
    """From here on the page's time stands still, but for `pass_time`."""
    page.clock.pause_at(page.evaluate("Date.now()") / 1_000 + 1)


def pass_time(page, seconds: float) -> None:
    """The page's time goes on, a second or less at once, so that what it asks in one is answered in the next."""
    while seconds > 0:
        page.clock.run_for(1_000 * min(1, seconds))
        settle(page)
        seconds -= 1


def pass_time_until(page, selector: str) -> None:
    """Until something is there: a page that still waits for an answer asks nothing new, and loses seconds by that."""
    deadline = time.monotonic() + ANSWERS_S
    while not page.locator(selector).count():
        assert time.monotonic() < deadline, f"{selector} never came"
        pass_time(page, 1)


def settle(page) -> None:
    """Wait for a question and its answer, which come after those that the page has asked until now."""
    page.evaluate("fetch('/healthz').then((answer) => answer.text())")
