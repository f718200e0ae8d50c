"""What strangers and programs with a token can do to the site, all on this machine: `make attack`.

The site is served as in production (gunicorn, two processes, the cache in the database) on the database of
DATABASE_URL, with a collector that posts four times a second and a client that asks /healthz as often, each time on a
new connection. Meanwhile come, one kind after the other, directly and through the proxy of docs/deploy-aws.md: clients
that send nothing, half a head, half a body or half an upload, or read nothing; headers and parameters made to cost
much; endless posts of strangers; files that are far larger than they look; many guesses of passwords and tokens at one
time. And `import_vibration` gets a folder with links that lead out of it, and with names and lines that would write to
a terminal.

It is in order when /healthz answered within 1 s and the posts within 2 s, no answer was a 5xx but for an announced
503, no guess beyond the limits was looked at, and nothing outside the folder was read. The last line is JSON; the exit
status is 1 if anything is off.
"""

import argparse
import gzip
import io
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from http.client import HTTPException
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "himmes.settings")
os.environ.setdefault("DJANGO_SECRET_KEY", "benchmark-" * 6)
os.environ["DJANGO_CACHE_URL"] = "dbcache://himmes_cache"
django.setup()

from django.conf import settings  # noqa: E402  Django first
from django.contrib.auth import get_user_model  # noqa: E402
from django.core.management import call_command  # noqa: E402

from bench.attackers import (  # noqa: E402
    Target,
    at_work,
    ended,
    post_endlessly,
    slow_kinds,
    slow_readers,
    slow_senders,
)
from bench.serving import in_production  # noqa: E402
from scripts.behind_caddy import behind_caddy  # noqa: E402

HEALTH_S, POST_S = 1.0, 2.0
ENDLESS_BYTES = 300 * 2**20
PASSWORDS, TOKENS = 60, 100  # guesses at one time
EVALUATED_PASSWORDS, EVALUATED_TOKENS = 5, 30  # the limits
SECRET = "only-for-the-server-0123456789"  # noqa: S105  what a link names


