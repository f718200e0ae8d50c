"""Build the container image and run it as compose.yaml says, on a machine without a container engine's service.

    python -m scripts.image_check

Debian's own packages make the base image, so only package registries are asked, no registry of images. MariaDB stands
for the database. Needs root, for file systems inside a folder of its own; leaves nothing but var/image-check.png.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts import compose_services
from scripts.image_base import client_mounts, debootstrap
from scripts.image_engine import RUN_OPTIONS, Engine, leave_network
from scripts.image_page import open_pages, tls_proxy
from scripts.throwaway_mariadb import running_server

PROJECT = Path(__file__).resolve().parent.parent
PICTURE = PROJECT / "var" / "image-check.png"
BASE, IMAGE = "docker.io/library/debian:bookworm-slim", "himmes"
START_SECONDS = 60
# What builds must not leave in the image: how this machine reaches its registries.
OF_THIS_MACHINE = ("etc/pip.conf", "root/.npmrc", "etc/apt/apt.conf.d/99build-machine", "run/build-machine")
# Some minutes of synthetic data, so that pages have something to draw
FILLING = """python manage.py make_sample_csv /tmp/csv --seconds 2
python manage.py import_vibration /tmp/csv --recording synthetic
python manage.py make_sample_diagnoses --days 1"""


@contextmanager
def step(name: str) -> Iterator[None]:
    print(f"{name} ...", flush=True)
    start = time.monotonic()
    yield
    print(f"{name}: {time.monotonic() - start:.1f} s", flush=True)


def check(folder: Path) -> dict:
    """All steps, in an empty folder; what was measured. Raises AssertionError or CalledProcessError where one fails."""
    with step("compose.yaml against its schema"):
        schema = ["check-jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yaml"]
        subprocess.run([Path(sys.executable).parent / schema[0], *schema[1:]], check=True)
        compose = compose_services.load(PROJECT / "compose.yaml", {"DJANGO_ALLOWED_HOSTS": "127.0.0.1"})

    engine = Engine(folder / "engine")
    build(engine, folder)
    # Nothing may be fetched that is not in the image; and nobody else gets to the server.
    leave_network()
    measured = look_at(engine)
    secrets = folder / "secrets"
    subprocess.run(["scripts/compose_secrets.sh", secrets], check=True, stdout=subprocess.DEVNULL)
    options = [option.replace("/run/secrets", str(secrets)) for option in compose["services"]["database"]["command"]]
    (folder / "mariadb").mkdir()
    with running_server(folder / "mariadb", *options) as server:
        with step("Accounts of the database"):
            make_accounts(folder, secrets, server.port)
        with step("The step migrate"):
            run(engine, compose, "migrate", folder)
        with step("First administrator, and something to show"):
            made = run(engine, compose, "app", folder, "python", "manage.py", "create_first_admin")
            password = made.split("password:")[1].split()[0]
            run(engine, compose, "app", folder, "sh", "-ec", FILLING)
        measured |= serve(engine, compose, folder, password)
    return measured


def build(engine: Engine, folder: Path) -> None:
    with step("Debian by debootstrap"):
        debootstrap(folder / "debian")
        engine.bring_in(folder / "debian", BASE)
    with step("Dockerfile"):
        engine.build(PROJECT, IMAGE, client_mounts(folder / "clients"), folder / "build.log")


def look_at(engine: Engine) -> dict:
    """What the image is, before it is run."""
    about = engine.about(IMAGE)
    user = about["Config"]["User"].split(":")[0]
    assert user.isdigit() and int(user) > 0, f"USER {about['Config']['User']}"
    root = Path(engine.read("image", "mount", IMAGE))
    left = [name for name in OF_THIS_MACHINE for path in [root / name, *(root / name).glob("*")] if content(path)]
    assert not left, f"left in the image: {', '.join(left)}"
    writable = engine.read("run", "--rm", *RUN_OPTIONS, IMAGE, *find("/opt /srv /usr /etc /var -type f -writable"))
    assert not writable, f"the image's user may write to {writable}"
    sizes = {"image_bytes": about["Size"], "base_bytes": engine.about(BASE)["Size"]}
    print("{image_bytes:,} bytes, of which Debian has {base_bytes:,}".format(**sizes), flush=True)
    return {**sizes, "user": int(user)}


def find(what: str) -> list[str]:
    """The command, which would fail for each folder that may not be looked into."""
    return ["sh", "-c", f"find {what} 2>/dev/null || true"]


def content(path: Path) -> bool:
    """Whether there is a file with something in it; a place for a mount is empty."""
    return path.is_file() and path.stat().st_size > 0


def make_accounts(folder: Path, secrets: Path, port: int) -> None:
    """The accounts as the database's image makes them: the owner by variables, the server's by our script."""
    for file in secrets.glob("*_url"):
        text = file.read_text()
        assert "@database:3306/" in text, file.name
        file.chmod(0o644)
        file.write_text(text.replace("@database:3306/", f"@database:{port}/"))
    owner = (secrets / "database_owner_password").read_text().strip()
    script = (PROJECT / "scripts" / "compose_database.sh").read_text()
    client = f"mariadb --no-defaults --user=root --socket={folder}/mariadb/data/socket"
    commands = f"""set -eo pipefail
