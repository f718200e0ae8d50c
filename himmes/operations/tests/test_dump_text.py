"""What mysqldump writes is summed up by table, and its rows are joined to larger statements."""

import pytest

from himmes.operations.backups import dump_text
from himmes.operations.backups.archive import BackupError
from himmes.operations.backups.dump_text import copy_dump

DUMP = [
    b"/*M!999999\\- enable the sandbox mode */\n",
    b"SET NAMES utf8mb4;\n",
    b"CREATE TABLE `a` (\n",
    b"  `id` int\n",
    b");\n",
    b"\n",
    b"INSERT INTO `a` VALUES (1,'x');\n",
    b"INSERT INTO `a` VALUES (2,'y (3), VALUES (4)\\n');\n",
    b"CREATE TABLE `b``b` (`d` double);\n",
    b"INSERT INTO `b``b` VALUES (-0);\n",
    b"SET NAMES utf8mb3;\n",
]
TABLES = ["a", "b`b", "empty"]


def copied(lines, tables=TABLES):
    written = []
    sums = copy_dump(lines, tables, written.append, lambda *progress: None)
    return sums, b"".join(written)


def test_rows_are_counted_and_joined_and_all_else_stays_where_it_is():
    sums, text = copied(DUMP)
    assert {name: table.rows for name, table in sums.items()} == {"a": 2, "b`b": 1, "empty": 0}
    assert text == (
        b"SET NAMES utf8mb4;\nCREATE TABLE `a` (\n  `id` int\n);\n\n"
        b"INSERT INTO `a` VALUES \n(1,'x'),\n(2,'y (3), VALUES (4)\\n');\n"
        b"CREATE TABLE `b``b` (`d` double);\nINSERT INTO `b``b` VALUES \n(-0e0);\nSET NAMES utf8mb3;\n"
    )


def test_a_sum_does_not_depend_on_the_size_of_the_statements(monkeypatch):
    sums, text = copied(DUMP)
    monkeypatch.setattr(dump_text, "STATEMENT_BYTES", 1)
    again, split = copied(DUMP)
    assert again == sums
    assert split.count(b"INSERT INTO `a`") == 2 > text.count(b"INSERT INTO `a`")


@pytest.mark.parametrize("changed", [b"(2,'z');\n", b"(3,'y');\n", b"(2,'y'),(2,'y');\n"])
def test_a_sum_tells_a_changed_row(changed):
    start = [b"INSERT INTO `a` VALUES (1,'x');\n"]
    sums, _text = copied([*start, b"INSERT INTO `a` VALUES (2,'y');\n"])
    other, _text = copied([*start, b"INSERT INTO `a` VALUES " + changed])
    assert sums["a"] != other["a"]


def test_rows_of_a_table_that_is_left_out_are_not_written():
    sums, text = copied(DUMP, ["b`b"])
    assert set(sums) == {"b`b"}
    assert b"INSERT INTO `a`" not in text
    assert b"CREATE TABLE `a`" in text


def test_a_negative_zero_becomes_a_float_but_not_within_a_text():
    rows = b"(-0,'(-0,-0)','it\\'s (-0)','(-0)''(-0)',-0,-0.5,1e-05)"
    _sums, text = copied([b"INSERT INTO `a` VALUES " + rows + b";\n"])
    assert b"(-0e0,'(-0,-0)','it\\'s (-0)','(-0)''(-0)',-0e0,-0.5,1e-05);" in text


@pytest.mark.parametrize("line", [b"INSERT INTO `a` VALUES (1,'cut\n", b"INSERT INTO `a` SET x=1;\n"])
def test_a_line_of_another_form_is_refused_not_guessed(line):
    with pytest.raises(BackupError, match="unknown kind of line"):
        copied([line])
