"""Every list of the administration: what its query string may ask for, and that nothing in it is a fault of the server.

Walks over all that are registered, so that a new one is looked at without a word here.
"""

import json
import re

import pytest
from axes.models import AccessAttempt
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth import get_user_model
from django.contrib.messages.storage.cookie import CookieStorage
from django.core.exceptions import SuspiciousOperation
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from common.audit_trail import Action, note
from diagnosis.models import Episode
from diagnosis.models.notices import Transition
from diagnosis.notices.outbox import Event, tell
from diagnosis.storage import acts
from diagnosis.storage.acts import Actor
from diagnosis.tests.notices_world import subscription
from diagnosis.tests.world import post
from himmes.api.tests.api_world import make_program
from machines.models import Machine
from vibration.formats.mapping import Mapping
from vibration.models import CaptureMapping, ImportRun
from vibration.tests.captures_world import at as at_instant
from vibration.tests.captures_world import stored
from vibration.tests.world import make_recording

pytestmark = pytest.mark.django_db
ADMINS = list(admin.site._registry.values())
NAMES = [it.opts.label_lower for it in ADMINS]
each_admin = pytest.mark.parametrize("model_admin", ADMINS, ids=NAMES)
LOOKUPS = ["exact", "startswith", "gt", "in", "range", "isnull", "year", "date__year"]
NUMBERS = ["0", "-1", "99999", "-99999999999999999999", "9" * 400, "nan"]
TEXTS = ["", "a\0b", "x" * 3_000, "٣", "²", "[\ud83d'\"\\%_", " ".join("a" * 100), " ".join("a" * 1_500)]
TIMES = ["0000-00-00", "9999-12-31 23:59:59+23:59", "0001-01-01", "2026-02-30", "2026-01-01,x"]
EDGES = [*NUMBERS, *TEXTS, *TIMES]
CONTROLS = ["o", "p", "q"]
RARE_CONTROLS = ["all", "e", "_facets", "_popup", "_to_field", "source_model", "_changelist_filters", "unknown"]


@pytest.fixture
def rows(roles, user):
    """One or more of everything that is listed."""
    for name in ("g1", "g2"):
        make_recording(3, machine=name)
        post(name, (1, 2))
    at = timezone.now()
    post("g1", (at, 1), (at, 2))
    acts.note(Episode.objects.get().pk, Actor(user, "operator", "192.0.2.1"), comment="확인")
    make_program(roles, "viewer")
    ImportRun.objects.create(file_name="g1.csv", file_size=1, sha256="0" * 64, place="g1 / sensor1")
    stored(at_instant(at, sensor="sensor1"))
    CaptureMapping.objects.create(name="default", mapping=json.loads(Mapping().to_json()), saved_by="operator")
    AccessAttempt.objects.create(username="My secret, typed", ip_address="192.0.2.1", failures_since_start=1)
    note(Action.ACCESS, user, "operator", event="login")
    subscription(user)
    tell([Event(Transition.SILENT, Machine.objects.get(name="g1").pk, None, at)], at)


@pytest.fixture
def lists_alone(monkeypatch):
    """Without the names of all lists beside each, which no query string changes and which take half of the time."""
    monkeypatch.setattr(admin.site, "get_app_list", lambda request, app_label=None: [])


def address_of(model_admin) -> str:
    return reverse(f"admin:{model_admin.opts.app_label}_{model_admin.opts.model_name}_changelist")


def list_of(model_admin, person, query=None) -> ChangeList:
    request = RequestFactory().get(address_of(model_admin), query)
    request.user, request._messages = person, CookieStorage(None)
    return model_admin.get_changelist_instance(request)


def is_refused(model_admin, person, query: dict[str, bytes]) -> bool:
    """Whether a list says that it has no such filter, which it does before it makes anything of its page."""
    try:
        list_of(model_admin, person, query)
    except (IncorrectLookupParameters, SuspiciousOperation):
        return True
    return False


def offered(model_admin, person) -> set[str]:
    """The parameters of the filters that the page shows beside its list."""
    return {name for spec in list_of(model_admin, person).filter_specs for name in spec.expected_parameters()}


def paths(model, depth: int, prefix: str = "") -> list[str]:
    """Every field by the name that a query string would give it, also of what it belongs to and what belongs to it."""
    found = []
    for field in model._meta.get_fields():
        name = f"{prefix}{field.name}"
        found.append(name)
        if field.is_relation and field.related_model and depth > 1:
            found += paths(field.related_model, depth - 1, f"{name}__")
    return found


