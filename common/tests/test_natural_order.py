from common.natural_order import natural


def test_numbers_in_names_count_as_numbers():
    names = ["g10", "g2", "G1", "3호기", "펌프 12-2", "펌프 2-10", "g", "", "10", "g1"]
    assert sorted(names, key=natural) == ["", "3호기", "10", "g", "G1", "g1", "g2", "g10", "펌프 2-10", "펌프 12-2"]
