"""Known holes of packages stop the tests; a service that does not answer is told from one that finds nothing."""

import json
import sys

import pytest

from scripts.audit_packages import Auditor, main, of_npm, of_pip

HOLE = {"id": "PYSEC-2099-1", "fix_versions": ["5.2.99"], "aliases": ["CVE-2099-1"], "description": "x"}
# Reports as pip-audit 2.10 and npm 10 write them
PIP_CLEAN = {"dependencies": [{"name": "django", "version": "5.2.19", "vulns": []}], "fixes": []}
PIP_HOLE = {"dependencies": [{"name": "django", "version": "5.2.19", "vulns": [HOLE]}], "fixes": []}
PIP_SKIPPED = {"dependencies": [{"name": "django", "skip_reason": "not found on PyPI"}], "fixes": []}
PIP_PARTLY = {"dependencies": PIP_SKIPPED["dependencies"] + PIP_HOLE["dependencies"], "fixes": []}
NPM_CLEAN = {"auditReportVersion": 2, "vulnerabilities": {}, "metadata": {"vulnerabilities": {"total": 0}}}
NPM_VIA = {"url": "https://github.com/advisories/GHSA-1", "severity": "high", "title": "bad", "range": "<9"}
NPM_HOLE = NPM_CLEAN | {
    "vulnerabilities": {"luxon": {"via": [NPM_VIA]}, "chartjs-adapter-luxon": {"via": ["luxon"]}},
}
NPM_DOWN = {"message": "request to https://registry failed", "error": {"summary": "", "detail": ""}}


def speaking(findings, report, status: int, *, to_file: bool = False, seconds: int = 0) -> Auditor:
    """An auditor that ends with this status and says this."""
    text = report if isinstance(report, str) else json.dumps(report)
    place = "open(sys.argv[1], 'w')" if to_file else "sys.stdout"
    program = f"import sys, time; time.sleep({seconds}); print({text!r}, file={place}); sys.exit({status})"
    return Auditor("the audit", [sys.executable, "-c", program, "REPORT"], findings)


@pytest.mark.parametrize(
    ("findings", "report", "status", "fails", "said"),
    [
        (of_pip, PIP_CLEAN, 0, False, "no known holes"),
        (of_pip, PIP_HOLE, 1, True, "django 5.2.19: PYSEC-2099-1, mended in 5.2.99"),
        (of_pip, PIP_HOLE, 0, True, "PYSEC-2099-1"),  # whatever the status says
        (of_pip, PIP_SKIPPED, 0, False, "NO ANSWER, nothing is known about holes: not one of 1 packages"),
        (of_pip, PIP_PARTLY, 1, True, "NOT LOOKED AT: django"),
        (of_pip, "", 1, False, "NO ANSWER"),
        (of_pip, PIP_CLEAN, 1, False, "NO ANSWER"),
        (of_npm, NPM_CLEAN, 0, False, "no known holes"),
        (of_npm, NPM_HOLE, 1, True, "luxon <9: https://github.com/advisories/GHSA-1, high: bad"),
        (of_npm, NPM_DOWN, 1, False, "NO ANSWER, nothing is known about holes: request to https://registry failed"),
        (of_npm, "<html>", 1, False, "NO ANSWER"),
    ],
)
@pytest.mark.parametrize("to_file", [True, False], ids=["file", "output"])
def test_what_it_makes_of_a_report(findings, report, status, fails, said, to_file, capsys):
    assert main([speaking(findings, report, status, to_file=to_file)]) == (1 if fails else 0)
    out = capsys.readouterr().out
    assert said in out
    assert ("no known holes" in out) == (said == "no known holes")


def test_one_that_does_not_answer_hides_no_finding_of_the_other(capsys):
    assert main([speaking(of_pip, "", 1), speaking(of_npm, NPM_HOLE, 1)]) == 1
    assert "NO ANSWER" in capsys.readouterr().out


def test_it_waits_no_longer_than_it_says(monkeypatch, capsys):
    monkeypatch.setattr("scripts.audit_packages.ask.__defaults__", (0.5,))
    assert main([speaking(of_pip, PIP_HOLE, 1, seconds=30)]) == 0
    assert "NO ANSWER" in capsys.readouterr().out
    assert main([Auditor("the audit", ["/no/such/program"], of_pip)]) == 0


def test_an_accepted_finding_is_named_with_its_reason(monkeypatch, capsys):
    monkeypatch.setattr("scripts.audit_packages.ACCEPTED", {"PYSEC-2099-1": "only on Windows"})
    assert main([speaking(of_pip, PIP_HOLE, 1)]) == 0
    assert "PYSEC-2099-1 is accepted: only on Windows" in capsys.readouterr().out
