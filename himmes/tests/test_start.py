"""How the project starts: settings, checks, the first administrator."""

import os
import re
import subprocess
import sys
from io import StringIO

import pytest
from django.conf import settings
from django.contrib.auth import authenticate, get_user_model
from django.core.management import call_command
from django.test import Client, RequestFactory

from himmes.operations.checks import front_end_packages_are_there, secret_key_is_strong, static_files_are_collected
from vibration.models import Capture, ImportRun, Recording

MANIFEST_STORAGE = "himmes.static_files.StaticFiles"


def start(*command, **variables):
    """A command of `manage.py`, or `check`, in a process of its own with these variables and no others of Django's."""
    # An empty variable wins over one in a developer's .env
    clean = dict.fromkeys(("DJANGO_SECRET_KEY", "DJANGO_DEBUG", "DATABASE_URL", "DJANGO_ALLOWED_HOSTS"), "")
    environment = {**os.environ, **clean, "DATABASE_URL": "sqlite://:memory:", "DJANGO_DEBUG": "False", **variables}
    return subprocess.run(
        [sys.executable, "manage.py", *(command or ["check"])],
        cwd=settings.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
    )


def test_an_expected_interval_of_nothing_is_refused():
    result = start(DJANGO_SECRET_KEY="x" * 25 + "y" * 25 + "abcdef", DJANGO_EXPECTED_INTERVAL_MIN="0")
    assert result.returncode != 0
    assert "DJANGO_EXPECTED_INTERVAL_MIN must be a number of minutes, 1 or more." in result.stderr


def test_an_address_limit_below_that_of_a_name_is_refused():
    result = start(DJANGO_SECRET_KEY="0123456789" * 6, DJANGO_LOGIN_ADDRESS_LIMIT="4")
    assert result.returncode != 0
    assert "DJANGO_LOGIN_ADDRESS_LIMIT must be a number of failed logins, 5 or more." in result.stderr


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("locmemcache://", {"MAX_ENTRIES": 100_000}),
        ("dbcache://api_calls", {"MAX_ENTRIES": 100_000}),
        ("rediscache://127.0.0.1:6379/0", {}),
    ],
)
def test_a_cache_gets_the_options_that_it_knows(url, options):
    result = start(
        "shell",
        "--no-imports",
        "--command=from django.conf import settings; print(settings.CACHES['default'].get('OPTIONS', {}))",
        DJANGO_SECRET_KEY="0123456789" * 6,
        DJANGO_CACHE_URL=url,
    )
    assert (result.returncode, result.stdout.strip()) == (0, str(options)), result.stderr


def test_without_a_key_nothing_starts_and_the_message_says_what_to_do():
    result = start()
    assert result.returncode != 0
    assert "DJANGO_SECRET_KEY is not set. `make run` writes a file .env with one" in result.stderr


def test_a_weak_key_is_refused_with_debug_off():
    result = start(DJANGO_SECRET_KEY="secret")
    assert result.returncode != 0
    assert "himmes.E001" in result.stderr
    assert start(DJANGO_SECRET_KEY="secret", DJANGO_DEBUG="True").returncode == 0


