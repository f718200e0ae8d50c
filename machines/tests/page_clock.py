"""The clock of a page in the hand of a test: what a page does after a while needs no waiting, however busy the machine.

`page.clock.install()` comes before the page is opened.
"""


def stop_clock(page) -> None:
    """From here on the page's time stands still, but for `pass_time`."""
    page.clock.pause_at(page.evaluate("Date.now()") / 1_000 + 1)


def pass_time(page, seconds: float) -> None:
    """The page's time goes on, a second or less at once, so that what it asks in one is answered in the next."""
    while seconds > 0:
        page.clock.run_for(1_000 * min(1, seconds))
        settle(page)
        seconds -= 1


def settle(page) -> None:
    """Wait for a question and its answer, which come after those that the page has asked until now."""
    page.evaluate("fetch('/healthz').then((answer) => answer.text())")
