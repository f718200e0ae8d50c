"""Programs of the former system, written anew from its contract, against a server, over HTTP.

Each is as its author left it, but for what docs/former-system.md asks: the base address, and a token with each call.
"""

import csv
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pandas as pd
import pytest
import requests

from diagnosis.models import VibrationDiagnosis
from himmes.api.tests.api_world import make_program
from vibration.models import VibrationData
from vibration.tests.world import as_csv, make_samples

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE_S = 120
LIST_ROWS = 200
STATES = ["normal", "unbalance", "looseness", "unbalance_looseness"]


class Site:
    """What is changed in a program: where it calls, and what it sends along."""

    def __init__(self, url: str, token: str):
        self.base, self.headers = f"{url}/api", {"Authorization": f"Bearer {token}"}

    def get(self, path: str, **query) -> requests.Response:
        return requests.get(f"{self.base}/{path}", params=query, headers=self.headers, timeout=PATIENCE_S)

    def post(self, path: str, body) -> requests.Response:
        return requests.post(f"{self.base}/{path}", json=body, headers=self.headers, timeout=PATIENCE_S)


# --- The programs


def uploader(site: Site, file: Path, machine: str, sensor: str) -> int:
    """Posts a file of samples in lists of 200, the last one perhaps empty; gives the number that it tells of."""
    inserted, rows = 0, []

    def flush():
        nonlocal inserted, rows
        answer = site.post("vibration-data/bulk", rows)
        if answer.status_code != 200 or answer.json()["status"] != "success":
            raise RuntimeError(answer.text)
        inserted, rows = inserted + answer.json()["inserted"], []

    with file.open() as lines:
        for time, *values in csv.reader(lines):
            sample = {"machine_name": machine, "sensor_no": sensor, "measured_time": float(time)}
            sample |= {"collected_at": datetime.now().isoformat()}
            rows.append(sample | dict(zip(STATES, map(float, values), strict=True)))
            if len(rows) == LIST_ROWS:
                flush()
    flush()
    return inserted


def dummy_script(site: Site, count: int) -> str:
    """Posts samples one by one, reads them back, and says how many there are."""
    for number in range(count):
        row = {"machine_name": "dummy", "sensor_no": "sensor1", "collected_at": "2026-11-20T09:30:00"}
        row |= {"measured_time": number / 1_000} | dict.fromkeys(STATES, number / 2)
        site.post("vibration-data", row).raise_for_status()
    rows = site.get("vibration-data").json()
    assert [row["normal"] for row in rows if row["machine_name"] == "dummy"] == [number / 2 for number in range(count)]
    return f"{len(rows)} rows"


def ai_uploader(site: Site, rows: list[dict]) -> str:
    """Posts what a model found, and compares the counts before and after."""
    before = len(site.get("vibration-diagnosis").json())
    answer = site.post("vibration-diagnosis/bulk", rows)
    answer.raise_for_status()
    after = len(site.get("vibration-diagnosis").json())
    return f"{after - before} of {len(rows)} rows arrived"