@pytest.mark.parametrize(
    "url",
    [
        "mysql://himmes:s3cret@host:port/name",
        "oracle://himmes:s3cret@host/name",
        "?",
    ],
)
def test_an_address_of_the_database_that_can_not_be_read_is_refused_and_not_repeated(url):
    result = start(DJANGO_SECRET_KEY="0123456789" * 6, DATABASE_URL=url)
    assert result.returncode != 0
    assert "DATABASE_URL can't be read. Write sqlite:///file or mysql://user:password@host:3306/name" in result.stderr
    assert "s3cret" not in result.stderr


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"DJANGO_EMAIL_URL": "mail.example.org"}, "DJANGO_EMAIL_URL can't be read. Write smtp://host:25"),
        ({"DJANGO_EMAIL_URL": "smtp://kim:s3cret@host:port"}, "DJANGO_EMAIL_URL can't be read."),
        ({"DJANGO_EMAIL_URL": "smtp://:25"}, "DJANGO_EMAIL_URL can't be read."),
        ({"DJANGO_EMAIL_URL": "smtp://host?verify=no"}, "DJANGO_EMAIL_URL can't be read."),
        ({"DJANGO_EMAIL_URL": "smtp://host"}, "DJANGO_EMAIL_FROM must be the address that mail comes from"),
        ({"DJANGO_SITE_URL": "mes.example.org"}, "DJANGO_SITE_URL must be scheme and host of this site"),
        ({"DJANGO_SITE_URL": "https://mes.example.org/mes"}, "DJANGO_SITE_URL must be scheme and host of this site"),
        (
            {"DJANGO_WEBHOOK_ALLOWED_NETWORKS": "10.0.0.1/8"},
            "10.0.0.1/8 has host bits set. Write networks",
        ),
        ({"DJANGO_WEBHOOK_ALLOWED_NETWORKS": "plant"}, "Write networks such as 10.20.0.0/16"),
        ({"DJANGO_PRUNE_AFTER": "90"}, "DJANGO_PRUNE_AFTER: '90' is not a length of time"),
        ({"DJANGO_PRUNE_AFTER": "12h"}, "DJANGO_PRUNE_AFTER: '12h' is less than a day"),
        ({"DJANGO_KEEP_CAPTURES": ""}, "DJANGO_KEEP_CAPTURES: '' is not a length of time such as 12h, 90d or 2w, or"),
        ({"DJANGO_KEEP_CAPTURES": "23h"}, "DJANGO_KEEP_CAPTURES: '23h' is less than a day, or forever."),
    ],
)
def test_a_setting_of_notices_that_can_not_be_is_refused_with_what_to_write(variables, says):
    result = start(DJANGO_SECRET_KEY="0123456789" * 6, **variables)
    assert result.returncode != 0
    assert says in result.stderr
    assert "s3cret" not in result.stderr


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("smtp://mail", "mail 25 False False None"),
        ("smtp+tls://kim:p%40ss@mail", "mail 587 True False p@ss"),
        ("smtp+ssl://kim:p%40ss@mail:1465", "mail 1465 False True p@ss"),
    ],
)
def test_a_mail_server_is_read_from_one_address(url, found):
    names = ("HOST", "PORT", "USE_TLS", "USE_SSL", "HOST_PASSWORD")
    shown = ", ".join(f"settings.EMAIL_{name}" for name in names)
    result = start(
        "shell",
        "--no-imports",
        f"--command=from django.conf import settings; print({shown})",
        DJANGO_SECRET_KEY="0123456789" * 6,
        DJANGO_EMAIL_URL=url,
        DJANGO_EMAIL_FROM="HIM-MES <mes@example.org>",
    )
    assert (result.returncode, result.stdout.strip()) == (0, found), result.stderr


@pytest.mark.parametrize("year", ["0", "1900", "2999", "-1"])
def test_a_year_before_which_everything_or_nothing_is_refused_is_no_setting(year):
    result = start(DJANGO_SECRET_KEY="0123456789" * 6, DJANGO_EARLIEST_YEAR=year)
    assert result.returncode != 0
    assert "himmes.E005" in result.stderr
    assert "Give a year from 1901 to" in result.stderr


@pytest.mark.parametrize("rate", ["", "many", "200", "0/second", "200/fortnight"])
def test_a_rate_that_can_not_be_read_is_refused(rate):
    result = start(DJANGO_SECRET_KEY="0123456789" * 6, DJANGO_API_RATE=rate)
    assert result.returncode != 0
    assert "himmes.E002" in result.stderr


def test_a_key_can_be_a_file(tmp_path):
    key = tmp_path / "key"
    key.write_text("0123456789" * 6 + "\n")
    assert start(DJANGO_SECRET_KEY_FILE=str(key)).returncode == 0


def test_a_value_and_a_file_for_it_are_refused_together(tmp_path):
    key = tmp_path / "key"
    key.write_text("0123456789" * 6)
    result = start(DJANGO_SECRET_KEY="9876543210" * 6, DJANGO_SECRET_KEY_FILE=str(key))
    assert result.returncode != 0
    assert "DJANGO_SECRET_KEY and DJANGO_SECRET_KEY_FILE are both set." in result.stderr


def test_the_key_check_counts_characters_and_variety(settings):
    settings.DEBUG = False
    for key, fine in (("a" * 60, False), ("0123456789" * 4, False), ("0123456789" * 5, True)):
        settings.SECRET_KEY = key
        assert (secret_key_is_strong(None) == []) is fine


