"""The folder with MySQL's programs: whole under its name, or made anew."""

import pytest

from scripts import mysql_programs


@pytest.fixture
def unpacked(tmp_path, monkeypatch):
    """The folders that were unpacked into."""
    folders = []

    def unpack(folder):
        folder.mkdir()
        (folder / "program").touch()
        folders.append(folder)

    monkeypatch.setattr(mysql_programs, "FOLDER", tmp_path / "var" / "mysql")
    monkeypatch.setattr(mysql_programs, "_unpack", unpack)
    return folders


def names_in(folder):
    return [path.name for path in folder.iterdir()]


def test_a_whole_folder_is_kept(unpacked):
    for _call in range(2):
        assert names_in(mysql_programs.programs()) == ["program"]
    assert len(unpacked) == 1


def test_a_folder_that_was_left_half_made_is_made_anew(unpacked, monkeypatch):
    unpack = mysql_programs._unpack

    def break_off(folder):
        folder.mkdir()
        (folder / "half").touch()
        raise KeyboardInterrupt

    monkeypatch.setattr(mysql_programs, "_unpack", break_off)
    with pytest.raises(KeyboardInterrupt):
        mysql_programs.programs()
    assert not mysql_programs.FOLDER.exists()
    monkeypatch.setattr(mysql_programs, "_unpack", unpack)
    assert names_in(mysql_programs.programs()) == ["program"]
