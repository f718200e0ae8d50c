"""Contexts of a browser, used by one test after the other: each is as a new one when it is taken.

Chromium opens a window with the first page of a context, which costs several times what a page of ours does. A blank
page that stays keeps the window.
"""

import json
from collections import defaultdict
from typing import Any, NamedTuple

from playwright.sync_api import Browser, BrowserContext, CDPSession, Page

# A test that took the clock in its hand put a function of its own in the place of this one.
HAS_ITS_OWN_CLOCK = "String(setTimeout).includes('[native code]')"


class Taken(NamedTuple):
    """A context that is a test's; what it opens there is closed when it is given back."""

    context: BrowserContext
    stays: Page  # blank
    devtools: CDPSession  # of the page that stays
    options: str


class Contexts:
    """Those of one browser, by what they were opened with."""

    def __init__(self, browser: Browser):
        self._browser = browser
        self._free: defaultdict[str, list[Taken]] = defaultdict(list)

    def take(self, **options: Any) -> Taken:
        key = json.dumps(options, sort_keys=True)
        if self._free[key]:
            return self._free[key].pop()
        context = self._browser.new_context(**options)
        stays = context.new_page()
        return Taken(context, stays, context.new_cdp_session(stays), key)

    def give_back(self, taken: Taken, origin: str) -> None:
        """Close what is open in it, and forget all: cookies, what is stored for `origin`, what is cached, routes.

        A context whose clock is in the hand of a test is closed: nothing gives it back its own.
        """
        if not taken.stays.evaluate(HAS_ITS_OWN_CLOCK):
            taken.context.close()
            return
        for page in taken.context.pages:
            if page != taken.stays:
                page.close()
        taken.context.unroute_all()
        taken.context.clear_cookies()
        taken.context.clear_permissions()
        taken.devtools.send("Network.clearBrowserCache")
        taken.devtools.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"})
        self._free[taken.options].append(taken)
