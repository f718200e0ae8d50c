"""What keeps the shape of the project: which way imports go, and that the README speaks of what exists."""

import ast
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands
from django.urls import Resolver404, resolve

ROOT = Path(settings.BASE_DIR)
# An app may import what stands before it.
ORDER = ["machines", "vibration", "diagnosis", "himmes"]
READMES = ["README.md", "README.ko.md"]


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


@pytest.mark.parametrize("readme", READMES)
def test_every_command_that_the_readme_names_exists(readme):
    text = (ROOT / readme).read_text(encoding="utf-8")
    targets = set(re.findall(r"\bmake ([a-z][a-z-]+)", text))
    assert {"run", "test"} <= targets
    assert targets <= set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    commands = set(re.findall(r"manage\.py ([a-z_]+)", text)) | set(re.findall(r"^\| `([a-z]+_[a-z_]+)\b", text, re.M))
    assert {"import_vibration", "make_sample_csv", "delete_recording"} <= commands
    assert commands <= set(get_commands())
    for option in set(re.findall(r"`(--[a-z-]+)", text)) - {"--help"}:
        sources = [path.read_text(encoding="utf-8") for path in ROOT.glob("*/management/commands/*.py")]
        assert any(f'"{option}"' in source for source in sources), option


@pytest.mark.parametrize("readme", READMES)
def test_every_setting_that_the_readme_names_is_read_and_none_is_left_out(readme):
    text = (ROOT / readme).read_text(encoding="utf-8")
    read = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', (ROOT / "himmes" / "settings.py").read_text()))
    named = set(re.findall(r"\b(DJANGO_[A-Z_]+|DATABASE_URL)\b", text))
    assert {name.removesuffix("_FILE") for name in named} - {"DJANGO_SETTINGS_MODULE"} == read
    example = (ROOT / ".env.example").read_text()
    assert {name for name in read if name in example} == read


@pytest.mark.parametrize("readme", READMES)
def test_every_page_file_and_folder_that_the_readme_names_exists(readme):
    text = (ROOT / readme).read_text(encoding="utf-8")
    for page in set(re.findall(r"`(/[a-z/-]*)`", text)) - {"/static/"}:  # not a page, and served by others
        try:
            resolve(page)
        except Resolver404:
            pytest.fail(f"{readme} names the page {page}, which does not exist")
    for link in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / link).exists(), link
    for folder in re.findall(r"^\| `([a-z.][a-z./]*/)`", text, re.MULTILINE):
        assert (ROOT / folder).is_dir() or folder in ("var/", "node_modules/", ".venv/"), folder


def test_the_lock_file_names_no_download_address():
    assert "resolved" not in (ROOT / "package-lock.json").read_text()
