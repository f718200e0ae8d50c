"""What one test leaves in a browser is nothing for the next, though both have the same window."""

import pytest

from himmes.tests.browser_contexts import Contexts

pytestmark = pytest.mark.browser
OPTIONS = {"locale": "ko-KR", "viewport": {"width": 500, "height": 500}}


@pytest.fixture
def of_one_test(chromium, live_server, transactional_db):
    """Contexts of a browser, and a page in one that is given back and taken again."""
    contexts = Contexts(chromium)
    taken = contexts.take(base_url=live_server.url, **OPTIONS)
    page = taken.context.new_page()
    page.goto("/login/")
    yield contexts, taken, page
    taken.context.close()


def test_it_is_used_again_and_knows_nothing_any_more(of_one_test, live_server):
    contexts, taken, page = of_one_test
    page.evaluate("localStorage.setItem('theme', 'dark'); document.cookie = 'language=ko'")
    taken.context.route("**/login/", lambda route: route.fulfill(status=204))
    taken.context.new_page()
    contexts.give_back(taken, live_server.url)
    assert contexts.take(base_url=live_server.url, **OPTIONS) is taken
    assert taken.context.pages == [taken.stays]
    again = taken.context.new_page()
    again.goto("/login/")
    assert again.evaluate("[localStorage.length, document.cookie]") == [0, ""]
    sizes = again.evaluate("performance.getEntriesByType('resource').map((it) => it.transferSize)")
    assert sizes
    assert 0 not in sizes, "something came from the cache"


def test_other_options_and_a_second_page_at_once_have_a_context_of_their_own(of_one_test, live_server):
    contexts, taken, _page = of_one_test
    second = contexts.take(base_url=live_server.url, **OPTIONS)
    assert second.context != taken.context
    contexts.give_back(taken, live_server.url)
    english = contexts.take(base_url=live_server.url, locale="en-US")
    assert english.context not in (taken.context, second.context)
    for it in (second, english):
        it.context.close()


def test_a_context_whose_clock_a_test_moves_is_not_used_again(of_one_test, live_server):
    contexts, taken, page = of_one_test
    page.clock.install()
    contexts.give_back(taken, live_server.url)
    new = contexts.take(base_url=live_server.url, **OPTIONS)
    assert new.context != taken.context
    new.context.close()
