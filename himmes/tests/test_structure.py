"""What keeps the shape of the project: which way imports go, and who writes."""

import ast
import re
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
# An app may import what stands before it.
ORDER = ["machines", "vibration", "diagnosis", "himmes"]


def imported_apps(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return {name.split(".")[0] for name in names}


@pytest.mark.parametrize("app", [app for app in ORDER if (ROOT / app).is_dir()])
def test_imports_go_one_way(app):
    later = set(ORDER[ORDER.index(app) + 1 :])
    files = [path for path in (ROOT / app).rglob("*.py") if "tests" not in path.parts]
    assert files
    wrong = {str(path.relative_to(ROOT)): found for path in files if (found := imported_apps(path) & later)}
    assert wrong == {}


PURE = ["states", "buckets", "classifying", "sample_csv", "prefetching", "features", "evenness", "spectrum"]
PURE += ["reading", "csv_lines", "csv_heads", "head_lines", "header_names", "foreign_files"]
PURE += ["row_numbers", "time_stamps", "restarts", "name_stamps", "name_patterns"]


@pytest.mark.parametrize(
    "module",
    [*(f"vibration/{name}" for name in PURE), "diagnosis/runs", "diagnosis/sample_diagnoses", "machines/printable"],
)
def test_pure_numbers_know_no_django(module):
    assert "django" not in imported_apps(ROOT / f"{module}.py")


def test_only_one_module_writes_samples():
    """`VibrationData.objects.bulk_create` and its like stand in importing.py alone."""
    writing = re.compile(r"VibrationData(\.objects\b.*\.(bulk_create|create|update|delete)\(|\()")
    files = [path for app in ORDER for path in (ROOT / app).rglob("*.py") if "tests" not in path.parts]
    writers = {path.name for path in files if writing.search(path.read_text(encoding="utf-8"))}
    assert writers - {"models.py"} == {"importing.py"}


def test_whoever_takes_an_error_of_the_database_takes_those_of_the_driver_too():
    """DATABASE_ERRORS has them all. Integrity errors are always Django's."""
    of_django = {"Error", "DatabaseError", "OperationalError", "InterfaceError", "InternalError", "ProgrammingError"}
    files = [path for app in ORDER for path in (ROOT / app).rglob("*.py") if "tests" not in path.parts]
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            taken = node.type if isinstance(node, ast.ExceptHandler) else None
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "suppress":
                taken = ast.Tuple(node.args)
            names = {it.id for it in ast.walk(taken) if isinstance(it, ast.Name)} if taken else set()
            assert not names & of_django, f"{path}:{node.lineno}"


def test_the_lock_file_names_no_download_address():
    assert "resolved" not in (ROOT / "package-lock.json").read_text()
