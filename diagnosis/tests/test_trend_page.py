"""The trend page on the server: its form, its table of numbers, and where a point leads; see test_trend_charts.py."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from common.tests.html import flat
from diagnosis.models import Episode
from diagnosis.pages.trends import comparison
from diagnosis.tests.world import post
from machines.models import Machine
from vibration.models import Capture, CaptureFeatures
from vibration.pages.trends.quantities import QUANTITY_NAMES
from vibration.signals.quantities import QUANTITIES
from vibration.tests.captures_world import a_second, days_ago, stored, tone

URL = "/vibration/trend/"
OF = "/vibration/captures/of/"
pytestmark = pytest.mark.django_db


@pytest.fixture
def client(client, user):
    client.force_login(user)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def capture(days: float, amplitude: float = 1.0, **more) -> Capture:
    """Of pump3 / de / x, so many days ago, of so much at 25 Hz."""
    Machine.objects.get_or_create(name=more.get("machine", "pump3"), defaults={"rated_rpm": 1_500})
    values = more.pop("values", None)
    values = tone(2_560, amplitude) if values is None else values
    [found] = stored(a_second(values, started_at=days_ago(days), **more))
    return found


def shown(response) -> dict[str, tuple]:
    """Of each axis the medians and the ratio, as they are read."""
    rows = response.context["table"].rows
    return {row.name: (row.shown.median, row.compared and row.compared.median, row.ratio_text) for row in rows}


def unbalance(days: float) -> Episode:
    """An alarm of pump3 that opened so many days ago, and cleared soon."""
    Machine.objects.get_or_create(name="pump3", defaults={"rated_rpm": 1_500})
    at = days_ago(days)
    post("pump3", *((at + timedelta(minutes=number), int(number < 3)) for number in range(9)))
    return Episode.objects.get(opened_at__gte=at, opened_at__lt=at + timedelta(hours=1))


# --- What is asked for ------------------------------------------------------------------------------------------------


def test_a_stranger_is_sent_to_the_login_and_without_captures_one_is_led_to_the_upload(client, operator):
    client.force_login(operator)
    assert 'href="/vibration/upload/">Upload a file of your own' in flat(client.get(URL))
    client.logout()
    assert client.get(URL).url == f"{reverse('login')}?next={URL}"


def test_every_feature_that_is_followed_has_a_name():
    assert QUANTITY_NAMES.keys() == QUANTITIES.keys()


def test_what_is_not_named_is_the_first_machine_all_its_axes_30_days_and_the_velocity(client):
    capture(1, axis="x")
    capture(1, axis="y")
    capture(1, machine="pump10")
    response = client.get(URL)
    plan = response.context["plan"]
    assert (plan["machine"], plan["feature"]) == ("pump3", "velocity_rms")
    assert [it["key"] for it in plan["axes"]] == ["de/x", "de/y"]
    period = response.context["shown"]
    assert timedelta(days=30) >= period.end - period.start > timedelta(days=29.9)
    assert response.context["form"].data.getlist("series") == ["de/x", "de/y"]


def test_where_no_velocity_is_assessable_the_rms_is_shown(client):
    capture(1, unit="")
    assert client.get(URL).context["plan"]["feature"] == "rms"


@pytest.mark.parametrize(
    ("query", "field", "message"),
    [
        ({"machine": "g9"}, "machine", "There is no machine “g9” with captures. Choose one from the list."),
        ({"series": "de/q"}, "series", "This machine has no axis “de/q”. Choose from the list."),
        ({"feature": "loudness"}, "feature", "There is no feature “loudness”. Choose one from the list."),
        ({"range": "2h"}, "range", "There is no range “2h”. Choose 1h, 24h, 7d, 30d, 90d or 365d."),
        ({"after": "2999-01-01"}, "after", "The start is in the future."),
        ({"after": "2026-11-02", "before": "2026-11-01"}, "before", "The end must be after the start."),
        (
            {"compare": "best"},
            "compare",
            "“best” is nothing to compare with. Choose week, month, period, machine or alarm.",
        ),
        ({"compare": "period"}, "with_start", "Say when the earlier period starts."),
        ({"compare": "machine"}, "with_machine", "Choose the machine to compare with."),
        (
            {"compare": "machine", "with_machine": "g9"},
            "with_machine",
            "There is no machine “g9” with captures. Choose one from the list.",
        ),
    ],
)
def test_a_wrong_value_is_explained_at_its_field(client, query, field, message):
    capture(1)
    response = client.get(URL, query)
    assert response.status_code == 400
    assert response.context["form"].errors == {field: [message]}
    assert message in response.text
    assert "Nothing is shown until the marked fields are corrected." in response.text


def test_alarms_that_are_not_there_are_asked_for_in_words(client):
    capture(1)
    errors = client.get(URL, {"compare": "alarm"}).context["form"].errors
    none = "Choose an alarm. Without alarms there is nothing to align on."
    assert errors == {"alarm": [none], "with_alarm": [none]}
    one = unbalance(5)
    errors = client.get(URL, {"compare": "alarm", "alarm": one.pk, "with_alarm": one.pk}).context["form"].errors
    assert errors == {"with_alarm": ["Choose another alarm than the first."]}
    errors = client.get(URL, {"compare": "alarm", "alarm": one.pk, "with_alarm": "77"}).context["form"].errors
    assert errors == {"with_alarm": ["There is no alarm “77” of this machine. Choose one from the list."]}


def test_of_more_than_twelve_axes_the_first_are_drawn_and_the_page_says_so(client):
    at = days_ago(1)
    names = [f"a{number}" for number in range(1, 15)]
    stored(*(a_second(np.arange(16.0), axis=axis, started_at=at) for axis in names))
    response = client.get(URL, {"feature": "rms"})
    assert response.context["form"].data.getlist("series") == [f"de/{axis}" for axis in names[:12]]
    assert "2 axes more are not drawn" in flat(response)
    looks = {it["key"]: it["look"] for it in client.get(URL, {"series": ["de/a1", "de/a13"]}).context["plan"]["axes"]}
    assert looks["de/a1"] != looks["de/a13"]
    response = client.get(URL, {"series": [f"de/{axis}" for axis in names[:13]]})
    assert response.context["form"].errors == {
        "series": ["Choose at most 12 axes: more can't be told apart in one chart."]
    }


def test_names_with_slashes_are_told_apart(client):
    capture(1, sensor="a/b", axis="c")
    capture(1, sensor="a", axis="b/c")
    keys = [it["key"] for it in client.get(URL).context["plan"]["axes"]]
    assert sorted(keys) == ["a%2Fb/c", "a/b%2Fc"]
    assert list(shown(client.get(URL, {"series": "a/b%2Fc"}))) == ["a / b/c"]


# --- Numbers and comparison -------------------------------------------------------------------------------------------


def test_a_period_is_told_by_median_extremes_and_number_and_leads_to_its_newest_spectrum(client):
    for days, amplitude in ((1, 1.0), (2, 3.0), (3, 2.0)):
        capture(days, amplitude)
    capture(0.5, values=np.zeros(2_560))  # the machine stands
    newest = Capture.objects.order_by("-started_at")[1]
    response = client.get(URL, {"feature": "order_1_0"})
    [row] = response.context["table"].rows
    assert (row.shown.median, row.shown.least, row.shown.greatest, row.shown.of.count) == ("2", "1", "3", 3)
    text = flat(response)
    assert "Of all captures of the period. 1 without vibration is left out" in text
    assert f'<a href="/vibration/captures/{newest.pk}/">' in text


def test_now_is_compared_with_a_month_ago_in_one_click_and_the_ratio_is_told(client):
    capture(1, 1.9)
    then = capture(33, 1.0)
    response = client.get(URL, {"feature": "order_1_0"})
    month = next(it for it in response.context["form"].quick_comparisons() if it["name"] == "A month ago")
    response = client.get(URL + month["query"])
    assert shown(response) == {"de / x": ("1.9", "1", "1.9")}
    assert "1.9 times" in flat(response)
    assert f"?with={then.pk}" in response.text
    assert response.context["plan"]["compared"]["shift"] == -30 * 24 * 3_600e3


@pytest.mark.parametrize(
    ("ratio", "text"), [(2.0, "2.0"), (1.0, "1.0"), (0.996, "1.0"), (0.5, "0.50"), (13.7, "14"), (1_234.0, "1,234")]
)
def test_a_ratio_is_told_with_the_digits_that_a_person_reads(ratio, text):
    def numbers(median):
        return comparison.Numbers(comparison.Summary("g", count=1, median=median), "g", None)

    assert comparison.Row("", numbers(ratio), numbers(1.0)).ratio_text == text
    assert comparison.Row("", numbers(ratio), numbers(0.0)).ratio is None
    assert comparison.Row("", numbers(ratio)).ratio_text == ""


def test_an_earlier_period_is_as_long_as_the_one_that_is_shown(client):
    capture(1)
    query = {"after": "2026-11-20", "before": "2026-11-22", "compare": "period", "with_start": "2026-10-05"}
    context = client.get(URL, query).context
    assert context["compared"].end - context["compared"].start == timedelta(days=2)
    assert f"{timezone.localtime(context['compared'].start):%Y-%m-%d %H:%M}" == "2026-10-05 00:00"


def test_another_machine_is_compared_axis_by_axis_and_what_it_lacks_is_told(client):
    capture(1, 2.0, axis="x")
    capture(1, 2.0, axis="y")
    capture(1, 1.0, machine="pump4", axis="x")
    query = {"machine": "pump3", "feature": "order_1_0", "compare": "machine", "with_machine": "pump4"}
    response = client.get(URL, query)
    assert shown(response) == {"de / x": ("2", "1", "2.0"), "de / y": ("2", None, "")}
    assert "pump4 has no captures of de / y: of it nothing is compared." in flat(response)


def test_another_unit_is_converted_or_told_not_to_be_comparable(client):
    capture(1, 2.0, unit="g")
    capture(8, 9.80665, unit="m/s2")
    query = {"feature": "rms", "compare": "week", "range": "24h"}
    capture(8, 1.0, machine="fan1", unit="")
    capture(0.9, 1.0, machine="fan1", unit="g")
    response = client.get(URL, query | {"machine": "pump3", "range": "7d"})
    assert shown(response)["de / x"][2] == "2.0"
    response = client.get(URL, query | {"machine": "fan1", "range": "7d"})
    assert "not comparable: other units" in flat(response)
    assert "1 in a unit that can't be converted is left out." in flat(response)


def test_two_alarms_are_laid_over_each_other_at_their_opening(client):
    first, second = unbalance(20), unbalance(5)
    for days, amplitude in ((21, 1.0), (19, 2.0), (6, 3.0), (4, 6.0)):
        capture(days, amplitude)
    query = {"compare": "alarm", "alarm": second.pk, "with_alarm": first.pk, "feature": "order_1_0", "range": "24h"}
    assert client.get(URL, query | {"range": "7d"}).status_code == 200
    response = client.get(URL, query | {"range": ""})
    context = response.context
    assert context["shown"].start == second.opened_at - timedelta(days=7)
    assert context["shown"].end == second.opened_at + timedelta(days=7)
    assert context["compared"].start == first.opened_at - timedelta(days=7)
    assert context["plan"]["opening"] == pytest.approx(second.opened_at.timestamp() * 1e3)
    assert context["plan"]["compared"]["opening"] == pytest.approx(first.opened_at.timestamp() * 1e3)
    assert shown(response) == {"de / x": ("4.5", "1.5", "3.0")}
    assert "Or before and after the opening" in flat(response)


def test_of_very_many_captures_the_newest_are_read_and_the_page_says_so(client, monkeypatch):
    for days in (1, 2, 3):
        capture(days, days)
    monkeypatch.setattr(comparison, "MOST_READ", 2)
    response = client.get(URL, {"feature": "order_1_0"})
    assert shown(response) == {"de / x": ("1.5", None, "")}
    assert "Of the newest 2 captures of each axis and period; there are more." in flat(response)


@pytest.mark.parametrize("count", [1, 40])
def test_the_page_costs_the_same_queries_however_many_captures_there_are(client, django_assert_num_queries, count):
    start = days_ago(8)
    stored(*(a_second(np.arange(32.0), started_at=start + timedelta(hours=number)) for number in range(count)))
    # Session, user, his permissions and those of his roles; axes, what the newest tell; the numbers of the axis and
    # their unit, those of the month before, which captures have spectra
    with django_assert_num_queries(10):
        assert client.get(URL, {"compare": "month", "range": "30d"}).status_code == 200


def test_a_script_gets_the_table_alone(client):
    capture(1)
    part = client.get(URL, headers={"HX-Request": "true"})
    assert part.text.lstrip().startswith('<section id="trend-numbers"')
    assert part.headers["Cache-Control"] == "no-store"
    assert "HX-Request" in part.headers["Vary"]


# --- From a point to its capture --------------------------------------------------------------------------------------


def to_capture(client, since: float, until: float, **more):
    """The answer for the captures from so many days ago to so many days ago."""
    query = {"machine": "pump3", "series": "de/x", "feature": "rms", "which": "greatest"}
    query |= {"start": days_ago(since).isoformat(), "end": days_ago(until).isoformat()} | more
    return client.get(OF, query)


def test_a_point_leads_to_the_capture_with_the_least_or_the_greatest_value(client):
    least, greatest = capture(3, 1.0), capture(2, 4.0)
    capture(1, 2.0)
    capture(9, 9.0)
    assert to_capture(client, 4, 0.5).url == f"/vibration/captures/{greatest.pk}/"
    assert to_capture(client, 4, 0.5, which="least").url == f"/vibration/captures/{least.pk}/"
    assert to_capture(client, 1.5, 0.5).url != to_capture(client, 4, 0.5).url


def test_of_accelerations_the_greater_one_is_meant_whatever_its_unit(client):
    capture(3, 5.0, unit="m/s2")
    one_g = capture(2, 1.0, unit="g")
    assert to_capture(client, 4, 1).url == f"/vibration/captures/{one_g.pk}/"


def test_what_a_trend_leaves_out_for_its_unit_is_not_where_a_point_leads(client):
    in_g = capture(3, 1.0, unit="g")
    capture(2, 50.0, unit="mm/s")
    capture(0.1, 0.5, unit="g")
    assert to_capture(client, 4, 1).url == f"/vibration/captures/{in_g.pk}/"


def test_where_the_feature_is_not_assessable_the_first_capture_is_shown_all_the_same(client):
    first = capture(3, unit="")
    capture(2, unit="")
    assert not CaptureFeatures.objects.exclude(velocity_rms=None).exists()
    assert to_capture(client, 4, 1, feature="velocity_rms").url == f"/vibration/captures/{first.pk}/"


def test_a_capture_that_is_gone_is_told_and_what_is_wrong_is_named(client):
    capture(3)
    response = to_capture(client, 2, 1)
    assert response.status_code == 404
    assert "pump3 has no capture of this axis from" in flat(response)
    for wrong, said in (
        ({"machine": "g9"}, "There is no such machine with captures."),
        ({"series": "de/q"}, "This machine has no such axis."),
        ({"feature": "loudness"}, "There is no feature “loudness”."),
        ({"which": "some"}, "“some” is neither least nor greatest."),
        ({"start": "soon"}, "“soon” is not a date and time."),
        ({"end": days_ago(9).isoformat()}, "The end must be after the start."),
    ):
        response = to_capture(client, 4, 1, **wrong)
        assert response.status_code == 400
        assert said in flat(response)


# --- Other pages ------------------------------------------------------------------------------------------------------


def test_a_machine_has_small_trends_of_what_tells_most(client):
    capture(1)
    features = [it["feature"] for it in client.get("/machines/pump3/").context["trends"]()]
    assert features == ["velocity_rms", "order_1_0", "envelope_peak"]
    capture(0.5, machine="fan1", unit="")
    assert client.get("/machines/fan1/").context["trends"]()[0]["feature"] == "rms"
    assert 'href="/vibration/trend/?machine=fan1&amp;feature=order_1_0"' in client.get("/machines/fan1/").text
    post("g1", (1, 0))
    assert client.get("/machines/g1/").context["trends"]() == []


def test_small_trends_cost_the_machine_s_page_no_query(client, monkeypatch, django_assert_num_queries):
    capture(1)
    client.get("/machines/pump3/")
    with CaptureQueriesContext(connection) as with_them:
        client.get("/machines/pump3/")
    monkeypatch.setattr("diagnosis.pages.views.small_trends", lambda newest: [])
    with django_assert_num_queries(len(with_them)):
        client.get("/machines/pump3/")


def test_a_capture_and_the_list_lead_to_the_trend_of_the_axis(client):
    old, new = capture(100), capture(1)
    asked = parse_qs(urlsplit(client.get(f"/vibration/captures/{new.pk}/").context["trend"]).query)
    assert asked == {"machine": ["pump3"], "series": ["de/x"]}
    response = client.get(client.get(f"/vibration/captures/{old.pk}/").context["trend"])
    assert [row.shown.of.count for row in response.context["table"].rows] == [1]
    for query, told in (
        ({}, ""),
        ({"machine": "pump3"}, "machine=pump3"),
        ({"machine": "pump3", "sensor": "de"}, "machine=pump3&series=de%2Fx"),
    ):
        assert client.get("/vibration/captures/", query).context["form"].trend_query() == told
