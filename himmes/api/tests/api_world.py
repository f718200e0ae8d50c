"""How tests of the API speak to it: as a program with a token of some role."""

import json
import re
from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.test import Client

from himmes.accounts.tokens import make_token

SAMPLE = {
    "machine_name": "g1",
    "sensor_no": "sensor1",
    "collected_at": "2026-11-20T09:30:00",
    "measured_time": 0.000736,
    "normal": -0.740463,
    "unbalance": -2.448986,
    "looseness": -0.234687,
    "unbalance_looseness": 4.145351,
}
CAPTURE = {
    "machine_name": "g1",
    "sensor_no": "sensor1",
    "axis": "x",
    "started_at": "2026-11-20T09:30:00",
    "sampling_hz": 1_000,
    "unit": "g",
    "values": [1.0, 3.0, -1.0, -3.0],
}
DIAGNOSIS = {"machine_name": "g1", "detected_at": "2026-11-20T09:30:00", "fault_type": 2}


@dataclass
class Program:
    """A client with a token. `get` and `post` return Django's test response."""

    token: str | None
    client: Client

    def __call__(self, method: str, path: str, data=None, **more):
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        headers |= more.pop("headers", {})
        body = data if isinstance(data, str | bytes) else json.dumps(data)
        more = {"content_type": "application/json"} | more
        if method == "GET":
            return self.client.get(f"/api/{path}", data, headers=headers)
        return self.client.generic(method, f"/api/{path}", body, headers=headers, **more)

    def get(self, path: str, query: dict | None = None, **more):
        return self("GET", path, query, **more)

    def post(self, path: str, data, **more):
        return self("POST", path, data, **more)


def make_program(roles: dict, role: str, client: Client | None = None) -> Program:
    user, _created = get_user_model().objects.get_or_create(username=f"{role}-program")
    user.groups.add(roles[role])
    _token, text = make_token(user, roles[role], name=role)
    return Program(text, client or Client())


def samples(count: int, *, step: float = 0.001, start: int = 0, **more) -> list[dict]:
    return [
        SAMPLE | {"measured_time": round((start + i) * step, 9), "normal": (start + i) / 8} | more for i in range(count)
    ]


def next_page(answer) -> str | None:
    """The path below /api/ that the Link of a list leads to; None on the last page."""
    link = answer.headers.get("Link")
    return link and re.fullmatch(r'<https?://[^/]+/api/([^>]+)>; rel="next"', link)[1]


def rows_of(answer) -> list[dict]:
    """The rows of a list, also of one that is sent while it is read."""
    assert answer.status_code == 200
    return json.loads(answer.getvalue())
