import pytest

from common.limits.at_once import AtOnce, Busy


def test_no_more_than_the_slots_are_worked_on_at_one_time():
    uploads = AtOnce(2, "uploads")
    with (
        uploads.slot(),
        uploads.slot(),
        pytest.raises(Busy, match="busy with uploads of others"),
        uploads.slot(),
    ):
        pass
    with uploads.slot():
        pass


def test_a_failure_gives_its_slot_back():
    uploads = AtOnce(1, "uploads")
    for _ in range(3):
        with pytest.raises(ValueError), uploads.slot():
            raise ValueError
