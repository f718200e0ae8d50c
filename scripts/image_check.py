"""Build the container image, run it as compose.yaml says, open its pages, stop it.

    python -m scripts.image_check

podman builds and runs it, without a service, and podman-compose reads compose.yaml. No registry of images is asked:
Debian's packages make the base image, and this machine's MariaDB is the database, with the options of compose.yaml.
Needs root, for mounts and a network of its own; leaves nothing but var/image-check.png.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from scripts.behind_caddy import behind_caddy
from scripts.image_pages import open_pages
from scripts.throwaway_server import running_server

PROJECT = Path(__file__).resolve().parent.parent
PICTURE = PROJECT / "var" / "image-check.png"
SUITE, BASE, IMAGE, PORT = "bookworm", "docker.io/library/debian:bookworm-slim", "himmes", 8000
START_SECONDS = 60
# What Debian's own slim image leaves out
SLIM = ["path-exclude=/usr/share/doc/*", "path-include=/usr/share/doc/*/copyright"]
SLIM += ["path-exclude=/usr/share/man/*", "path-exclude=/usr/share/locale/*"]
# How pip and npm get to their registries from here. The image that the check builds keeps it; it goes nowhere.
AUTHORITIES, COPY = "/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/authorities-of-build.crt"
CLIENT_FILES = {path: path for path in ("/etc/pip.conf", "/root/.config/pip/pip.conf", "/root/.npmrc")}
CLIENT_FILES[AUTHORITIES] = COPY  # itself made anew by the Dockerfile
CLIENT_VARIABLES = ("PIP_", "NPM_CONFIG_")

# Mounts, processes and, when nothing is to be fetched any more, a network of its own, which end with each part. podman
# keeps all its files in the folder. It refuses control groups of the old and the new kind side by side.
OWN = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
MOUNTS = """
for place in /var/lib/containers /run/containers /run/libpod /dev/shm; do
    mkdir -p "$place" "$0$place"
    mount --bind "$0$place" "$place"
done
if [ "$(stat -fc%T /sys/fs/cgroup)" != cgroup2fs ]; then
    umount --recursive /sys/fs/cgroup || true
    mount -t cgroup2 cgroup /sys/fs/cgroup
fi
ip link set lo up
exec "$@"
"""
# Without systemd; with as many open files as are allowed here, and no folder to write to but those of compose.yaml
ENGINE = ["--cgroup-manager=cgroupfs", "--events-backend=none"]
RUN_OPTIONS = [
    "--cgroups=disabled",
    "--ulimit=host",
    "--pull=never",
    "--log-driver=k8s-file",
    "--read-only-tmpfs=false",
]
COMPOSE = [sys.executable, "-m", "podman_compose", "--in-pod=false", "--file=compose.yaml", "--file=here.yaml"]
COMPOSE += [f"--podman-args={' '.join(ENGINE)}", f"--podman-run-args={' '.join(RUN_OPTIONS)}", "run", "--no-deps"]
# The database is on this machine, whose network the containers share.
HERE = {"network_mode": "host", "extra_hosts": ["database:127.0.0.1"]}
# Something to show
FILLING = """python manage.py make_sample_csv /tmp/csv --seconds 2
python manage.py import_vibration /tmp/csv --recording synthetic
python manage.py make_sample_diagnoses --days 1"""
# find fails for each folder that it may not look into.
WRITABLE_FOLDERS = """find / \\( -path /proc -o -path /sys -o -path /dev \\) -prune -o \
-type d -writable -print 2>/dev/null || true"""
WRITABLE_FILES = "find /opt /srv /usr /etc /var -type f -writable 2>/dev/null || true"


def run(*command, **options) -> str:
    """What a program prints; raises CalledProcessError."""
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, **options).stdout.strip()


def podman(*arguments) -> str:
    return run("podman", *ENGINE, *arguments)


def build(folder: Path) -> None:
    print("Debian by mmdebstrap", flush=True)
    options = [f"--dpkgopt={option}" for option in SLIM]
    for here, there in CLIENT_FILES.items():
        if Path(here).is_file():
            hooks = (f'mkdir -p "$1{Path(there).parent}"', f"upload {here} {there}")
            options += [f"--customize-hook={hook}" for hook in hooks]
    run("mmdebstrap", "--quiet", "--variant=minbase", *options, SUITE, folder / "debian.tar")
    variables = {name: value for name, value in os.environ.items() if name.upper().startswith(CLIENT_VARIABLES)}
    if Path(AUTHORITIES).is_file():
        variables |= {"PIP_CERT": COPY, "NPM_CONFIG_CAFILE": COPY}
    changes = [f"--change=ENV {name}={value}" for name, value in variables.items()]
    podman("import", "--quiet", *changes, folder / "debian.tar", BASE)
    print("Dockerfile", flush=True)
    options = ["--format=docker", "--isolation=chroot", "--network=host", "--pull=never"]
    podman("build", "--quiet", *options, f"--tag={IMAGE}", folder / "project")


def serve(folder: Path) -> None:
    """Migrations, the server until it is healthy, its rights, its pages, its end."""
    project, database = folder / "project", folder / "mariadb"
    services = yaml.safe_load((project / "compose.yaml").read_text())["services"]
    (project / "here.yaml").write_text(yaml.safe_dump({"services": {"migrate": HERE, "app": HERE}}))
    run("scripts/compose_secrets.sh", cwd=project)

    def of_service(*arguments: str) -> str:
        return run(*COMPOSE, *arguments, cwd=project, env=os.environ | {"DJANGO_ALLOWED_HOSTS": "127.0.0.1"})

    options = [option.replace("/run/secrets", f"{project}/secrets") for option in services["database"]["command"]]
    database.mkdir()
    # Beside its own port, the one that compose.yaml names
    with running_server(database, *options, "--extra-port=3306", "--extra-max-connections=50"):
        make_accounts(project, database)
        print("Services migrate and app", flush=True)
        of_service("--rm", "-T", "migrate")
        made = of_service("--rm", "-T", "app", "python", "manage.py", "create_first_admin")
        of_service("--rm", "-T", "app", "sh", "-ec", FILLING)
        of_service("--detach", "--name=app", "app")
        try:
            wait_until_healthy()
            look_at_rights()
            podman("exec", "app", "python", "manage.py", "check", "--deploy", "--fail-level=WARNING")
            print("Pages in Chromium", flush=True)
            with behind_caddy(folder, PORT) as address:
                open_pages(address, made.split("password:")[1].split()[0], PICTURE)
            stop(int(services["app"]["stop_grace_period"].removesuffix("s")))
        except BaseException:
            subprocess.run(["podman", *ENGINE, "logs", "--tail=100", "app"])
            raise


def make_accounts(project: Path, database: Path) -> None:
    """The accounts as the database's image makes them: the owner by variables, the server's by our script."""
    owner = (project / "secrets" / "database_owner_password").read_text().strip()
    script = (project / "scripts" / "compose_database.sh").read_text()
    commands = f"""set -eo pipefail