docker_process_sql() {{ {client} "$@"; }}
docker_process_sql <<SQL
CREATE USER himmes_owner@'%' IDENTIFIED BY '{owner}';
GRANT ALL ON himmes.* TO himmes_owner@'%';
SQL
{script.replace("/run/secrets", str(secrets))}"""
    subprocess.run(["bash", "-c", commands], check=True)


def run(engine: Engine, compose: dict, service: str, folder: Path, *command: str) -> str:
    """What a service prints, or a command in its place."""
    options = compose_services.run_options(compose, service, folder / "secrets")
    if command:
        options = [*options[: options.index(IMAGE) + 1], *command]
    return engine.read("run", "--rm", *RUN_OPTIONS, *options)


def serve(engine: Engine, compose: dict, folder: Path, password: str) -> dict:
    """Start the server, open its pages, stop it."""
    options = compose_services.run_options(compose, "app", folder / "secrets")
    about = engine.about(IMAGE)
    # The port that compose.yaml publishes has to be the one that is listened on, and on an address that it can reach.
    port = int(compose["services"]["app"]["ports"][0].rsplit(":", 1)[1])
    assert list(about["Config"]["ExposedPorts"]) == [f"{port}/tcp"]
    test = about["Healthcheck"]["Test"]
    assert test[0] == "CMD", f"HEALTHCHECK {test}"
    with step("The server until its health check passes"):
        engine("run", "--detach", "--name=app", *RUN_OPTIONS, *options, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + START_SECONDS
        while (health := engine.exit_status("exec", "app", *test[1:])) != 0:
            running = engine.read("inspect", "--format={{.State.Running}}", "app") == "true"
            if not running or time.monotonic() > deadline:
                raise AssertionError(f"the server is not healthy ({health}):\n{engine.log('app')}")
            time.sleep(0.2)
    listening = {line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines()[1:]}
    assert f"00000000:{port:04X}" in listening, f"nobody listens on all addresses at port {port}"
    look_at_process(int(engine.read("inspect", "--format={{.State.Pid}}", "app")))
    elsewhere = "\\( -path /proc -o -path /sys -o -path /dev \\) -prune -o -type d -writable -print"
    writable = set(engine.read("exec", "app", *find(f"/ {elsewhere}")).splitlines())
    assert writable == {"/tmp", "/data"}, f"the server may write to {writable}"  # noqa: S108
    engine("exec", "app", "python", "manage.py", "check", "--deploy", "--fail-level=WARNING", stdout=subprocess.DEVNULL)
    with step("Pages in Chromium"), tls_proxy(port) as address:
        try:
            measured = open_pages(address, password, PICTURE)
        except Exception:
            print(engine.log("app"), file=sys.stderr)
            raise
    grace = int(compose["services"]["app"]["stop_grace_period"].removesuffix("s"))
    start = time.monotonic()
    engine("stop", f"--time={grace}", "app", stdout=subprocess.DEVNULL)
    seconds = time.monotonic() - start
    status = int(engine.read("inspect", "--format={{.State.ExitCode}}", "app"))
    assert status == 0 and seconds < grace, f"SIGTERM ended the server with {status} after {seconds:.1f} s"
    print(f"SIGTERM ended the server after {seconds:.1f} s", flush=True)
    return measured | {"stop_seconds": round(seconds, 1)}


def look_at_process(pid: int) -> None:
    """The server's process as the kernel sees it: not root, no capability, none to be had."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    status = {name: value.split() for name, value in (line.split(":", 1) for line in lines)}
    assert "0" not in status["Uid"] + status["Gid"], f"runs as {status['Uid']}:{status['Gid']}"
    wanted = {"CapEff": "0" * 16, "CapBnd": "0" * 16, "NoNewPrivs": "1"}
    found = {name: status[name][0] for name in wanted}
    assert found == wanted, f"may do more than compose.yaml says: {found}"


def only_new_groups() -> None:
    """The container runtime refuses process groups of the old and the new kind side by side; it needs none."""
    if subprocess.run(["stat", "-fc%T", "/sys/fs/cgroup"], stdout=subprocess.PIPE, text=True).stdout != "cgroup2fs\n":
        subprocess.run(["umount", "--recursive", "/sys/fs/cgroup"], check=False)
        subprocess.run(["mount", "--types=cgroup2", "cgroup", "/sys/fs/cgroup"], check=True)


def main() -> None:
    if sys.argv[1:2] == ["--in"]:
        start = time.monotonic()
        only_new_groups()
        measured = check(Path(sys.argv[2]))
        print(f"The page is drawn: {PICTURE.relative_to(PROJECT)}")
        print(json.dumps({"image_check": "passed", "seconds": round(time.monotonic() - start), **measured}))
        return
    if os.geteuid() != 0:
        sys.exit("Needs root: mounts of the image's file systems in a folder of its own.")
    PICTURE.parent.mkdir(exist_ok=True)
    # A signal, too, has to get to the end of `with`.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    with tempfile.TemporaryDirectory(prefix="himmes-image-") as folder:
        # With mounts and processes of its own, which end with it: whatever happens, only files are left to remove.
        own = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
        sys.exit(subprocess.run([*own, sys.executable, "-m", "scripts.image_check", "--in", folder]).returncode)


if __name__ == "__main__":
    main()
