"""Runs a scanner (wapiti) over the site as production serves it, and prints what it finds. `make scan` calls it.

On a throw-away SQLite database with synthetic data, by gunicorn with TLS on a loopback port; first as a stranger, then
logged in as a superuser. Fails on a finding that is not explained in EXPLAINED (and in docs/security.md).
"""

import json
import os
import re
import secrets
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from bench.serving import free_port

PROJECT = Path(__file__).resolve().parent.parent
SCANNER = PROJECT / "var" / "scanner"  # an environment of its own: its packages contradict ours
SECONDS = {"stranger": 45, "superuser": 75}  # to find pages and forms
MODULE_SECONDS = 25  # of each kind of attack
# Left out: what asks servers on the internet (ssrf, xxe, log4shell, wapp, nikto, takeover), what looks for other
# systems (wp_enum, cms, ...), and ssl, as the certificate is made here.
MODULES = [
    *("backup", "cookieflags", "crlf", "csp", "csrf", "exec", "file", "htaccess", "http_headers"),
    *("methods", "permanentxss", "redirect", "shellshock", "sql", "upload", "xss"),
]
# (kind, what is found: a regular expression) and why it does no harm
EXPLAINED: list[tuple[str, str, str]] = []
FILL = """
import sys, django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
call_command("make_sample_csv", sys.argv[1], seconds=2.0)
call_command("import_vibration", sys.argv[1])
call_command("make_sample_diagnoses", days=2)
from django.conf import settings
from django.contrib.auth import get_user_model
from django.middleware.csrf import _get_new_csrf_string
from django.test import Client
client = Client()
client.force_login(get_user_model().objects.create_superuser("scanner"))
session = client.cookies[settings.SESSION_COOKIE_NAME].value
print(f"{settings.SESSION_COOKIE_NAME}={session}; {settings.CSRF_COOKIE_NAME}={_get_new_csrf_string()}")
"""


def install_scanner() -> Path:
    """The scanner's program, in an environment of its own that is made when it is not there."""
    program, stamp = SCANNER / "bin" / "wapiti", SCANNER / "requirements"
    wanted = (PROJECT / "requirements-scan.txt").read_text()
    if not (stamp.is_file() and stamp.read_text() == wanted):
        print("Installing the scanner into var/scanner")
        subprocess.run([sys.executable, "-m", "venv", "--clear", SCANNER], check=True)
        pip: list[str | Path] = [
            SCANNER / "bin" / "python",
            "-m",
            "pip",
            "install",
            "-qq",
            "--disable-pip-version-check",
            "--no-input",
        ]
        subprocess.run([*pip, "-r", "requirements-scan.txt"], cwd=PROJECT, check=True)
        stamp.write_text(wanted)
    return program