def dashboard(site: Site) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both lists as tables: how often each machine was in which state, and the RMS of each sensor in each state."""
    diagnoses = pd.DataFrame(site.get("vibration-diagnosis").json())
    diagnoses["detected_at"] = pd.to_datetime(diagnoses["detected_at"])
    states = diagnoses.groupby(["machine_name", "fault_type"]).size().unstack(fill_value=0)
    states["last"] = diagnoses.groupby("machine_name")["detected_at"].max()
    samples = pd.DataFrame(site.get("vibration-data", limit=1_000_000).json())
    rms = (samples.set_index(["machine_name", "sensor_no"])[STATES] ** 2).groupby(level=[0, 1]).mean() ** 0.5
    return states, rms.assign(count=samples.groupby(["machine_name", "sensor_no"]).size())


# A page of another site, which asks anew each time, past every cache
PAGE = """<!doctype html><html lang="en"><title>Panel</title><link rel="icon" href="data:,"><pre></pre><script>
const api = "{base}", headers = {{Authorization: "{token}"}};
async function read(path) {{
  const response = await fetch(`${{api}}/${{path}}${{path.includes("?") ? "&" : "?"}}_=${{Date.now()}}`, {{headers}});
  if (!response.ok) throw new Error(await response.text());
  return [await response.json(), response];
}}
(async () => {{
  const [diagnoses] = await read("vibration-diagnosis");
  const [samples] = await read("vibration-data?machine_name=g1");
  const [page, response] = await read("vibration-data?limit=10");
  const [first] = await read("vibration-data/grouped-range?per_group_limit=1000");
  const [recent] = await read("vibration-diagnosis/grouped-recent?per_group_limit=1000");
  const faults = diagnoses.filter(row => row.fault_type > 0).length;
  const lines = [
    `${{diagnoses.length}} diagnoses, ${{faults}} of a fault`,
    `${{samples.length}} samples, the last at ${{samples.at(-1).measured_time}} s`,
    `${{page.length}} on a page, ${{response.headers.get("Link") ? "more" : "no more"}}`,
    `${{first.length}} first samples, ${{recent.length}} newest diagnoses`,
  ];
  document.querySelector("pre").textContent = lines.join("\\n");
}})();
</script></html>"""


# --- What became of them


@pytest.fixture
def collector(live_server, roles) -> Site:
    return Site(live_server.url, make_program(roles, "collector").token)


@pytest.fixture
def diagnoser(live_server, roles) -> Site:
    return Site(live_server.url, make_program(roles, "diagnoser").token)


def found_by_a_model(count: int, *, machines: int = 3, begin: str = "2026-11-20T09:30:00.5") -> list[dict]:
    start = datetime.fromisoformat(begin)
    return [
        {
            "machine_name": f"g{number % machines + 1}",
            "detected_at": (start + timedelta(seconds=number)).isoformat(),
            "fault_type": number % 4,
        }
        for number in range(count)
    ]


def write_samples(tmp_path: Path, count: int) -> Path:
    file = tmp_path / "g1_sensor1.csv"
    file.write_text(as_csv(*make_samples(count)))
    return file


@pytest.mark.parametrize("count", [1_000, 1_050])
def test_the_uploader_counts_what_it_has_inserted(collector, tmp_path, count):
    assert uploader(collector, write_samples(tmp_path, count), "g1", "sensor1") == count
    assert VibrationData.objects.count() == count


def test_the_dummy_script_finds_as_many_rows_as_it_has_posted(collector):
    assert dummy_script(collector, 25) == "25 rows"


@pytest.mark.parametrize("before", [0, 6_000])  # 6,000: sent while they are read
def test_the_ai_uploader_finds_its_rows_among_all(diagnoser, before):
    for start in range(0, before, 1_000):
        rows = found_by_a_model(before)[start : start + 1_000]
        diagnoser.post("vibration-diagnosis/bulk", rows).raise_for_status()
    rows = found_by_a_model(12, begin="2026-11-21T09:30:00.5")
    assert ai_uploader(diagnoser, rows) == "12 of 12 rows arrived"
    assert ai_uploader(diagnoser, rows) == "0 of 12 rows arrived"
    assert VibrationDiagnosis.objects.count() == before + 12


def test_the_dashboard_reads_both_lists_as_tables(collector, diagnoser, tmp_path):
    uploader(collector, write_samples(tmp_path, 5_200), "g1", "sensor1")
    uploader(collector, write_samples(tmp_path, 400), "g2", "sensor1")
    diagnoser.post("vibration-diagnosis/bulk", found_by_a_model(120)).raise_for_status()
    states, rms = dashboard(collector)
    assert states[[0, 1, 2, 3]].to_dict("index") == {f"g{n}": dict.fromkeys(range(4), 10) for n in (1, 2, 3)}
    assert states["last"].max().isoformat() == "2026-11-20T09:31:59.500000+09:00"
    assert rms["count"].to_dict() == {("g1", "sensor1"): 5_200, ("g2", "sensor1"): 400}
    _time, values = make_samples(5_200)
    expected = (values**2).mean(axis=0) ** 0.5
    assert rms.loc[("g1", "sensor1"), STATES].tolist() == pytest.approx(expected.tolist(), rel=1e-12)


def test_a_limit_of_the_dashboards_own_is_taken(collector, tmp_path):
    """The former system knew no upper one."""
    uploader(collector, write_samples(tmp_path, 100), "g1", "sensor1")
    answer = collector.get("vibration-data", limit=1_000_000)
    assert (len(answer.json()), answer.headers["X-Limit"]) == (100, "250000")
    assert len(collector.get("vibration-data", limit=30).json()) == 30


@pytest.fixture
def other_site():
    """A server beside ours, which gives its one page at every address."""

    class Page(BaseHTTPRequestHandler):
        text = ""

        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(self.text.encode())

        def log_message(self, *about):
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        Page.origin = f"http://127.0.0.1:{server.server_port}"
        yield Page
        server.shutdown()


@pytest.mark.browser
def test_a_page_of_another_site_draws_what_it_has_read(new_page, other_site, collector, diagnoser, settings, tmp_path):
    settings.CORS_ALLOWED_ORIGINS = [other_site.origin]
    uploader(collector, write_samples(tmp_path, 5_600), "g1", "sensor1")
    diagnoser.post("vibration-diagnosis/bulk", found_by_a_model(120)).raise_for_status()
    other_site.text = PAGE.format(base=collector.base, token=collector.headers["Authorization"])
    page = new_page()
    page.goto(f"{other_site.origin}/panel")
    page.wait_for_function("document.querySelector('pre').textContent")
    assert page.locator("pre").inner_text().splitlines() == [
        "120 diagnoses, 90 of a fault",
        "5600 samples, the last at 5.599 s",
        "10 on a page, more",
        "1000 first samples, 120 newest diagnoses",
    ]
