"""How files and people write the units of a signal."""

import pytest

from vibration.signals.units import OF_REFUSED, OF_SPELLING, Unit, UnknownUnit, _plain, unit_of


@pytest.mark.parametrize(
    "text",
    [
        "m/s2",
        "m/s²",
        "m/s^2",
        "m/s/s",
        "m/s**2",
        "M/S2",
        " m / s2 ",
        "[m/s^2]",
        "(m/s2)",
        "ms-2",
        "m·s⁻²",
        "m*s^-2",
        "㎨",
    ],
)
def test_metres_per_second_squared(text):
    assert unit_of(text) is Unit.M_S2


@pytest.mark.parametrize("text", ["g", "G", "gn", "g_n", "gee", "[g]", "(G)", "g0"])
def test_g_is_gravity_and_no_gram(text):
    assert unit_of(text) is Unit.G


@pytest.mark.parametrize("text", ["mm/s", "mm/sec", "MM/S", "mm s-1", "mm·s⁻¹", "[mm/s]", "㎜/s"])
def test_millimetres_per_second(text):
    assert unit_of(text) is Unit.MM_S


@pytest.mark.parametrize("text", ["", "  ", "-", "[-]", "unknown"])
def test_a_unit_that_is_not_known_is_said_to_be_so(text):
    assert unit_of(text) is Unit.UNKNOWN


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("µm", "displacement"),
        ("μm", "displacement"),
        ("mils", "displacement"),
        ("mV", "voltage"),
        ("counts", "counts of a converter"),
        ("mm/s RMS", "a figure such as an RMS"),
        ("g pk-pk", "a figure such as an RMS"),
        ("furlong", "no unit that is known"),
        ("in/s", "no unit that is known"),
        ("kg", "no unit that is known"),
    ],
)
def test_another_unit_is_refused_with_what_was_found_and_what_is_known(text, why):
    with pytest.raises(UnknownUnit) as error:
        unit_of(text)
    assert why in str(error.value)
    assert repr(text) in str(error.value)
    assert "'m/s2', 'g', 'mm/s'" in str(error.value)


@pytest.mark.parametrize("unit", Unit)
def test_a_unit_as_it_is_stored_is_read_as_itself(unit):
    assert unit_of(unit.value) is unit


@pytest.mark.parametrize("spelling", [*OF_SPELLING, *OF_REFUSED])
def test_every_spelling_is_one_that_can_be_met(spelling):
    assert _plain(spelling) == spelling
