import pytest

from common.limits.at_once import AtOnce, Busy


def test_no_more_than_the_places_are_worked_on_at_one_time():
    uploads = AtOnce(2, "uploads")
    with (
        uploads.place(),
        uploads.place(),
        pytest.raises(Busy, match="busy with uploads of others"),
        uploads.place(),
    ):
        pass
    with uploads.place():
        pass


def test_a_failure_gives_its_place_back():
    uploads = AtOnce(1, "uploads")
    for _ in range(3):
        with pytest.raises(ValueError), uploads.place():
            raise ValueError
