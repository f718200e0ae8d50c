"""A page refuses parameters that it does not know, whichever page it is."""

import re
from collections import Counter
from html import unescape
from urllib.parse import urljoin

import pytest
from django.urls import URLPattern, get_resolver, reverse

from bench.much_data import fill
from vibration.tests.world import make_recording

pytestmark = pytest.mark.django_db
# Of the administration and the API others take care; this one only leads into the former.
NO_PAGES = ("admin/", "api/", "admin/password_change/", "metrics")


def patterns(resolver, before: str = ""):
    for it in resolver.url_patterns:
        address = before + str(it.pattern)
        if isinstance(it, URLPattern):
            yield address, it
        elif not address.startswith(NO_PAGES):
            yield from patterns(it, address)


LINKS_ALIKE = 10  # that are followed; there are hundreds of some
EXAMPLES = {"name": "g1", "number": 1}  # of what stands in an address


def example(address: str) -> dict[str, str | int]:
    return {name: EXAMPLES[name] for name in re.findall(r"<\w+:(\w+)>", address)}


PAGES = {
    reverse(it.name, kwargs=example(address)): it.callback
    for address, it in patterns(get_resolver())
    if not address.startswith(NO_PAGES)
}


@pytest.fixture
def english(client, user):
    client.force_login(user)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def told(response) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", "", response.content.decode())))


def test_pages_are_found():
    assert {"/", "/machines/", "/machines/g1/", "/vibration/", "/diagnosis/timeline/", "/login/"} <= set(PAGES)
    assert len(PAGES) >= 13


@pytest.mark.parametrize("page", PAGES)
def test_every_page_names_what_it_does_not_know_and_what_it_knows(english, page):
    make_recording(5)
    known = sorted(PAGES[page].known_parameters)
    response = english.get(page, {"machine_name": "g1", "kiosk": "1"})
    assert response.status_code == 400
    assert "This page has no parameter “machine_name”." in told(response)
    assert f"in its address: {', '.join(known)}" in told(response)
    assert "kiosk”" not in told(response)


@pytest.mark.parametrize("page", PAGES)
def test_every_page_refuses_what_is_given_twice(english, page):
    make_recording(5)
    response = english.get(f"{page}?kiosk=1&kiosk=1")
    assert response.status_code == 400
    assert "The parameter “kiosk” is given more than once." in told(response)


@pytest.mark.parametrize("page", PAGES)
def test_an_underscore_is_passed_over(english, page):
    make_recording(5)
    plain, with_it = english.get(page), english.get(page, {"_": "1772668800"})
    assert with_it.status_code == plain.status_code


@pytest.mark.parametrize(
    "address",
    [
        "/vibration/?machine=g1&machine=g2",
        "/vibration/?start=1&start=2",
        "/vibration/table/?cursor=1&cursor=2",
        "/diagnosis/?range=24h&range=7d",
        "/diagnosis/history/?machine=g1&fault_type=1",
        "/diagnosis/timeline/?points=100",
        "/login/?next=/&next=/diagnosis/",
    ],
)
def test_other_names_and_second_values_are_refused(english, address):
    make_recording(5)
    assert english.get(address).status_code == 400


@pytest.mark.parametrize(
    "address",
    [
        "/vibration/?machine=g1&sensor=sensor1&recording=default&compare=&states=normal&states=looseness&start=&end=",
        "/vibration/table/?machine=&sensor=&recording=&start=&end=&after=&before=&range=",
        "/diagnosis/?machine=g1&machine=g2&state=0&state=3&after=&before=&range=7d",
        "/diagnosis/history/?machine=g1&state=0&state=1&cursor=",
        "/diagnosis/timeline/?machine=g1&machine=g2&page=1&state=",
        "/?kiosk=1",
        "/machines/?name=g1",
    ],
)
def test_what_forms_send_is_taken_with_its_empty_and_repeated_values(english, address):
    fill(samples=400, machines=2, diagnoses=20)
    sensor = "sensor=sensor1&recording=default"
    if sensor in address:
        make_recording(5)
    assert english.get(address).status_code == 200


def test_no_link_of_a_page_leads_to_a_refusal(english):
    """Those in each page, with filters and without."""
    fill(samples=3_000, machines=25, diagnoses=2_000)
    filters = "?machine=g1&state=2&state=1&after=&before=&range=7d&kiosk=1"
    pages = [
        *PAGES,
        *(page + filters for page, view in PAGES.items() if {"machine", "state"} <= view.known_parameters),
        "/vibration/table/?machine=g1",
    ]
    seen: set[str] = set()
    alike: Counter[str] = Counter()  # but for the numbers in them: those of machines, of moments, of alarms
    for page in pages:
        answer = english.get(page)
        for link in re.findall(r'(?:href|hx-get)="([^"#]+)"', answer.text):
            address = urljoin(page, unescape(link))
            form = re.sub(r"\d+", "0", address)
            if address.startswith(("/static/", "/admin/", "/api/")) or address in seen:
                continue
            seen.add(address)
            alike[form] += 1
            if alike[form] <= LINKS_ALIKE:
                assert english.get(address).status_code in (200, 302, 404), f"{address} on {page}"
    assert len(seen) > 60


def test_a_long_foreign_name_is_cut_and_written_as_text(english):
    response = english.get(
        "/vibration/", {"<script>" + "x" * 5_000: "1"} | {f"p{number}": "1" for number in range(300)}
    )
    assert response.status_code == 400
    assert len(response.content) < 20_000
    assert b"<script>x" not in response.content
    assert "“<script>xxx" in told(response)


def test_a_stranger_is_sent_to_the_login_first_and_then_to_where_he_wanted(client, user):
    response = client.get("/vibration/?machine_name=g1")
    assert response.status_code == 302
    assert response["Location"] == "/login/?next=/vibration/%3Fmachine_name%3Dg1"
    user.set_password("a-long-password-of-his")
    user.save()
    answer = client.post("/login/?next=/diagnosis/", {"username": user.username, "password": "a-long-password-of-his"})
    assert (answer.status_code, answer["Location"]) == (302, "/diagnosis/")


def test_the_refusal_is_korean_for_koreans(client, user):
    client.force_login(user)
    response = client.get("/vibration/?machine_name=g1", headers={"Accept-Language": "ko"})
    assert "이 화면에 없는 매개변수: ‘machine_name’." in told(response)
