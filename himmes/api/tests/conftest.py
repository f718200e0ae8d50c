"""Programs with a token, for the tests of the API."""

import pytest

from himmes.api.tests.api_world import Program, make_program


@pytest.fixture
def collector(roles) -> Program:
    return make_program(roles, "collector")


@pytest.fixture
def diagnoser(roles) -> Program:
    return make_program(roles, "diagnoser")
