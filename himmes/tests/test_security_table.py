"""docs/security.md names every requirement of OWASP ASVS 5.0 level 1 once, and nothing that does not exist."""

import ast
import re
from collections import Counter

import pytest
from django.conf import settings

# Of each section of 5.0.0 how many are of level 1: in all of them the first ones
SECTIONS = (
    {"1.2": 5, "1.3": 2, "1.5": 1}
    | {"2.1": 1, "2.2": 2, "2.3": 1}
    | {"3.2": 2, "3.3": 1, "3.4": 2, "3.5": 3}
    | {"4.1": 1, "4.4": 1}
    | {"5.2": 2, "5.3": 2}
    | {"6.1": 1, "6.2": 8, "6.3": 2, "6.4": 2}
    | {"7.2": 4, "7.4": 2}
    | {"8.1": 1, "8.2": 2, "8.3": 1}
    | {"9.1": 3, "9.2": 1}
    | {"10.4": 5}
    | {"11.3": 2, "11.4": 1}
    | {"12.1": 1, "12.2": 2}
    | {"13.4": 1}
    | {"14.2": 1, "14.3": 1}
    | {"15.1": 1, "15.2": 1, "15.3": 1}
)
LEVEL_1 = [f"{section}.{number}" for section, count in SECTIONS.items() for number in range(1, count + 1)]
TEXT = (settings.BASE_DIR / "docs" / "security.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (\d+\.\d+\.\d+) \| ([^|]+) \| ([^|]*) \| (.*) \|$", TEXT, re.MULTILINE)
PROOF = re.compile(r"`((?:[\w/]+/)?[\w]+\.(?:py|toml))(?:::(\w+))?`|`([A-Z]+(?:_[A-Z]+)+)`")


def functions_of(path) -> set[str]:
    return {node.name for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.FunctionDef)}


def test_every_requirement_stands_in_the_table_once_and_in_order():
    assert len(LEVEL_1) == len(set(LEVEL_1)) == 70
    assert Counter(row[0] for row in ROWS) == Counter(LEVEL_1)
    assert [row[0] for row in ROWS] == LEVEL_1


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_what_a_line_names_exists(row):
    _number, _asks, state, shown_by = row
    proofs = PROOF.findall(shown_by)
    for file, test, setting in proofs:
        if setting:
            assert hasattr(settings, setting), setting
            continue
        path = settings.BASE_DIR / file
        assert path.is_file(), file
        assert not test or test in functions_of(path), f"{file} has no {test}"
    assert state in ("met", "n/a", "operator", "not met")
    if state == "met":
        assert proofs
    else:
        assert len(shown_by) > 30