class Attack:
    """Carries out one kind after the other, and keeps what became of each."""

    def __init__(self, targets: list[Target], tokens: dict[str, str], given: argparse.Namespace, folder: Path):
        self.targets, self.tokens, self.given, self.folder = targets, tokens, given, folder
        self.told: dict[str, dict] = {}
        self.wrong: list[str] = []

    def all(self) -> None:
        for target in self.targets:
            for kind, sent in slow_kinds(self.tokens["collector"]).items():
                self.slow(target, kind, slow_senders(target, sent, self.given.clients))
            self.slow(target, "reads nothing", slow_readers(target, self.large_file(), self.given.clients))
        direct = self.targets[0]
        for kind in (
            self.costly_headers,
            self.costly_parameters,
            self.endless_posts,
            self.bombs,
            self.password_guesses,
            self.token_guesses,
        ):
            self.during(direct, kind.__name__, lambda kind=kind: kind(direct))
        self.foreign_files()

    def slow(self, target: Target, kind: str, clients) -> None:
        def hold() -> dict:
            with clients as callers:
                time.sleep(self.given.seconds)
                return {"clients": len(callers), "ended": ended(callers)}

        self.during(target, kind, hold)

    def during(self, target: Target, kind: str, act: Callable[[], dict]) -> None:
        name = f"{kind}, {target.name}"
        with at_work(target, self.tokens["collector"], name[:50]) as (health, collector):
            told = act()
            time.sleep(1)
        told |= {
            "healthz": len(health.seconds),
            "healthz_max_s": round(max(health.seconds), 2),
            "posts": len(collector.seconds),
            "post_max_s": round(max(collector.seconds), 2),
        }
        self.told[name] = told
        print(f"{name}: {json.dumps(told)}", flush=True)
        for worker, limit in ((health, self.given.health_seconds), (collector, self.given.post_seconds)):
            who = type(worker).__name__
            self.wrong += [f"{name}: {who} got {fault}" for fault in worker.faults[:5]]
            if max(worker.seconds) > limit:
                self.wrong.append(f"{name}: {who} waited for {max(worker.seconds):.1f} s")

    def calls(self, target: Target, calls: list[tuple], at_once: int) -> Counter:
        """The statuses of many calls, so many at one time; 0 where no answer came."""

        def call(arguments) -> int:
            try:
                return target.call(*arguments)[0]
            except (OSError, HTTPException):
                return 0

        with ThreadPoolExecutor(at_once) as pool:
            statuses = Counter(pool.map(call, calls))
        bad = {status: count for status, count in statuses.items() if status == 0 or status >= 500}
        if set(bad) - {503}:
            self.wrong.append(f"{calls[0][1][:60]}: answers {bad}")
        return statuses

    def costly_headers(self, target: Target) -> dict:
        lines = [("(" * 65_000), ("[" * 65_000), ("(" * 32_000 + "[" * 32_000)]
        calls = [self.upload(f"g{n}_s9.csv", "\n".join([*lines, "1,2,3,4,5"]).encode()) for n in range(4)]
        return {"statuses": self.calls(target, calls, at_once=4)}

    def costly_parameters(self, target: Target) -> dict:
        bearer = {"Authorization": f"Bearer {self.tokens['viewer']}"}
        values = ["00:00" * 800, "00:00%20" * 500, "1" * 4_000, "0." * 2_000]
        paths = ["/api/vibration-diagnosis?after=", "/api/vibration-data?measured_time_from=", "/api/machines?name="]
        many = "/api/machines?" + "&".join(f"a{n}=" for n in range(500))
        calls = [("GET", f"{path}{value}", None, bearer) for path in paths for value in values]
        return {"statuses": self.calls(target, [*calls * 5, *[("GET", many, None, bearer)] * 5], at_once=8)}

    def endless_posts(self, target: Target) -> dict:
        paths = ["/login/", "/i18n/setlang/", "/api/vibration-data/csv", "/admin/login/"]
        with ThreadPoolExecutor(len(paths)) as pool:
            answers = list(pool.map(lambda path: post_endlessly(target, path, self.given.endless_bytes), paths))
        statuses = Counter(status for status, _sent in answers)
        if set(statuses) != {413}:
            self.wrong.append(f"endless posts: answers {dict(statuses)}")
        return {"statuses": statuses, "megabytes_of_one": max(sent for _status, sent in answers) // 10**6}

    def bombs(self, target: Target) -> dict:
        rows = packed(b"0,1,2,3,4\n" * 100_000, self.given.bomb_times)
        blank = packed(b"1,2,3,4,5\n2,2,3,4,5\n", 1) + packed(b"\n" * 1_000_000, self.given.bomb_times * 2)
        bearer = {"Authorization": f"Bearer {self.tokens['collector']}", "Content-Type": "application/json"}
        json_bomb = packed(b" " * 1_000_000, 100)
        calls = [self.upload("g1_bomb.csv.gz", rows), self.upload("g1_blank.csv.gz", blank)] * 4
        calls += [("POST", "/api/vibration-data/bulk", json_bomb, bearer | {"Content-Encoding": "gzip"})] * 4
        began = time.monotonic()
        statuses = self.calls(target, calls, at_once=len(calls))
        return {"statuses": statuses, "seconds": round(time.monotonic() - began, 1)}

    def password_guesses(self, target: Target) -> dict:
        """One after the other would be refused anyway; these come at one time."""
        _status, headers, page = target.call("GET", "/login/")
        form_token = re.search(rb'name="csrfmiddlewaretoken" value="([^"]+)"', page)[1].decode()
        cookie = headers["Set-Cookie"].partition(";")[0]
        given = {"Cookie": cookie, "Referer": f"https://127.0.0.1:{target.port}/login/"}
        given["Content-Type"] = "application/x-www-form-urlencoded"
        calls = [
            ("POST", "/login/", f"csrfmiddlewaretoken={form_token}&username=attacked&password=guess{n}", given)
            for n in range(PASSWORDS)
        ]
        statuses = self.calls(target, calls, at_once=PASSWORDS)
        if statuses[200] > EVALUATED_PASSWORDS or statuses[200] + statuses[429] != PASSWORDS:
            self.wrong.append(f"{PASSWORDS} guesses of a password: answers {dict(statuses)}")
        return {"statuses": statuses}

    def token_guesses(self, target: Target) -> dict:
        calls = [("GET", "/api/machines", None, {"Authorization": f"Bearer {n:064x}"}) for n in range(TOKENS)]
        began = time.monotonic()
        statuses = self.calls(target, calls, at_once=20)
        minutes = 1 + int((time.monotonic() - began) / 60)
        if statuses[401] > EVALUATED_TOKENS * minutes or statuses[401] + statuses[429] != TOKENS:
            self.wrong.append(f"{TOKENS} guesses of a token: answers {dict(statuses)}")
        return {"statuses": statuses}

    def foreign_files(self) -> None:
        """A folder that others may write to is imported by the command."""
        folder, outside = self.folder / "watched", self.folder / "outside"
        folder.mkdir()
        outside.mkdir()
        (outside / "key").write_text(SECRET)
        (outside / "g8_s8.csv").write_text("0,1,2,3,4\n")
        (folder / "g1_link.csv").symlink_to(outside / "key")
        (folder / "linked").symlink_to(outside)
        escape = "\x1b]0;owned\x07\x1b[2J"
        (outside / f"g1{escape}_s1.csv").write_text("0,1,2,3,4\n")
        (folder / "g1_escape.csv").write_text(f"{escape},x\n")
        (folder / "g1_good.csv").write_text("0,1,2,3,4\n")
        command = [sys.executable, "manage.py", "import_vibration", "--on-error=skip"]
        said = ""
        for path in (folder, outside):  # the latter is refused for a name in it
            done = subprocess.run([*command, path], cwd=settings.BASE_DIR, capture_output=True, text=True, check=False)
            said += done.stdout + done.stderr

        from vibration.models import ImportRun, Recording

        kept = " ".join(f"{run.file_name} {run.message}" for run in ImportRun.objects.all())
        found = {
            "secrets_told": said.count(SECRET[:12]) + kept.count(SECRET[:12]),
            "escapes_told": said.count("\x1b") + said.count("\x07"),
            "rows_of_links": Recording.objects.filter(sensor__machine__name="g8").count(),
            "good_files_imported": Recording.objects.filter(sensor__sensor_no="good", sample_count=1).count(),
        }
        self.told["foreign files"] = found
        print(f"foreign files: {json.dumps(found)}", flush=True)
        if list(found.values()) != [0, 0, 0, 1]:
            self.wrong.append(f"foreign files: {found}; {said[-2_000:]!r}")

    def upload(self, name: str, content: bytes) -> tuple:
        start = f'--x\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
        bearer = {"Authorization": f"Bearer {self.tokens['collector']}"}
        body = start + content + b"\r\n--x--\r\n"
        return "POST", "/api/vibration-data/csv", body, bearer | {"Content-Type": "multipart/form-data; boundary=x"}

    def large_file(self) -> str:
        """The address of the largest file that anybody may read."""
        if self.given.api_only:
            return "/static/packages/chart.js/chart.umd.js"
        names = json.loads((settings.STATIC_ROOT / "staticfiles.json").read_text())["paths"].values()
        return f"/static/{max(names, key=lambda name: (settings.STATIC_ROOT / name).stat().st_size)}"


def packed(part: bytes, times: int) -> bytes:
    """gzip data of a part that is repeated."""
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=9) as file:
        for _ in range(times):
            file.write(part)
    return out.getvalue()


