"""What looks at a change before it is merged: the type checker, the hooks of git, and the workflow of a forge."""

import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
WORKFLOW = ROOT / ".github/workflows/ci.yml"
HOOKS = ROOT / ".pre-commit-config.yaml"
MYPY = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mypy"]
FEW_IGNORES = 8


def read(path: Path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


# --- the type checker


def named_modules() -> list[str]:
    names = [it["module"] for it in MYPY["overrides"] if not it.get("ignore_missing_imports")]
    return [name for it in names for name in ([it] if isinstance(it, str) else it)]


@pytest.mark.parametrize("name", named_modules())
def test_every_module_that_has_rules_of_its_own_is_there(name):
    """mypy itself tells of none that it does not meet where a * stands."""
    path = ROOT / name.removesuffix(".*").replace(".", "/")
    assert path.is_dir() if name.endswith(".*") else path.with_suffix(".py").is_file()


def test_what_is_pure_or_ground_has_no_function_without_annotations():
    strict = next(it for it in MYPY["overrides"] if it.get("disallow_untyped_defs"))
    assert {"common.*", "vibration.numbers.*", "vibration.csv.*", "diagnosis.history.*"} <= set(strict["module"])


def test_few_lines_are_kept_from_the_type_checker_and_each_says_why():
    files = [path for folder in MYPY["files"] for path in (ROOT / folder).rglob("*.py") if "tests" not in path.parts]
    lines = [line for path in files for line in path.read_text(encoding="utf-8").splitlines() if "type: ignore" in line]
    assert 0 < len(lines) <= FEW_IGNORES, lines
    for line in lines:
        assert re.search(r"# type: ignore\[[a-z-]+\]  # \w", line), line


# --- the hooks of git


@pytest.fixture
def hooks():
    return [hook for repository in read(HOOKS)["repos"] for hook in repository["hooks"]]


def test_the_hooks_are_ones_that_pre_commit_knows():
    result = subprocess.run(
        [sys.executable, "-m", "pre_commit", "validate-config", HOOKS], capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout


def test_hooks_are_tools_of_this_project(hooks):
    """Nothing is fetched: each runs with the versions that `make test` runs with."""
    assert {it["repo"] for it in read(HOOKS)["repos"]} == {"local"}
    for hook in hooks:
        assert hook["language"] == "system"
        program, *arguments = shlex.split(hook["entry"])
        if program != ".venv/bin/python":
            assert os.access(ROOT / program, os.X_OK), hook
        elif arguments[0] == "-m":
            ended = subprocess.run([sys.executable, "-m", arguments[1], "--version"], capture_output=True)
            assert ended.returncode == 0, hook
        else:
            assert (ROOT / arguments[0]).is_file(), hook


def test_hooks_check_what_make_lint_checks(hooks):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    lint = re.search(r"^lint:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)[1]
    entries = " ".join(hook["entry"] for hook in hooks)
    for tool in ("ruff check", "ruff format --check", "scripts/types.sh"):
        assert tool in lint
        assert tool in entries
        assert tool in (ROOT / "scripts/test.sh").read_text(encoding="utf-8")


# --- the workflow of a forge


@pytest.fixture
def workflow():
    return read(WORKFLOW)


def test_the_workflow_is_one_that_a_forge_reads():
    program = Path(sys.executable).parent / "check-jsonschema"
    check = [program, "--builtin-schema", "vendor.github-workflows", WORKFLOW]
    result = subprocess.run(check, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout


def test_the_workflow_does_what_ci_run_does(workflow):
    [job] = workflow["jobs"].values()
    assert job["steps"][-1]["run"] == ".ci/run"
    assert os.access(ROOT / ".ci/run", os.X_OK)


def test_the_workflow_may_read_and_nothing_else(workflow):
    assert workflow["permissions"] == {"contents": "read"}
    assert all("permissions" not in job for job in workflow["jobs"].values())
    assert "secrets." not in WORKFLOW.read_text(encoding="utf-8")


def test_the_workflow_ends_in_time(workflow):
    assert all(job["timeout-minutes"] == 40 for job in workflow["jobs"].values())


def test_every_action_has_a_version(workflow):
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    actions = [step["uses"] for step in steps if "uses" in step]
    assert {action.partition("@")[0] for action in actions} == {"actions/checkout", "actions/cache"}
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@(v\d+(\.\d+)*|[0-9a-f]{40})", action) for action in actions)


@pytest.mark.parametrize("path", [WORKFLOW, HOOKS, ROOT / ".ci/run"], ids=lambda path: path.name)
def test_every_make_target_that_is_called_exists(path):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    code = re.sub(r"(?m)^\s*#.*$", "", path.read_text(encoding="utf-8"))
    called = set(re.findall(r"(?m)(?:^|exec |run: )\s*make ([a-z-]+)", code))
    assert called <= targets
    assert called or path.name != "run"
