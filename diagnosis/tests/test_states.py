"""Each state is told once, in diagnosis/states.py: every page and the API take one more as it comes."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.utils import timezone, translation

from diagnosis.models import CurrentState, VibrationDiagnosis
from diagnosis.states import BY_URGENCY, FaultType, State
from diagnosis.tests.world import post
from himmes.api.tests.api_world import make_program

ROOT = Path(settings.BASE_DIR)
each_fault_type = pytest.mark.parametrize("state", FaultType, ids=lambda state: state.key)
each_state = pytest.mark.parametrize("state", BY_URGENCY, ids=lambda state: state.key)
# Names of Chart.js for what it draws at a point, but for lines
POINT_STYLES = {"circle", "cross", "crossRot", "rect", "rectRot", "rectRounded", "star", "triangle"}


# --- The table -------------------------------------------------------------------------------------------------------


def test_the_numbers_of_fault_types_have_no_gap():
    assert sorted(FaultType.values) == list(range(len(FaultType)))
    assert FaultType.NORMAL == 0
    assert FaultType.NORMAL.severity == 0


def test_the_later_a_row_the_worse_the_state():
    assert [it.severity for it in FaultType] == list(range(len(FaultType)))
    assert BY_URGENCY[0].severity == len(FaultType) - 1
    assert set(FaultType) < set(BY_URGENCY)


def test_each_state_has_a_shape_of_its_own_that_is_drawn():
    drawn = re.findall(r'<symbol id="shape-(\w+)"', (ROOT / "templates" / "shapes.html").read_text("utf-8"))
    shapes = [it.shape for it in BY_URGENCY]
    assert len(set(drawn)) == len(drawn)
    assert len(set(shapes)) == len(shapes)
    assert set(shapes) <= set(drawn)
    assert {it.shape for it in FaultType} <= POINT_STYLES


def colour(state: State, theme: str) -> str | None:
    styles = (ROOT / "static" / "css" / "diagnosis.css").read_text("utf-8")
    within = r'^\[data-bs-theme="dark"\] .*' if theme == "dark" else r"^"
    found = re.search(rf'{within}\[data-state="{state.key}"\][^{{]*\{{ --state: (#[0-9a-f]{{6}})', styles, re.MULTILINE)
    return found and found[1]


def luminance(colour: str) -> float:
    """Relative luminance as WCAG has it."""
    parts = [it / 255 for it in bytes.fromhex(colour[1:])]
    linear = [it / 12.92 if it <= 0.04045 else ((it + 0.055) / 1.055) ** 2.4 for it in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@each_state
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_each_state_has_a_colour_that_stands_out_from_the_panel(state, theme):
    styles = (ROOT / "static" / "css" / "himmes.css").read_text("utf-8")
    panel = re.search(rf'\[data-bs-theme="{theme}"\] \{{.*?--panel: (#[0-9a-f]{{6}})', styles, re.DOTALL)[1]
    darker, lighter = sorted([luminance(colour(state, theme)), luminance(panel)])
    assert (lighter + 0.05) / (darker + 0.05) >= 3  # of what is no text


# --- Wherever a state is shown ---------------------------------------------------------------------------------------


@pytest.fixture
def client(client, user):
    client.force_login(user)
    return client


def pages_of(state: State) -> list[str]:
    return [
        "/",
        "/?kiosk=1",
        "/machines/g1/",
        "/diagnosis/",
        f"/diagnosis/?state={state}",
        "/diagnosis/history/?machine=g1",
        "/diagnosis/timeline/",
    ]


@each_fault_type
@pytest.mark.django_db
@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_page_shows_a_machine_in_this_state(client, state, language):
    post("g1", (20, 0), (5, state))
    with translation.override(language):
        name = str(state.label)
    for page in pages_of(state):
        cache.clear()
        answer = client.get(page, headers={"Accept-Language": language})
        assert answer.status_code == 200, page
        assert f'href="#shape-{state.shape}"' in answer.text, page
        assert f'data-state="{state.key}"' in answer.text, page
        assert name in answer.text, page


@each_fault_type
@pytest.mark.django_db
def test_a_program_may_post_this_state_and_read_it_everywhere(roles, state):
    diagnoser, viewer = make_program(roles, "diagnoser"), make_program(roles, "viewer")
    row = {"machine_name": "g1", "detected_at": timezone.now().isoformat(), "fault_type": state.value}
    assert diagnoser.post("vibration-diagnosis", row).status_code == 201
    assert diagnoser.post("vibration-diagnosis/bulk", [row | {"machine_name": "g2"}]).json()["inserted"] == 1
    assert set(VibrationDiagnosis.objects.values_list("fault_type", flat=True)) == {state}
    assert set(CurrentState.objects.values_list("fault_type", flat=True)) == {state}
    for path in ("vibration-diagnosis", "vibration-diagnosis/latest", "vibration-diagnosis/grouped-recent"):
        assert {it["fault_type"] for it in viewer.get(path, {}).json()} == {state}, path
    [told] = viewer.get("vibration-diagnosis", {"machine_name": "g1", "fault_type": state.value}).json()
    assert told["machine_name"] == "g1"
    of_machines = viewer.get("vibration-diagnosis/timeline", {"fault_type": state.value}).json()["machines"]
    assert [it["fault_type"] for it in of_machines] == [[state], [state]]


@each_fault_type
@pytest.mark.django_db
def test_downloads_and_metrics_name_this_state(client, roles, state):
    post("g1", (5, state))
    diagnoses = client.get("/diagnosis/", {"format": "csv"}).getvalue().decode()
    assert f",{state.value},cnn,0.9\r\n" in diagnoses
    runs = client.get("/diagnosis/timeline/", {"format": "csv"}).getvalue().decode()
    assert f"g1,{state.value},{state.key}," in runs
    viewer = make_program(roles, "viewer")
    figures = viewer.client.get("/metrics", headers={"Authorization": f"Bearer {viewer.token}"}).text
    assert re.search(rf'^himmes_machines\{{state="{state.key}"\}} 1\.0$', figures, re.MULTILINE)


@each_fault_type
@pytest.mark.django_db
def test_the_administration_and_the_schema_name_this_state(admin_client, state):
    machine = post("g1", (5, state))
    [diagnosis] = machine.diagnoses.all()
    for page in ("", f"?fault_type__exact={state.value}", f"{diagnosis.pk}/change/"):
        answer = admin_client.get(f"/admin/diagnosis/vibrationdiagnosis/{page}", headers={"Accept-Language": "en"})
        assert answer.status_code == 200
        assert str(state.label) in answer.text
    with translation.override("ko"):
        korean = str(state.label)
    schema = admin_client.get("/api/schema/", headers={"Accept": "application/json"}).text
    assert f"{state.value} {korean} {state.label}" in schema


# Of each bar that is drawn: the state's name, colour and height; and the shape of the mark on it
DRAWN = """() => {
    const { datasets } = Chart.getChart(document.querySelector("#timeline canvas")).data;
    const half = (datasets.length - 1) / 2;  // bars, marks on them, and what people did
    return datasets.slice(0, half).flatMap(({ label, data, backgroundColor, barThickness }, place) =>
        data.map(() => [label, backgroundColor, barThickness, datasets[half + place].pointStyle]));
}"""


@each_fault_type
@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_timeline_draws_this_state_and_a_browser_shows_it(new_page, user, state, theme):
    post("g1", (5, state))
    page = new_page(login=user, color_scheme=theme)
    page.goto("/diagnosis/timeline/?range=1h")
    page.wait_for_selector("#timeline[aria-busy=false]")
    [[name, painted, height, shape]] = page.evaluate(DRAWN)
    with translation.override("en"):
        assert (name, shape) == (str(state.label), state.shape)
    assert painted == "rgb({}, {}, {})".format(*bytes.fromhex(colour(state, theme)[1:]))
    assert (height == pytest.approx(26)) is (state.severity == len(FaultType) - 1)
    page.hover("#timeline canvas")
    page.goto("/")
    page.wait_for_selector(f'.tile[data-state="{state.key}"] .shape[data-state="{state.key}"]')
    assert page.evaluate("document.querySelector('.tile .shape').getBoundingClientRect().width") > 10


# --- One more --------------------------------------------------------------------------------------------------------

WORDS = {"ko": "축정렬 불량", "en": "misalignment"}


def misalignment(project: Path) -> None:
    """Add the fault type as CONTRIBUTING.md says; the migration is made by makemigrations."""

    def change(path: str, edit: Callable[[str], str]) -> None:
        text = (project / path).read_text("utf-8")
        assert edit(text) != text
        (project / path).write_text(edit(text), "utf-8")

    last = "    UNBALANCE_LOOSENESS = 3,"
    change(
        "diagnosis/states.py", lambda it: it.replace(last, f'    MISALIGNMENT = 4, "cross", _("misalignment")\n{last}')
    )
    colours = (
        '\n[data-state="misalignment"] { --state: #7a4b00; }\n'
        '[data-bs-theme="dark"] [data-state="misalignment"] { --state: #d9b36c; }\n'
    )
    change("static/css/diagnosis.css", lambda it: it + colours)
    for language, word in WORDS.items():
        entry = f'\nmsgid "misalignment"\nmsgstr "{word}"\n'
        change(f"locale/{language}/LC_MESSAGES/django.po", lambda it, entry=entry: it + entry)


def another_database(folder: Path) -> str:
    """An address beside that of these tests, which are under way."""
    if connection.vendor == "sqlite":
        return f"sqlite:///{folder}/recipe.sqlite3"
    parts = urlsplit(os.environ["DATABASE_URL"])
    return urlunsplit(parts._replace(path=f"{parts.path}_recipe"))


def test_a_fifth_fault_type_takes_five_files_and_the_recipe_of_contributing(tmp_path):
    """In a copy of the project, whose own tests then walk over five fault types on a database of its own."""
    project = tmp_path / "project"
    left_out = (
        ".git",
        ".venv",
        "node_modules",
        "var",
        "docs",
        "bench",
        "__pycache__",
        ".*_cache",
        ".env",
        ".hypothesis",
    )
    shutil.copytree(ROOT, project, ignore=shutil.ignore_patterns(*left_out))
    (project / "node_modules").symlink_to(settings.NODE_MODULES)
    environment = os.environ | {"DATABASE_URL": another_database(tmp_path), "DJANGO_SETTINGS_MODULE": "himmes.settings"}
    # What a browser shows of it knows no database.
    if connection.vendor != "sqlite" or not (os.environ.get("CHROMIUM") or shutil.which("chromium")):
        environment["HIMMES_WITHOUT_BROWSER"] = "1"

    def run(*command: str) -> str:
        done = subprocess.run(
            [sys.executable, *command], cwd=project, env=environment, capture_output=True, encoding="utf-8"
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    misalignment(project)
    run("scripts/compile_translations.py")
    run("manage.py", "makemigrations", "diagnosis", "--name", "misalignment")
    run("manage.py", "makemigrations", "--check", "--dry-run")
    run("-m", "ruff", "format", "--no-cache")
    tests = ["diagnosis/tests/test_states.py", "himmes/tests/test_translations.py"]
    tests += ["himmes/api/tests/test_api_errors.py::test_a_fault_type_is_one_of_the_known_numbers"]
    tests += ["himmes/operations/tests/test_health.py::test_a_migration_that_is_not_applied_is_not_ready"]
    told = run("-m", "pytest", "-v", "-p", "no:cacheprovider", "-k", "not recipe", *tests)
    assert len(re.findall(r"misalignment.*\bPASSED", told)) >= 7

    sources = [path for path in project.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    changed = {
        path.relative_to(project).as_posix()
        for path in sources
        if "node_modules" not in path.parts and path.suffix != ".mo" and not is_copy(path, project)
    }
    assert changed == {
        "diagnosis/states.py",
        "diagnosis/migrations/" + next(project.glob("diagnosis/migrations/*_misalignment.py")).name,
        "static/css/diagnosis.css",
        "locale/ko/LC_MESSAGES/django.po",
        "locale/en/LC_MESSAGES/django.po",
    }


def is_copy(path: Path, project: Path) -> bool:
    original = ROOT / path.relative_to(project)
    return original.is_file() and original.read_bytes() == path.read_bytes()