def test_there_is_something_to_look_at(rows):
    assert {"axes.accessattempt", "auditlog.logentry", "auth.user", "machines.machine"} <= set(NAMES)
    for it in ADMINS:
        assert it.model._default_manager.exists(), it


@each_admin
def test_a_list_is_filtered_by_what_its_page_offers_and_by_nothing_else(model_admin, rows, admin_user):
    """Else what a page leaves out or blots out is read letter by letter: `?username__startswith=a`, `...=b`."""
    allowed = offered(model_admin, admin_user)
    tried = {f"{name}__{lookup}" for name in paths(model_admin.model, 1) for lookup in LOOKUPS}
    tried |= {f"{name}{lookup}" for name in paths(model_admin.model, 2) for lookup in ("", "__startswith")}
    got_through = [name for name in sorted(tried - allowed) if not is_refused(model_admin, admin_user, {name: b"1"})]
    assert got_through == []


@each_admin
@pytest.mark.usefixtures("lists_alone")
def test_the_filters_that_a_page_offers_can_be_followed(model_admin, rows, admin_client):
    path = address_of(model_admin)
    page = admin_client.get(path).text
    for link in set(re.findall(r'href="(\?[^"]*)"', page)):
        assert admin_client.get(path + link.replace("&amp;", "&")).status_code == 200, link


@pytest.mark.filterwarnings("ignore:DateTimeField .* received a naive datetime")  # at the edge of the calendar
@each_admin
@pytest.mark.usefixtures("lists_alone")
def test_no_query_string_is_a_fault_of_the_server(model_admin, rows, admin_client, admin_user):
    admin_client.raise_request_exception = False
    path = address_of(model_admin)
    times = [field.name for field in model_admin.model._meta.fields if "Date" in field.get_internal_type()]
    names = offered(model_admin, admin_user) | set(CONTROLS)
    names |= {f"{name}__{lookup}" for name in times for lookup in ("year", "date", "range", "in", "gte")}
    edges = [value.encode("utf-8", "surrogatepass") for value in EDGES]
    queries = [{name: value} for name in sorted(names) for value in edges]
    # A page is made only of what is not refused. How the site refuses is the same for all: each value once.
    queries = [it for it in queries if not is_refused(model_admin, admin_user, it)]
    queries += [{"unknown": value} for value in edges]
    queries += [{name: value.encode()} for name in RARE_CONTROLS for value in ("1", "٣", "a\0b")]
    faults = []
    for query in queries:
        status = admin_client.get(path, query).status_code
        if status >= 500:
            faults.append((query, status))
    assert faults == []


@each_admin
def test_no_number_of_an_object_is_a_fault_of_the_server(model_admin, rows, admin_client):
    admin_client.raise_request_exception = False
    for number in ("0", "-1", "99999999999999999999", "9" * 400, "x", "_00", "_5F", "٣", "%00", "1,2"):
        for what in ("change", "delete", "history"):
            answer = admin_client.get(f"{address_of(model_admin)}{number}/{what}/")
            assert answer.status_code < 500, (number, what)


def test_a_filter_that_can_not_be_is_told_in_words(rows, admin_client):
    for path, query in (
        ("/admin/vibration/importrun/", {"started_at__gte": "never"}),
        ("/admin/vibration/importrun/", {"started_at__year": "-1"}),
        ("/admin/machines/machine/", {"title__startswith": "a"}),
    ):
        answer = admin_client.get(path, query, headers={"Accept-Language": "en"})
        assert (answer.status_code, answer.headers["Location"]) == (302, f"{path}?e=1")
        page = admin_client.get(answer.headers["Location"], headers={"Accept-Language": "en"})
        assert page.status_code == 200
        assert "or not with this value. It shows all rows." in page.text


def test_a_search_that_is_too_long_is_told_in_words(rows, admin_client):
    answer = admin_client.get("/admin/machines/machine/", {"q": "g " * 200}, headers={"Accept-Language": "en"})
    assert answer.status_code == 200
    assert "at most 200 characters" in answer.text


def test_what_was_typed_in_place_of_a_name_can_not_be_guessed_letter_by_letter(roles, rows):
    boss = get_user_model().objects.create_user("boss", is_staff=True)
    boss.groups.add(roles["administrator"])
    client = Client()
    client.force_login(boss)
    AccessAttempt.objects.update(attempt_time=timezone.now())
    answers = [
        client.get("/admin/axes/accessattempt/", {"username__startswith": text}) for text in ("My secret", "Nope")
    ]
    assert len({(it.status_code, it.headers["Location"], it.content) for it in answers}) == 1