def make_certificate(folder: Path) -> list[str]:
    """gunicorn's options for TLS; without it a browser, and the scanner, would send no cookie of ours."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1"]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return [f"--keyfile={key}", f"--certfile={certificate}"]


def scan(program: Path, folder: Path, address: str, who: str, cookies: str = "") -> list[tuple[str, dict]]:
    """Findings with their kinds; raises SystemExit when the scanner fails."""
    report = folder / f"{who}.json"
    command: list[str | Path] = [program, "--url", f"{address}/", "--scope", "domain", "--module", ",".join(MODULES)]
    command += ["--max-scan-time", str(SECONDS[who]), "--max-attack-time", str(MODULE_SECONDS), "--tasks", "4"]
    # Lists link to each other with every filter: a few of each kind say as much as all of them.
    command += ["--scan-force", "aggressive", "--depth", "3", "--max-links-per-page", "30", "--max-files-per-dir", "20"]
    command += ["--format", "json", "--output", report, "--store-session", folder / who, "--no-bugreport"]
    command += ["--store-config", folder / "config", "--verbose", "1", "--verify-ssl", "0", "--detailed-report", "1"]
    if cookies:
        command += ["--cookie-value", cookies]
        # Its own login and user; and the filters of Django's lists, of which there would be thousands.
        for path in ("logout/", "admin/logout/", "admin/auth/user/1/*", "admin/*?*"):
            command += ["--exclude", f"{address}/{path}"]
        command += [part for path in ("admin/", "api/docs", "vibration/") for part in ("--start", f"{address}/{path}")]
    log = folder / f"{who}.log"
    with log.open("wb") as out:
        ended = subprocess.run(command, stdout=out, stderr=out, timeout=SECONDS[who] + 15 * 60, check=False)
    if not report.is_file():
        sys.exit(f"wapiti ended with {ended.returncode}:\n{log.read_text(errors='replace')[-3000:]}")
    said = json.loads(report.read_text())
    print(f"As {who}: {said['infos']['crawled_pages_nbr']} pages.")
    kinds = said["vulnerabilities"] | said["anomalies"]
    return [(kind, finding) for kind, findings in kinds.items() for finding in findings]


def tell(who: str, found: list[tuple[str, dict]]) -> int:
    """How many are not explained."""
    unexplained = 0
    for kind, finding in found:
        what = f"{finding['method']} {finding['path']}: {finding['info']}"
        why = next((why for known, text, why in EXPLAINED if known == kind and re.search(text, what)), None)
        unexplained += why is None
        print(f"  {who}: {kind}: {what}" + (f"\n    explained: {why}" if why else ""))
    return unexplained


def errors_in(log: str) -> Iterator[str]:
    """What the server, which logs one JSON object a line, says of its own faults."""
    for line in log.splitlines():
        said = json.loads(line) if line.startswith("{") else {}
        if said.get("level") in ("ERROR", "CRITICAL"):
            yield f"  error: {said['message']}: {(said.get('traceback') or '').strip().splitlines()[-1:]}"


def changes_of_scanner(database: Path) -> int:
    with closing(sqlite3.connect(database)) as connection:
        posted = """json_extract(additional_data, '$.request') LIKE 'POST%' AND actor_id IS NOT NULL AND action < 3"""
        return connection.execute(f"SELECT COUNT(*) FROM auditlog_logentry WHERE {posted}").fetchone()[0]  # noqa: S608


def main() -> int:
    program = install_scanner()
    with tempfile.TemporaryDirectory(prefix="himmes-scan-") as name:
        folder, port = Path(name), free_port()
        environment = os.environ | {
            "DATABASE_URL": f"sqlite:///{folder / 'scan.sqlite3'}",
            "DJANGO_SETTINGS_MODULE": "himmes.settings",
            "DJANGO_DEBUG": "False",
            "DJANGO_SECRET_KEY": secrets.token_urlsafe(50),
            "DJANGO_ALLOWED_HOSTS": "127.0.0.1",
        }
        collect = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity=0"]
        subprocess.run(collect, cwd=PROJECT, env=environment, check=True)
        filling: list[str | Path] = [sys.executable, "-c", FILL, folder / "csv"]
        filled = subprocess.run(filling, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
        serve = [
            sys.executable,
            "-m",
            "gunicorn",
            f"--bind=127.0.0.1:{port}",
            "--worker-class=gthread",
            *make_certificate(folder),
        ]
        with (folder / "served.log").open("wb") as out:
            server = subprocess.Popen(serve, cwd=PROJECT, env=environment, stdout=out, stderr=out)
        try:
            address = f"https://127.0.0.1:{port}"
            unexplained = tell("stranger", scan(program, folder, address, "stranger"))
            cookies = filled.stdout.splitlines()[-1]
            unexplained += tell("superuser", scan(program, folder, address, "superuser", cookies))
        finally:
            server.terminate()
            server.wait()
        changed = changes_of_scanner(folder / "scan.sqlite3")
        print(f"Logged in it made {changed} changes.")
        if not changed:
            sys.exit("So it was not logged in, or its forms were refused: nothing is known about them.")
        errors = list(errors_in((folder / "served.log").read_text(errors="replace")))
        print(*errors[:20], sep="\n")
    print(f"{unexplained} findings without an explanation, {len(errors)} errors in the server's log.")
    return 1 if unexplained or errors else 0


if __name__ == "__main__":
    sys.exit(main())
