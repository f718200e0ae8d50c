"""A container engine that leaves nothing behind: podman, which has no service, with all that it keeps in one folder."""

import ctypes
import fcntl
import json
import os
import socket
import struct
import subprocess
from pathlib import Path

# Without systemd: no groups of processes, no journal, no timers of health checks. Locks in files, not in memory that
# the machine's own podman would share.
CONTAINERS_CONF = """
[containers]
log_driver = "k8s-file"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
lock_type = "file"
network_cmd_path = ""
tmp_dir = "{folder}/tmp"
"""
STORAGE_CONF = """
[storage]
driver = "{driver}"
graphroot = "{folder}/root"
runroot = "{folder}/run"
"""
# The network of this program, on which the service `database` of compose.yaml then is, too. As many open files as it is
# allowed itself; more can't be had.
RUN_OPTIONS = [
    "--network=host",
    "--add-host=database:127.0.0.1",
    "--cgroups=disabled",
    "--ulimit=host",
    "--no-healthcheck",
    "--pull=never",
]


# From Linux's sched.h, sockios.h and if.h
CLONE_NEWNET, SIOCSIFFLAGS, IFF_UP = 0x40000000, 0x8914, 1
SHOWN_CHARACTERS = 10_000  # of a log


def leave_network() -> None:
    """From now on this program and all that it starts have a network with nobody else on it; raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))


class Engine:
    def __init__(self, folder: Path):
        folder.mkdir()
        self.environment = os.environ | {"TMPDIR": str(folder)}
        # Layers can't lie upon layers that lie upon layers, as where this already runs in a container: then copies.
        system = subprocess.run(["stat", "--file-system", "--format=%T", folder], stdout=subprocess.PIPE, text=True)
        driver = "vfs" if system.stdout.strip() == "overlayfs" else "overlay"
        for name, text in (("CONTAINERS_CONF", CONTAINERS_CONF), ("CONTAINERS_STORAGE_CONF", STORAGE_CONF)):
            path = folder / f"{name.lower()}.conf"
            path.write_text(text.format(folder=folder, driver=driver))
            self.environment[name] = str(path)

    def __call__(self, *arguments, **options) -> subprocess.CompletedProcess:
        """podman with these arguments; raises CalledProcessError if it fails."""
        return subprocess.run(["podman", *arguments], env=self.environment, check=True, **options)

    def read(self, *arguments) -> str:
        """What podman prints."""
        return self(*arguments, stdout=subprocess.PIPE, text=True).stdout.strip()

    def bring_in(self, folder: Path, name: str) -> None:
        """Make an image of a folder."""
        with subprocess.Popen(["tar", "--create", "--directory", folder, "."], stdout=subprocess.PIPE) as tar:
            self("import", "--quiet", "-", name, stdin=tar.stdout, stdout=subprocess.DEVNULL)

    def build(self, context: Path, name: str, mounts: list[str], log: Path) -> None:
        """Carry out the Dockerfile of a folder, with mounts (machine's path:container's path) that leave no trace.

        Images that are not here are not fetched: only what bring_in made can be a base. What the steps say goes to the
        log; raises CalledProcessError with its end.
        """
        volumes = [f"--volume={mount}:ro" for mount in mounts]
        fixed = ["--format=docker", "--isolation=chroot", "--network=host", "--pull=never", "--no-cache"]
        try:
            with log.open("wb") as out:
                self("build", *fixed, *volumes, f"--tag={name}", context, stdout=out, stderr=out)
        except subprocess.CalledProcessError as error:
            error.add_note(log.read_text(errors="replace")[-SHOWN_CHARACTERS:])
            raise

    def exit_status(self, *arguments) -> int:
        silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return subprocess.run(["podman", *arguments], env=self.environment, **silent).returncode

    def log(self, container: str) -> str:
        """The end of what a container has said."""
        said = self("logs", container, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout
        return said[-SHOWN_CHARACTERS:]

    def about(self, image: str) -> dict:
        """What the image says of itself: Config (User, Env, Cmd, ...), Healthcheck, Size, ..."""
        return json.loads(self.read("image", "inspect", image))[0]