def test_missing_front_end_packages_are_named(settings, tmp_path):
    assert front_end_packages_are_there(None) == []
    settings.NODE_MODULES = tmp_path
    (warning,) = front_end_packages_are_there(None)
    assert warning.id == "himmes.W001"
    assert "chart.js" in warning.msg


@pytest.mark.django_db
def test_the_first_administrator_gets_a_password_of_his_own_shown_once():
    out = StringIO()
    call_command("create_first_admin", stdout=out)
    _label, password = out.getvalue().split("password: ")
    password = password.split()[0]
    assert len(password) >= 16
    assert authenticate(RequestFactory().post("/"), username="admin", password=password).is_superuser
    again = StringIO()
    call_command("create_first_admin", "--username", "other", stdout=again)
    assert again.getvalue() == ""
    assert get_user_model().objects.count() == 1


@pytest.mark.django_db
def test_first_start_makes_samples_once_and_never_again(settings, tmp_path):
    settings.BASE_DIR = tmp_path
    out = StringIO()
    call_command("first_start", stdout=out)
    assert Recording.objects.filter(name="synthetic").count() == 8
    assert set(Capture.objects.values_list("source", flat=True)) == {"synthetic"}
    assert "password" in out.getvalue()
    Recording.objects.all().delete()
    again = StringIO()
    call_command("first_start", stdout=again)
    assert again.getvalue() == ""
    assert not Recording.objects.exists()
    assert ImportRun.objects.count() == 8


def serve(*arguments, **variables):
    """gunicorn as in production, which must end by itself: with `--check-config`, or as it can't start."""
    environment = {**os.environ, "DJANGO_DEBUG": "False", "DJANGO_SECRET_KEY": "0123456789" * 6, **variables}
    command = [sys.executable, "-m", "gunicorn", "--bind", "127.0.0.1:0", "--workers", "1", *arguments]
    return subprocess.run(
        command, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"DJANGO_SECRET_KEY": "secret"}, "DJANGO_SECRET_KEY is too weak to run with DEBUG off."),
        ({"DJANGO_API_RATE": "many"}, "DJANGO_API_RATE is 'many'."),
        ({"DJANGO_ALLOWED_HOSTS": ""}, "DJANGO_ALLOWED_HOSTS is empty"),
    ],
)
def test_a_server_refuses_what_manage_py_refuses(variables, message):
    result = serve(**variables)
    assert result.returncode != 0
    assert message in result.stderr
    assert "HINT" in result.stderr


def test_a_server_refuses_to_start_without_its_static_files(settings, tmp_path):
    assert static_files_are_collected(None) == []  # tests serve them from where they lie
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": MANIFEST_STORAGE}}
    (error,) = static_files_are_collected(None)
    assert (error.id, error.hint) == ("himmes.E003", "Run `manage.py collectstatic`.")
    (tmp_path / "staticfiles.json").write_text("{}")
    assert static_files_are_collected(None) == []


def test_gunicorn_reads_its_settings():
    result = serve("--print-config", "--check-config", GUNICORN_CMD_ARGS="--keep-alive 5", WEB_CONCURRENCY="3")
    chosen = dict(re.findall(r"^(\w+)\s+= (.*)$", result.stdout, re.MULTILINE))
    assert chosen["threads"] == "4"
    assert chosen["keepalive"] == "5"
    assert chosen["worker_class"] == "himmes.serving.worker.BufferedWorker"
    assert chosen["wsgi_app"] == "himmes.wsgi:application"


def test_static_files_are_served_compressed_and_may_be_kept_for_ever(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": MANIFEST_STORAGE}}
    # The others only take longer.
    call_command("collectstatic", "--no-input", "--ignore=admin", "--ignore=drf_spectacular_sidecar", stdout=StringIO())
    client = Client()
    addresses = re.findall(r'(?:src|href)="(/static/[^"]+)"', client.get("/login/").content.decode())
    assert len(addresses) > 4
    for address in addresses:
        assert re.search(r"\.[0-9a-f]{12}\.(css|js|svg)$", address)
        response = client.get(address, headers={"Accept-Encoding": "gzip, br"})
        assert response.status_code == 200
        assert response["Content-Encoding"] == "br"
        assert "immutable" in response["Cache-Control"]
        assert response["X-Content-Type-Options"] == "nosniff"
