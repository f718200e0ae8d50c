"""What keeps the shape of the project: which way imports go, how large a folder is, and who writes."""

import ast
import re
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
# Each may import what stands before it, of the folders and of their wings.
ORDER = ["common", "machines", "vibration", "diagnosis", "himmes"]
WINGS = {
    "common": ["database", "limits", "rest", "admin"],
    "vibration": [
        "numbers",
        "signals",
        "spectra",
        "csv",
        "formats",
        "models",
        "storage",
        "files",
        "windows",
        "trends",
        "captures",
        "api",
        "mqtt",
        "pages",
    ],
    "diagnosis": ["episodes", "models", "notices", "storage", "history", "api", "pages"],
    "himmes": ["operations", "accounts", "audit", "api", "serving"],
}
# Wings that know nothing of each other
APART = [("api", "pages")]
DJANGOS = {"__init__", "admin", "apps", "forms", "middleware", "models", "querysets", "serializers", "settings"}
DJANGOS |= {"urls", "views", "wsgi"}
MOST_MODULES = 14  # of our own naming, in one folder


def production(folder: str) -> list[Path]:
    return [path for path in (ROOT / folder).rglob("*.py") if "tests" not in path.parts]


def imported(path: Path) -> set[str]:
    """The dotted names of the modules that a file imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} imports relatively"
            names.update({node.module} | {f"{node.module}.{alias.name}" for alias in node.names})
    return names


def imported_apps(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imported(path)}


@pytest.mark.parametrize("app", ORDER)
def test_imports_go_one_way(app):
    later = set(ORDER[ORDER.index(app) + 1 :])
    files = production(app)
    assert files
    wrong = {str(path.relative_to(ROOT)): found for path in files if (found := imported_apps(path) & later)}
    assert wrong == {}


@pytest.mark.parametrize(("app", "wing"), [(app, wing) for app, wings in WINGS.items() for wing in wings])
def test_imports_among_the_wings_go_one_way(app, wing):
    wings = WINGS[app]
    apart = {it for pair in APART if wing in pair for it in pair} - {wing}
    refused = apart | set(wings[wings.index(wing) + 1 :])
    for path in production(f"{app}/{wing}"):
        parts = [name.split(".") for name in imported(path) if name.startswith(f"{app}.")]
        assert not {it[1] for it in parts} & refused, path


def test_every_folder_of_an_app_is_a_wing_or_one_of_djangos():
    for app in ORDER:
        folders = {path.parent.relative_to(ROOT / app).parts[:1] for path in production(app)}
        own = {parts[0] for parts in folders if parts} - {"management", "migrations"}
        if app == "himmes":
            own.remove("formats")  # of numbers and dates, as Django names it
        assert own == set(WINGS.get(app, [])), app


def test_no_module_imports_another_in_a_circle():
    modules = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): path for app in ORDER for path in production(app)
    }
    arrows = {name: imported(path) & modules.keys() for name, path in modules.items()}
    while leaves := [name for name, to in arrows.items() if not to & arrows.keys()]:
        for name in leaves:
            del arrows[name]
    assert arrows == {}


def test_no_folder_has_more_modules_than_are_seen_at_a_glance():
    folders = {path.parent for app in ORDER for path in production(app) if "migrations" not in path.parts}
    many = {
        str(folder.relative_to(ROOT)): len(own)
        for folder in folders
        if len(own := {path.stem for path in folder.glob("*.py")} - DJANGOS) > MOST_MODULES
    }
    assert many == {}


PURE = [it for wing in ("numbers", "signals", "spectra", "csv", "formats") for it in production(f"vibration/{wing}")]
PURE += [ROOT / f"vibration/files/{name}.py" for name in ("name_stamps", "name_patterns")]
PURE += production("diagnosis/episodes")
PURE += [ROOT / name for name in ("diagnosis/history/runs.py", "diagnosis/synthetic.py", "common/printable.py")]
PURE += [ROOT / "machines/episode_rules.py", ROOT / "machines/bearings.py"]


@pytest.mark.parametrize("path", PURE, ids=lambda path: str(path.relative_to(ROOT)))
def test_pure_numbers_know_no_django(path):
    """Neither they nor what they import of ours."""
    seen, ahead = set(), [path]
    while ahead:
        path = ahead.pop()
        seen.add(path)
        assert not imported_apps(path) & {"django", "rest_framework"}, path
        modules = {ROOT / f"{name.replace('.', '/')}.py" for name in imported(path)}
        ahead += [module for module in modules - seen if module.is_file()]


ONE_WRITER = {
    "VibrationData": "vibration/storage/writing.py",
    "Capture": "vibration/captures/storing.py",
    "VibrationDiagnosis": "diagnosis/storage/writing.py",
    "Episode": "diagnosis/storage/episodes.py",
    "EpisodeAct": "diagnosis/storage/acts.py",
}


@pytest.mark.parametrize(("model", "module"), ONE_WRITER.items())
def test_only_one_module_writes(model, module):
    """`VibrationData.objects.bulk_create` and its like stand in vibration/storage/writing.py alone."""
    deeds = "bulk_create|bulk_update|create|update|delete"
    writing = re.compile(rf"(?<![.\w])(?<!class ){model}(\.objects\b.*\.({deeds})\(|\()")
    files = [path for app in ORDER for path in production(app) if "migrations" not in path.parts]
    writers = {str(path.relative_to(ROOT)) for path in files if writing.search(path.read_text(encoding="utf-8"))}
    assert writers == {module}


def test_whoever_takes_an_error_of_the_database_takes_those_of_the_driver_too():
    """DATABASE_ERRORS has them all. Integrity errors are always Django's."""
    of_django = {"Error", "DatabaseError", "OperationalError", "InterfaceError", "InternalError", "ProgrammingError"}
    for path in (path for app in ORDER for path in production(app)):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            taken = node.type if isinstance(node, ast.ExceptHandler) else None
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "suppress":
                taken = ast.Tuple(node.args)
            names = {it.id for it in ast.walk(taken) if isinstance(it, ast.Name)} if taken else set()
            assert not names & of_django, f"{path}:{node.lineno}"


def test_the_lock_file_names_no_download_address():
    assert "resolved" not in (ROOT / "package-lock.json").read_text()
