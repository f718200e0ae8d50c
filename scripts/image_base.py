"""What a build needs of this machine: Debian as a base image, and how its package clients reach their registries."""

import ast
import os
import re
import shutil
import subprocess
import sys
from configparser import RawConfigParser
from pathlib import Path

SUITE = "bookworm"
# As in Debian's own `slim` images: what only people read is left out, and apt keeps nothing.
NOT_IN_SLIM = ["doc", "groff", "info", "linda", "lintian", "locale", "man"]
APT_KEEPS_NOTHING = """DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb"; };
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
"""
KEPT_IN_SLIM = "/usr/share/doc/*/copyright"
AUTHORITIES = "/run/build-machine/authorities.crt"
# Of all that apt is told, how it reaches a server
APT_OPTIONS = re.compile(r'^Acquire::(https?::|Check-|ForceIPv|Retries).*".+";$')
NPM_OPTIONS = ["registry", "proxy", "https-proxy", "noproxy", "strict-ssl"]


def read(*command) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def debian_sources() -> dict[str, str]:
    """Addresses of Debian's packages by label (Debian, Debian-Security), as this machine's apt has them."""
    template = "$(LABEL) $(REPO_URI)"
    lines = read("apt-get", "indextargets", f"--format={template}", "Created-By: Packages").splitlines()
    found = dict(line.split(" ", 1) for line in reversed(lines))
    if "Debian" not in found:
        sys.exit("apt knows no mirror of Debian: run apt-get update, and this on Debian")
    return found


def debootstrap(folder: Path) -> None:
    """Make what stands for debian:bookworm-slim in a folder that is not there yet."""
    sources = debian_sources()
    environment = dict(os.environ)
    if proxy := read("apt-config", "dump", "--format=%v", "Acquire::http::Proxy").strip():
        environment.setdefault("http_proxy", proxy)
    with folder.with_suffix(".log").open("wb") as log:
        made = subprocess.run(
            ["debootstrap", "--variant=minbase", SUITE, folder, sources["Debian"]],
            env=environment,
            stdout=log,
            stderr=log,
        )
    if made.returncode:
        sys.exit(f"debootstrap failed:\n{folder.with_suffix('.log').read_text(errors='replace')}")
    lines = [f"deb {sources['Debian']} {suite} main" for suite in (SUITE, f"{SUITE}-updates")]
    if "Debian-Security" in sources:
        lines.append(f"deb {sources['Debian-Security']} {SUITE}-security main")
    (folder / "etc/apt/sources.list").write_text("\n".join(lines) + "\n")
    slim(folder)


def slim(folder: Path) -> None:
    excluded = [f"path-exclude /usr/share/{name}/*" for name in NOT_IN_SLIM]
    (folder / "etc/dpkg/dpkg.cfg.d/docker").write_text("\n".join([*excluded, f"path-include {KEPT_IN_SLIM}", ""]))
    (folder / "etc/apt/apt.conf.d/docker-clean").write_text(APT_KEEPS_NOTHING)
    kept = {path: path.read_bytes() for path in folder.glob(KEPT_IN_SLIM.lstrip("/")) if not path.is_symlink()}
    for name in NOT_IN_SLIM:
        shutil.rmtree(folder / "usr/share" / name, ignore_errors=True)
    for path, content in kept.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    for pattern in ("var/cache/apt/archives/*.deb", "var/cache/apt/*.bin", "var/lib/apt/lists/*_*", "var/log/*.log"):
        for path in folder.glob(pattern):
            path.unlink()


def client_mounts(folder: Path) -> list[str]:
    """Mounts (machine's path:container's path) that make apt, pip and npm reach in a build what they reach here."""
    folder.mkdir()
    mounts = {}
    authorities = Path(os.environ.get("SSL_CERT_FILE") or "/etc/ssl/certs/ca-certificates.crt")
    if authorities.is_file():
        mounts[AUTHORITIES] = authorities
    pip, named = pip_settings(authorities.is_file())
    mounts |= {str(path): path for path in named}
    for name, text, target in (
        ("pip.conf", pip, "/etc/pip.conf"),
        ("npmrc", npm_settings(authorities.is_file()), "/root/.npmrc"),
        ("apt.conf", apt_settings(authorities.is_file()), "/etc/apt/apt.conf.d/99build-machine"),
    ):
        (folder / name).write_text(text)
        mounts[target] = folder / name
    for path in Path("/etc/apt/auth.conf.d").glob("*"):
        mounts[str(path)] = path
    return [f"{source.resolve()}:{target}" for target, source in mounts.items()]


def pip_settings(with_authorities: bool) -> tuple[str, list[Path]]:
    """A pip.conf with all that pip is told here by files and variables, and the folders and files that it names."""
    config = RawConfigParser()
    config["global"] = {}
    for line in read(sys.executable, "-m", "pip", "config", "list").splitlines():
        name, value = line.split("=", 1)
        section, _, option = name.rpartition(".")
        # What a variable says wins, and is listed first.
        section = "global" if section == ":env:" else section
        if not config.has_section(section):
            config.add_section(section)
        if not config.has_option(section, option):
            config.set(section, option, ast.literal_eval(value).replace("\n", "\n\t"))
    config.remove_option("global", "cert")
    if with_authorities:
        config.set("global", "cert", AUTHORITIES)
    named = [
        Path(word)
        for name in ("find-links", "constraint")
        for word in config.get("global", name, fallback="").split()
        if word.startswith("/")
    ]
    for name in ("index-url", "extra-index-url"):
        # The files that an index speaks of lie beside it.
        addresses = config.get("global", name, fallback="").split()
        named += [Path(it.removeprefix("file://")).parent for it in addresses if it.startswith("file:///")]
    text = "".join(
        f"[{section}]\n" + "".join(f"{name} = {value}\n" for name, value in config.items(section))
        for section in config.sections()
    )
    return text, [path for path in named if path.exists()]


def npm_settings(with_authorities: bool) -> str:
    """An .npmrc with the user's own lines, and what other files and variables say of the registry."""
    npm = ["npm"] if shutil.which("npm") else [sys.executable, "scripts/npm.py"]
    own = Path("~/.npmrc").expanduser()
    lines = own.read_text().splitlines() if own.is_file() else []
    for option in NPM_OPTIONS:
        value = read(*npm, "config", "get", option, "--loglevel=error").strip()
        if value not in ("", "null", "undefined"):
            lines.append(f"{option}={value}")
    lines = [line for line in lines if not line.startswith("cafile")]
    return "\n".join([*lines, *([f"cafile={AUTHORITIES}"] if with_authorities else []), ""])


def apt_settings(with_authorities: bool) -> str:
    lines = [line for line in read("apt-config", "dump").splitlines() if APT_OPTIONS.match(line)]
    if with_authorities:
        lines = [line for line in lines if "::CAInfo" not in line] + [f'Acquire::https::CAInfo "{AUTHORITIES}";']
    return "\n".join([*lines, ""])
