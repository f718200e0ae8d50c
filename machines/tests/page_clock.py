"""The clock of a page in the hand of a test: what a page does after a while needs no waiting, however busy the machine.

`page.clock.install()` comes before the page is opened.
"""

import time

ANSWERS_S = 60  # by the clock of this process
# Its class would not do: htmx hands that on to what takes an element's place, and takes it off by the page's own clock.
ASKING = """() => [...document.querySelectorAll("[data-live]")].some((it) => it["htmx-internal-data"]?.xhr)"""


def stop_clock(page) -> None:
    """From here on the page's time stands still, but for `pass_time`, and nothing is asked any more."""
    page.clock.pause_at(page.evaluate("Date.now()") / 1_000 + 1)
    settle(page)


def pass_time(page, seconds: float) -> None:
    """The page's time goes on, a second or less at once, so that what it asks in one is answered in the next."""
    while seconds > 0:
        page.clock.run_for(1_000 * min(1, seconds))
        settle(page)
        seconds -= 1


def settle(page) -> None:
    """Wait for the answers to all that the page has asked until now: while one is to come, htmx asks nothing new."""
    page.evaluate("fetch('/healthz').then((answer) => answer.text())")
    deadline = time.monotonic() + ANSWERS_S
    while page.evaluate(ASKING):
        assert time.monotonic() < deadline, "a question was never answered"
        time.sleep(0.01)
