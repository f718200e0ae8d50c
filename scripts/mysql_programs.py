"""MySQL's own programs in a folder of the project: Debian stable has none, so they come from its unstable suite.

    python -m scripts.mysql_programs       makes the folder if it is not there, and prints where it is

mmdebstrap only unpacks the packages and what they depend on, by apt and with its checks of signatures; nothing is
installed on this machine, and root is not needed. The programs are started by the dynamic loader of that folder, with
its libraries, which are newer than those of the machine. The folder is kept; remove it for a newer MySQL.
"""

import fcntl
import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "var" / "mysql"
PACKAGES = ["mysql-server-core", "mysql-client-core"]
# On the PATH of whoever uses the server, in place of links to MariaDB's tools that have the same names
TOOLS = ["mysql", "mysqldump", "my_print_defaults"]
TOOL = """#!/bin/sh
folder=$(dirname "$0")/..
exec "$folder/{loader}" --library-path "$folder/{libraries}" "$folder/usr/bin/{name}" "$@"
"""


def programs() -> Path:
    """The folder, made first where it is not there. It gets its name when it is whole."""
    if FOLDER.exists():
        return FOLDER
    FOLDER.parent.mkdir(exist_ok=True)
    with FOLDER.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not FOLDER.exists():  # nobody else made it meanwhile
            part = FOLDER.with_suffix(".part")
            shutil.rmtree(part, ignore_errors=True)
            _unpack(part)
            part.rename(FOLDER)
    return FOLDER


def server_command(folder: Path) -> list[str]:
    """How the server is started."""
    loader = _loader(folder)
    command = [str(loader), "--library-path", str(loader.parent), f"{folder}/usr/sbin/mysqld", "--no-defaults"]
    return [*command, f"--basedir={folder}/usr", f"--plugin-dir={folder}/usr/lib/mysql/plugin"]


def _loader(folder: Path) -> Path:
    return next(folder.glob("usr/lib/*-linux-gnu*/ld-linux-*.so.*"))


def _unpack(folder: Path) -> None:
    print("Unpacking MySQL from Debian's unstable suite (100 MB)", file=sys.stderr, flush=True)
    # Chrootless, so that root is not needed: no script of a package is run. A mirror that lags a week behind, and a
    # clock that is ahead, still give programs to test with.
    options = ["--quiet", "--variant=extract", "--mode=chrootless", '--aptopt=Acquire::Check-Valid-Until "false"']
    _run("mmdebstrap", *options, f"--include={','.join(PACKAGES)}", "sid", folder, *_mirror())
    loader = _loader(folder).relative_to(folder)
    (folder / "bin").mkdir()
    for name in TOOLS:
        tool = folder / "bin" / name
        tool.write_text(TOOL.format(name=name, loader=loader, libraries=loader.parent))
        tool.chmod(0o755)
        _run(tool, "--version")
    _run(*server_command(folder), "--version")


def _mirror() -> list[str]:
    """Where this machine's apt gets Debian from; else mmdebstrap knows a place."""
    asked = ["apt-get", "indextargets", "--format=$(REPO_URI)", "Created-By: Packages", "Origin: Debian"]
    found = subprocess.run([*asked, "Label: Debian"], capture_output=True, text=True, check=False)
    return found.stdout.split()[:1]


def _run(*command: object) -> None:
    ended = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        sys.exit(f"{command[0]} failed:\n{ended.stderr}")


if __name__ == "__main__":
    print(programs())
