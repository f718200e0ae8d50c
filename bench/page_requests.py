"""What bench/bench_pages and bench/soak ask the site for."""

from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlencode

import numpy as np
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone

from bench.much_data import FLICKERING, post
from diagnosis.history.reading import microseconds
from diagnosis.models import FaultType
from diagnosis.pages.forms import MACHINES_PER_PAGE
from diagnosis.pages.live import current_version
from vibration.models import Recording

CHART_PIXELS = 1_300  # of a chart on a wide screen

Headers = dict[str, str]


class Request(NamedTuple):
    """One way to ask for something; `before` is done ahead of each request and gives further headers."""

    name: str
    path: str
    before: Callable[[], Headers] = dict
    status: int = 200
    by: str = "viewer"


def at(view: str, *places: str, **query) -> str:
    """The address of a view; a list in the query stands there once for each of its values."""
    address = reverse(view, args=places)
    return f"{address}?{urlencode(query, doseq=True)}" if query else address


def something_new(headers: Callable[[], Headers] = dict) -> Callable[[], Headers]:
    def before() -> Headers:
        found = headers()
        now = microseconds(timezone.now())
        post(["g7"], np.array([now]).astype("datetime64[us]"), np.array([now % len(FaultType)]), np.array([0.9]))
        return found

    return before


def nothing_kept() -> Headers:
    cache.clear()
    return {}


def part() -> Headers:
    """What htmx sends with the version that the page has."""
    return {"HX-Request": "true", "Known-Version": current_version()}


def known_version() -> Headers:
    return {"If-None-Match": f'W/"{current_version()}"'}  # weak, as GZipMiddleware makes it


def requests_of(recording: Recording, older: str, machines: list[str]) -> list[Request]:
    place = {
        "machine": recording.sensor.machine.name,
        "sensor": recording.sensor.sensor_no,
        "recording": recording.name,
    }
    of_api = {"machine_name": place["machine"], "sensor_no": place["sensor"], "recording": place["recording"]}
    window = {"start": 60.0, "end": 60.5}
    table = reverse("table")
    timeline = at("api-timeline", machine_name=machines[:MACHINES_PER_PAGE], points=CHART_PIXELS)
    return [
        Request("/", at("home")),
        Request("/, something new", at("home"), something_new()),
        Request("/, nothing kept", at("home"), nothing_kept),
        Request("/?kiosk=1", at("home", kiosk=1)),
        Request("/, changing part, something new", at("home"), something_new(part)),
        Request("/, changing part, nothing new", at("home"), part, 204),
        Request("/machines/g1/", at("machine", "g1")),
        Request("/machines/flicker/", at("machine", FLICKERING)),
        Request("/diagnosis/", at("dashboard")),
        Request("/diagnosis/?state=3", at("dashboard", state=3)),
        Request("/diagnosis/?range=24h", at("dashboard", range="24h")),
        Request("/diagnosis/history/", at("history", machine=FLICKERING)),
        Request("/diagnosis/timeline/", at("timeline")),
        Request(f"timeline data, {MACHINES_PER_PAGE} machines", timeline),
        Request("timeline data, nothing new", timeline, known_version, 304),
        Request("timeline data, flickering", at("api-timeline", machine_name=FLICKERING, points=CHART_PIXELS)),
        Request("/vibration/", at("waveform", **place)),
        Request("waveform data, whole", at("api-waveform", **of_api)),
        Request("waveform data, 0.5 s", at("api-waveform", **of_api, **window)),
        Request("spectrum data, whole", at("api-spectrum", **of_api)),
        Request("spectrum data, 0.5 s", at("api-spectrum", **of_api, **window)),
        Request("/vibration/table/", table),
        Request("/vibration/table/, older rows", table + older),
        Request("/vibration/table/?machine=", at("table", machine=place["machine"])),
        Request("/vibration/table/?start=&end=", at("table", **place, **window)),
        Request("/vibration/table/?range=24h", at("table", range="24h")),
        *(
            Request(at(f"admin:{model}_changelist"), at(f"admin:{model}_changelist"), by="administrator")
            for model in (
                "vibration_recording",
                "vibration_importrun",
                "diagnosis_vibrationdiagnosis",
                "machines_machine",
            )
        ),
    ]


def weighed_paths(recording: Recording) -> dict[str, str]:
    return {
        "/": at("home"),
        "/?kiosk=1": at("home", kiosk=1),
        "/machines/g1/": at("machine", "g1"),
        "/diagnosis/": at("dashboard"),
        "/diagnosis/history/": at("history", machine=FLICKERING),
        "/diagnosis/timeline/": at("timeline"),
        "/vibration/": recording.get_absolute_url(),
        "/vibration/table/": at("table"),
    }