def make_token(role: str) -> str:
    text = io.StringIO()
    call_command("create_api_token", f"attack-{role}", role=role, stdout=text, stderr=io.StringIO())
    return text.getvalue().strip()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=30, help="that slow clients hold on; %(default)s")
    parser.add_argument("--clients", type=int, default=50, help="of each slow kind; %(default)s")
    parser.add_argument("--endless-bytes", type=int, default=ENDLESS_BYTES, help="%(default)s")
    parser.add_argument("--bomb-times", type=int, default=200, help="millions of bytes of a bomb; %(default)s")
    parser.add_argument("--health-seconds", type=float, default=HEALTH_S, help="%(default)s")
    parser.add_argument("--post-seconds", type=float, default=POST_S, help="%(default)s")
    parser.add_argument("--no-proxy", action="store_true")
    parser.add_argument("--api-only", action="store_true", help="without collecting static files, which takes time")
    given = parser.parse_args()
    # Else SIGTERM would end this program alone, and leave its servers running.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    get_user_model().objects.create_user("attacked", password="never guessed by these")  # noqa: S106
    tokens = {role: make_token(role) for role in ("collector", "viewer")}
    with tempfile.TemporaryDirectory(prefix="himmes-attack-") as name:
        folder = Path(name)
        with in_production(folder, workers=2, pages=not given.api_only) as server:
            direct = Target("directly", server.address)
            with nullcontext() if given.no_proxy else behind_caddy(folder, direct.port) as address:
                proxies = [Target("through the proxy", address)] if address else []
                attack = Attack([direct, *proxies], tokens, given, folder)
                attack.all()
        said = "\n".join(log.read_text(errors="replace") for log in folder.glob("*.log"))
    if "Traceback" in said:
        attack.wrong.append(f"the application wrote a traceback: {said[said.index('Traceback') :][:3_000]}")
    for text in attack.wrong:
        print(text, file=sys.stderr)
    print(json.dumps({"kinds": attack.told, "wrong": len(attack.wrong), "ok": not attack.wrong}))
    sys.exit(bool(attack.wrong))


if __name__ == "__main__":
    main()
