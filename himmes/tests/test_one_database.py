"""A test without the mark `database` runs on one database alone: it can't use it, nor tell which one it is."""

import os

import pytest

from machines.models import Machine


def test_a_test_that_asks_for_no_database_has_none(request):
    assert not request.node.get_closest_marker("database")
    assert os.environ["DATABASE_URL"] == "sqlite://:memory:"
    with pytest.raises(RuntimeError, match="Database access not allowed"):
        Machine.objects.exists()


@pytest.mark.django_db
def test_one_that_asks_by_its_mark_has_one(request):
    assert request.node.get_closest_marker("database")
    assert not Machine.objects.exists()


def test_one_that_asks_by_a_fixture_has_one(request, admin_user):
    assert request.node.get_closest_marker("database")
    assert admin_user.pk
