"""TLS to the database server as DATABASE_URL asks for it, and the login; a server of its own for these tests, as it
needs a certificate."""

import os
import subprocess
import sys

import pytest
import trustme
from django.conf import settings
from django.db import connection

from scripts.throwaway_server import MariaDB, MySQL, running_server

pytestmark = pytest.mark.skipif(connection.vendor != "mysql", reason="SQLite has no server")
CIPHER = """
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("SHOW STATUS LIKE 'Ssl_cipher'")
    print("cipher:", cursor.fetchone()[1])
    cursor.execute("SHOW CREATE USER CURRENT_USER()")
    print("login:", cursor.fetchone()[0])
"""
WITHOUT_TLS = {MariaDB: "--skip-ssl", MySQL: "--tls-version="}


@pytest.fixture(scope="module")
def product(django_db_setup, django_db_blocker):
    """That of the database on which the tests run."""
    with django_db_blocker.unblock():
        return MariaDB if connection.mysql_is_mariadb else MySQL


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(scope="module")
def authority_file(authority, tmp_path_factory):
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return path


def server_with(certificate, folder, product):
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(folder / "certificate.pem")
    options = [f"--ssl-cert={folder}/certificate.pem", f"--ssl-key={folder}/key.pem"]
    return running_server(folder, *options, product=product)


@pytest.fixture(scope="module")
def server(authority, tmp_path_factory, product):
    with server_with(authority.issue_cert("127.0.0.1"), tmp_path_factory.mktemp("server"), product) as server:
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


def test_a_certificate_for_another_host_is_refused(authority, authority_file, tmp_path, product):
    with server_with(authority.issue_cert("elsewhere.example"), tmp_path, product) as other:
        result = connect(f"{other.database_url}?ssl_ca={authority_file}")
        assert result.returncode != 0
        assert "(2026," in result.stderr


def test_a_server_without_tls_is_refused(authority_file, tmp_path, product):
    with running_server(tmp_path, WITHOUT_TLS[product], product=product) as plain:
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


@pytest.mark.parametrize("over", ["an open line", "TLS"])
def test_the_login_that_mysql_has_by_default_works(server, product, authority_file, over):
    """The first login after a start proves the password, by TLS or encrypted with the server's key; later ones need
    less."""
    if product is not MySQL:
        pytest.skip("MariaDB has no such login")
    url = f"{server.database_url}?ssl_ca={authority_file}" if over == "TLS" else server.database_url
    server.stop()
    server.start()
    wrong = connect(url.replace("mysql://himmes:", "mysql://himmes:no"))
    assert "(1045," in wrong.stderr
    for _login in range(2):
        right = connect(url)
        assert "IDENTIFIED WITH 'caching_sha2_password'" in right.stdout, right.stderr
        assert ("cipher: TLS_" in right.stdout) == (over == "TLS")
