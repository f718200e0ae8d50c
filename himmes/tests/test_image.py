"""What could go wrong in silence with the container image and compose.yaml; `make image-check` builds and runs them."""

import re
import stat
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
import yaml
from django.apps import apps
from django.conf import settings
from django.core.management import get_commands

from himmes.operations.healthcheck import problem

ROOT = Path(settings.BASE_DIR)
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
IGNORED = (ROOT / ".dockerignore").read_text().splitlines()
LET_IN = {line[1:] for line in IGNORED if line.startswith("!")}


@pytest.fixture
def compose():
    return yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))


def instructions(name):
    """What stands behind each instruction of this name, continued lines joined."""
    return re.findall(rf"^{name}\s+(.*)$", DOCKERFILE.replace("\\\n", " "), re.MULTILINE)


# --- The image


def test_nothing_gets_into_a_build_that_is_not_named():
    assert next(line for line in IGNORED if line and not line.startswith("#")) == "*"
    assert all((ROOT / name).exists() for name in LET_IN)
    assert not LET_IN & {".", ".git", ".env", "var", "secrets", "node_modules", ".venv"}
    assert {"**/tests", "**/__pycache__", "**/.env*"} <= set(IGNORED)


def test_all_that_the_application_consists_of_gets_in():
    own = {
        Path(app.path).relative_to(ROOT).parts[0] for app in apps.get_app_configs() if ROOT in Path(app.path).parents
    }
    own = {folder for folder in own if folder not in (".venv", "node_modules")}
    assert {"himmes", "machines", "vibration", "diagnosis"} <= own
    assert own | {"common", "templates", "static", "locale", "manage.py", "gunicorn.conf.py"} <= LET_IN


def test_the_image_has_the_pinned_packages_of_production():
    (install,) = re.findall(r"pip install (.*requirements-mysql\.txt.*)", DOCKERFILE.replace("\\\n", ""))
    wanted = [f"requirements-{name}.txt" for name in ("mysql", "notices", "formats", "mqtt")]
    asked = [word for name in wanted for word in ("-r", name)]
    assert install.split()[-10:] == ["-c", "constraints.txt", *asked]
    for name in wanted:
        assert "-r requirements.txt" in (ROOT / name).read_text().splitlines()
    assert "requirements-dev" not in DOCKERFILE
    # Both stages have the same Python; the packages are made for it.
    assert {line.split()[0] for line in instructions("FROM")} == {"debian:bookworm-slim"}


def test_the_image_runs_as_a_user_by_number_who_is_not_root():
    user, group = instructions("USER")[-1].split(":")
    assert int(user) > 0
    assert int(group) > 0
    assert DOCKERFILE.rindex("\nUSER ") > DOCKERFILE.rindex("\nRUN ")


def test_the_published_port_is_the_one_that_is_listened_on(compose):
    port = re.search(r"\bPORT=(\d+)", " ".join(instructions("ENV")))[1]
    assert instructions("EXPOSE") == [port]
    assert [published.rsplit(":", 1)[1] for published in compose["services"]["app"]["ports"]] == [port]


def test_no_secret_is_built_into_the_image():
    for line in instructions("ENV") + instructions("ARG"):
        assert not re.search("key|secret|password|token", line, re.IGNORECASE), line


# --- Its health check


@pytest.fixture
def answering():
    servers = []

    def answering(status):
        class Answer(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(status if self.path == "/healthz" else 404)
                self.end_headers()

            def log_message(self, *arguments):
                pass

        server = HTTPServer(("127.0.0.1", 0), Answer)
        Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return server.server_port

    yield answering
    for server in servers:
        server.shutdown()
        server.server_close()


def test_the_health_check_passes_for_a_server_that_says_that_it_lives(answering, monkeypatch):
    # A proxy for going out has nothing to do with it.
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert problem(answering(200)) == ""


@pytest.mark.parametrize("status", [301, 404, 500, 503])
def test_the_health_check_fails_for_any_other_answer(answering, status):
    assert problem(answering(status)) == f"/healthz answered {status}"


def test_the_health_check_fails_where_nobody_listens(answering):
    server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.server_close()
    assert "no answer" in problem(server.server_port)


# --- compose.yaml


def test_compose_yaml_meets_the_specification():
    check = [
        Path(sys.executable).parent / "check-jsonschema",
        "--builtin-schema",
        "vendor.compose-spec",
        "compose.yaml",
    ]
    result = subprocess.run(check, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout


def test_the_server_starts_after_the_database_and_the_migrations(compose):
    services = compose["services"]
    assert services["migrate"]["depends_on"]["database"]["condition"] == "service_healthy"
    for name in ("app", "worker"):
        assert services[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
    named = set(re.findall(r"manage\.py (\w+)", str(services)))
    assert {"migrate", "createcachetable"} <= named <= set(get_commands())


@pytest.mark.parametrize("name", ["app", "migrate", "worker"])
def test_the_application_may_do_no_more_than_it_needs(compose, name):
    service = compose["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["environment"]["DJANGO_DEBUG"] == "False"


def test_only_the_migrations_have_the_account_that_may_change_tables(compose):
    with_owner = {name for name, service in compose["services"].items() if "database_owner_url" in service["secrets"]}
    assert with_owner == {"migrate"}
    assert "database_root_password" not in str(compose["services"]["app"]) + str(compose["services"]["migrate"])


def test_the_server_has_time_for_its_last_requests(compose):
    given = int(compose["services"]["app"]["stop_grace_period"].removesuffix("s"))
    needed = re.search(r"^timeout = graceful_timeout = (\d+)$", (ROOT / "gunicorn.conf.py").read_text(), re.MULTILINE)
    assert given > int(needed[1])


def test_every_setting_in_compose_yaml_is_one(compose):
    known = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', (ROOT / "himmes" / "settings.py").read_text()))
    for name in ("app", "migrate", "worker"):
        assert {key.removesuffix("_FILE") for key in compose["services"][name]["environment"]} <= known


def test_no_secret_stands_in_compose_yaml(compose):
    for service in compose["services"].values():
        for key, value in service["environment"].items():
            if re.search("KEY|PASSWORD|DATABASE_URL", key):
                assert key.endswith("_FILE"), key
                assert Path(value).parent == Path("/run/secrets")
                assert Path(value).name in service["secrets"]


@pytest.mark.parametrize("name", ["app", "migrate", "worker"])
def test_without_a_host_name_compose_says_what_is_missing(compose, name):
    hosts = compose["services"][name]["environment"]["DJANGO_ALLOWED_HOSTS"]
    assert hosts.startswith("${DJANGO_ALLOWED_HOSTS:?put the host name")


# --- Its secrets


def make_secrets(folder):
    subprocess.run(["scripts/compose_secrets.sh", folder], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_the_secrets_of_compose_yaml_are_made_once_for_their_owner_alone(tmp_path):
    folder = tmp_path / "secrets"
    made = make_secrets(folder)
    wanted = yaml.safe_load((ROOT / "compose.yaml").read_text())["secrets"]
    assert set(made) == {Path(secret["file"]).name for secret in wanted.values()} == set(wanted)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o444}
    assert make_secrets(folder) == made
    assert len(set(made.values())) == len(made)
    assert made["database_app_password"].strip() in made["database_app_url"]
    assert not set(made.values()) & set(make_secrets(tmp_path / "other").values())


def test_git_keeps_no_secret_and_no_picture_of_the_check():
    for path in ("secrets/django_secret_key", ".env", "var/image-check.png"):
        assert subprocess.run(["git", "check-ignore", "--quiet", path], cwd=ROOT).returncode == 0, path
