"""compose.yaml as podman runs it, each service by itself: what it says is taken from there, not repeated."""

import re
from pathlib import Path

import yaml

VARIABLE = re.compile(r"\$\{(\w+)(?:(:[-?])([^}]*))?\}")
# How services hang together is for the database's and the operator's machine; its keys are checked by the schema only.
NOT_OF_ONE_CONTAINER = {"build", "depends_on", "env_file", "ports", "restart", "stop_grace_period"}


def load(path: Path, variables: dict[str, str]) -> dict:
    """The file with its variables put in, as compose does it; raises KeyError for one that is wanted and missing."""

    def value(match: re.Match) -> str:
        name, sign, rest = match.groups()
        if found := variables.get(name):
            return found
        if sign == ":-":
            return rest
        raise KeyError(f"{name}: {rest or 'not set'}")

    def put_in(node):
        if isinstance(node, dict):
            return {name: put_in(child) for name, child in node.items()}
        if isinstance(node, list):
            return [put_in(child) for child in node]
        return VARIABLE.sub(value, node) if isinstance(node, str) else node

    return put_in(yaml.safe_load(path.read_text(encoding="utf-8")))


def run_options(compose: dict, name: str, secrets: Path) -> list[str]:
    """Options of `podman run` for a service, with its secrets from a folder, and after them its image.

    Raises ValueError for a key that this does not know.
    """
    service = dict(compose["services"][name])
    for key in NOT_OF_ONE_CONTAINER:
        service.pop(key, None)
    image = service.pop("image")
    options = [f"--env={key}={value}" for key, value in service.pop("environment", {}).items()]
    for secret in service.pop("secrets", []):
        file = secrets / Path(compose["secrets"][secret]["file"]).name
        options.append(f"--volume={file}:/run/secrets/{secret}:ro")
    options += [f"--volume={volume}" for volume in service.pop("volumes", [])]
    options += [f"--tmpfs={tmpfs}" for tmpfs in service.pop("tmpfs", [])]
    options += [f"--cap-drop={capability}" for capability in service.pop("cap_drop", [])]
    options += [f"--security-opt={option.replace(':true', '')}" for option in service.pop("security_opt", [])]
    if service.pop("init", False):
        options.append("--init")
    if service.pop("read_only", False):
        # podman would add folders in memory that can be written to, which Docker does not.
        options += ["--read-only", "--read-only-tmpfs=false"]
    command = service.pop("command", [])
    if service:
        raise ValueError(f"compose.yaml, {name}: {', '.join(service)} can't be carried out here")
    return [*options, image, *command]
