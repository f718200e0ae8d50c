"""Whoever may write into a folder that is imported can put links there, and swap them in at any moment."""

import os
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from vibration.files import watching
from vibration.files.paths import find_files, open_file
from vibration.files.watching import WatchedFolder
from vibration.management import import_command
from vibration.models import ImportRun, Recording
from vibration.tests.world import write_csv

GOOD = "0,1,2,3,4\n"
SECRET = "Zq7w9pLx2v8k5m3n6"


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "elsewhere" / "key"
    path.parent.mkdir()
    path.write_text(f"{SECRET}\n")
    return path


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "measured"
    path.mkdir()
    write_csv(path / "g1_good.csv", GOOD)
    return path


def run(*arguments) -> str:
    """All that a run says."""
    said = StringIO()
    try:
        call_command("import_vibration", *map(str, arguments), stdout=said, stderr=said)
    except CommandError as error:
        said.write(str(error))
    return said.getvalue()


@pytest.mark.django_db
def test_links_in_a_folder_are_not_followed_and_named_once(folder, secret):
    (folder / "g1_key.csv").symlink_to(secret)
    (folder / "g1_folder.csv").symlink_to(secret.parent)
    (folder / "g1_nowhere.csv").symlink_to(folder / "nowhere")
    (folder / "g1_loop.csv").symlink_to(folder / "g1_loop.csv")
    (folder / "g1_twice.csv").symlink_to(folder / "g1_good.csv")
    (folder / "notes").symlink_to(secret)
    said = run(folder)
    for name in ("key", "folder", "nowhere", "loop", "twice"):
        assert said.count(f"{folder}/g1_{name}.csv is a link, which is not followed") == 1
    assert "notes" not in said
    assert SECRET not in said
    assert str(secret.parent) not in said
    assert [record.file_name for record in ImportRun.objects.all()] == ["g1_good.csv"]


@pytest.mark.django_db
def test_a_folder_of_links_only_holds_no_files(tmp_path, secret):
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "g1_key.csv").symlink_to(secret)
    said = run(tmp_path / "links")
    assert "is a link, which is not followed" in said
    assert "no .csv or .csv.gz file in this folder" in said


@pytest.mark.django_db
def test_a_link_that_is_named_itself_is_followed(folder, tmp_path):
    real = write_csv(tmp_path / "real.csv", GOOD)
    (folder / "g1_link.csv").symlink_to(real)
    (tmp_path / "link_to_folder").symlink_to(folder)
    run(folder / "g1_link.csv", tmp_path / "link_to_folder")
    assert sorted(record.file_name for record in ImportRun.objects.all()) == ["g1_good.csv", "g1_link.csv"]
    assert Recording.objects.filter(sensor__sensor_no="link").exists()


def swap(path, what, secret) -> None:
    path.unlink()
    if what == "link":
        path.symlink_to(secret)
    elif what == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("link", "is a link, which is not followed"),
        ("pipe", "is not a regular file"),
        ("folder", "is not a regular file"),
    ],
)
def test_what_is_swapped_in_after_the_look_is_not_read(folder, secret, monkeypatch, what, reason):
    """Nothing hangs on a pipe to which nobody writes."""
    path = folder / "g1_good.csv"

    def find_and_swap(*args):
        files = find_files(*args)
        swap(path, what, secret)
        return files

    monkeypatch.setattr(import_command, "find_files", find_and_swap)
    said = run(folder)
    assert f"{path}: failed: {reason}" in said
    assert SECRET not in said
    assert not ImportRun.objects.exists()


@pytest.mark.parametrize("what", ["link", "pipe", "folder"])
def test_what_is_swapped_in_while_a_folder_is_watched_is_not_read(folder, secret, monkeypatch, what):
    path = folder / "g1_good.csv"
    monkeypatch.setattr(watching, "QUIET_S", 0.0)
    watched = WatchedFolder(folder)
    monkeypatch.setattr(watching, "files_in", lambda folder, kind: ([path], []))  # as it was a moment ago
    swap(path, what, secret)
    assert not watched._is_to_be_given(path)
    # ... or between the look at what it is and the look at its end
    (path.rmdir if what == "folder" else path.unlink)()
    write_csv(path, GOOD)
    look = watching.open_file

    def swap_and_open(path, **how):
        swap(path, what, secret)
        return look(path, **how)

    monkeypatch.setattr(watching, "open_file", swap_and_open)
    assert watched._is_to_be_given(path)  # for the importer, which opens it in the same way, to say so
    assert not watched._is_to_be_given(path)


def test_a_watched_folder_tells_of_a_link_once_while_it_is_there(folder, secret, monkeypatch):
    monkeypatch.setattr(watching, "POLL_MS", 10)
    monkeypatch.setattr(watching, "QUIET_S", 0.0)
    link, told, looks = folder / "g1_key.csv", [], 0
    link.symlink_to(secret)

    class Enough(Exception):
        pass

    def check():
        nonlocal looks
        looks += 1
        if looks == 20:
            link.unlink()
        if looks == 40:
            link.symlink_to(secret)
        if looks > 80:
            raise Enough

    given = []
    with pytest.raises(Enough):
        for path in WatchedFolder(folder, told.append).whole_files(check):
            given.append(path)
    assert given == [folder / "g1_good.csv"]
    assert told == [link, link]


def test_only_regular_files_are_opened(folder, secret):
    os.mkfifo(folder / "pipe")
    (folder / "link").symlink_to(secret)
    for name, follow, reason in (
        ("pipe", True, "is not a regular file"),
        ("pipe", False, "is not a regular file"),
        ("link", False, "is a link"),
        (".", True, "is not a regular file"),
        ("missing", True, "No such file"),
    ):
        with pytest.raises(OSError, match=reason):
            open_file(folder / name, follow=follow)
    with pytest.raises(OSError, match="is not a regular file"):
        open_file(Path("/dev/zero"), follow=True)
    with open_file(folder / "link", follow=True) as stream:
        assert stream.read().decode() == f"{SECRET}\n"
