"""TLS to the database server as DATABASE_URL asks for it; a server of its own for these tests, as it needs a
certificate."""

import os
import subprocess
import sys

import pytest
import trustme
from django.conf import settings
from django.db import connection

from scripts.throwaway_server import running_server

pytestmark = pytest.mark.skipif(connection.vendor != "mysql", reason="SQLite has no server")
CIPHER = """
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("SHOW STATUS LIKE 'Ssl_cipher'")
    print("cipher:", cursor.fetchone()[1])
"""


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(scope="module")
def authority_file(authority, tmp_path_factory):
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return path


def server_with(certificate, folder):
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(folder / "certificate.pem")
    return running_server(folder, f"--ssl-cert={folder}/certificate.pem", f"--ssl-key={folder}/key.pem")


@pytest.fixture(scope="module")
def server(authority, tmp_path_factory):
    with server_with(authority.issue_cert("127.0.0.1"), tmp_path_factory.mktemp("mariadb")) as server:
        yield server


def connect(url):
    """What a process of its own finds with this DATABASE_URL."""
    environment = os.environ | {"DATABASE_URL": url}
    command = [sys.executable, "manage.py", "shell", "--command", CIPHER]
    return subprocess.run(command, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True)


def test_a_certificate_of_the_named_authority_is_accepted(server, authority_file):
    result = connect(f"{server.database_url}?ssl_ca={authority_file}")
    assert "cipher: TLS_" in result.stdout, result.stderr


def test_a_certificate_of_another_authority_is_refused(server, tmp_path):
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(other)
    result = connect(f"{server.database_url}?ssl_ca={other}")
    assert result.returncode != 0
    assert "unable to get local issuer certificate" in result.stderr


def test_a_certificate_for_another_host_is_refused(authority, authority_file, tmp_path):
    with server_with(authority.issue_cert("elsewhere.example"), tmp_path) as other:
        result = connect(f"{other.database_url}?ssl_ca={authority_file}")
        assert result.returncode != 0
        assert "(2026," in result.stderr


def test_a_server_without_tls_is_refused(authority_file, tmp_path):
    with running_server(tmp_path, "--skip-ssl") as plain:
        for query in (f"ssl_ca={authority_file}", "ssl_mode=VERIFY_IDENTITY"):
            result = connect(f"{plain.database_url}?{query}")
            assert result.returncode != 0, query
            assert "(2026," in result.stderr
        assert "cipher: \n" in connect(plain.database_url).stdout


def test_without_a_named_authority_only_those_of_the_system_count(server):
    result = connect(f"{server.database_url}?ssl_mode=VERIFY_IDENTITY")
    assert result.returncode != 0
    assert "(2026," in result.stderr


def test_a_mode_that_would_only_seem_to_require_tls_is_refused(server):
    result = connect(f"{server.database_url}?ssl_mode=REQUIRED")
    assert result.returncode != 0
    assert "DATABASE_URL: ssl_mode=REQUIRED can't be relied on. Name the file" in result.stderr


def test_an_authority_that_is_no_file_is_refused(server, tmp_path):
    result = connect(f"{server.database_url}?ssl_ca={tmp_path / 'missing.pem'}")
    assert result.returncode != 0
    assert "(2026," in result.stderr