docker_process_sql() {{ mariadb --no-defaults --user=root --socket={database}/data/socket "$@"; }}
docker_process_sql <<SQL
CREATE USER himmes_owner@'%' IDENTIFIED BY '{owner}';
GRANT ALL ON himmes.* TO himmes_owner@'%';
SQL
{script.replace("/run/secrets", f"{project}/secrets")}"""
    run("bash", "-c", commands)


def wait_until_healthy() -> None:
    deadline = time.monotonic() + START_SECONDS
    while subprocess.run(["podman", *ENGINE, "healthcheck", "run", "app"], stdout=subprocess.DEVNULL).returncode != 0:
        assert podman("inspect", "--format={{.State.Running}}", "app") == "true", "the server has ended"
        assert time.monotonic() < deadline, "the server is not healthy"
        time.sleep(0.2)


def look_at_rights() -> None:
    """The server is not root, may do no more than compose.yaml says, and the image's files are not its own."""
    lines = podman("exec", "app", "cat", "/proc/1/status").splitlines()
    status = {name: value.split() for name, value in (line.split(":", 1) for line in lines)}
    assert "0" not in status["Uid"] + status["Gid"], f"runs as {status['Uid']}:{status['Gid']}"
    rights = [status[name] for name in ("CapEff", "CapBnd", "NoNewPrivs")]
    assert rights == [["0" * 16], ["0" * 16], ["1"]], f"may do more than compose.yaml says: {rights}"
    folders = set(podman("exec", "app", "sh", "-c", WRITABLE_FOLDERS).splitlines())
    assert folders == {"/tmp", "/data"}, f"the server may write to {folders}"  # noqa: S108
    files = podman("run", "--rm", "--network=none", *RUN_OPTIONS, IMAGE, "sh", "-c", WRITABLE_FILES)
    assert not files, f"the image's user may write to {files}"


def stop(grace_seconds: int) -> None:
    start = time.monotonic()
    podman("stop", f"--time={grace_seconds}", "app")
    seconds = time.monotonic() - start
    status = podman("inspect", "--format={{.State.ExitCode}}", "app")
    assert status == "0" and seconds < grace_seconds, f"SIGTERM ended the server with {status} after {seconds:.1f} s"


def copy_project(target: Path) -> None:
    """The files that git knows or would take in: no secret, no environment."""
    for name in run("git", "ls-files", "--cached", "--others", "--exclude-standard", cwd=PROJECT).splitlines():
        if (PROJECT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, target / name)


def main() -> None:
    if sys.argv[1:]:
        {"build": build, "serve": serve}[sys.argv[1]](Path(sys.argv[2]))
        return
    if os.geteuid() != 0:
        sys.exit("Needs root: mounts and a network of its own.")
    PICTURE.parent.mkdir(exist_ok=True)
    # A signal, too, has to get to the end of `with`.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    with tempfile.TemporaryDirectory(prefix="himmes-image-") as folder:
        copy_project(Path(folder) / "project")
        # podman would else ask systemd to carry out health checks.
        environment = os.environ | {"DISABLE_HC_SYSTEMD": "true", "TMPDIR": folder}
        for part, own in (("build", OWN), ("serve", [*OWN, "--net"])):
            command = [*own, "sh", "-ec", MOUNTS, folder, sys.executable, "-m", "scripts.image_check", part, folder]
            if subprocess.run(command, cwd=PROJECT, env=environment).returncode:
                sys.exit(f"The image check failed: {part}")
    print(f"The image check passed; the page is drawn: {PICTURE.relative_to(PROJECT)}")


if __name__ == "__main__":
    main()
