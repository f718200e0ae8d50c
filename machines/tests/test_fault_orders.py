"""The fault frequencies of bearings against those that are published."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from machines.bearings import NoBearing, fault_orders

INCH_MM = 25.4
# Case Western Reserve University, Bearing Data Center, "Bearing information": SKF 6205-2RS JEM and 6203-2RS JEM,
# sizes in inches, frequencies in multiples of the running speed. "Rolling element" there is how often a place of it
# strikes a ring, twice the spin.
PUBLISHED = {
    "6205": ((9, 0.3126, 1.537), {"bpfo": 3.5848, "bpfi": 5.4152, "ftf": 0.39828, "twice the bsf": 4.7135}),
    "6203": ((8, 0.2656, 1.122), {"bpfo": 3.0530, "bpfi": 4.9469, "ftf": 0.3817, "twice the bsf": 3.9874}),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_they_are_those_that_are_published(name):
    (elements, ball, pitch), published = PUBLISHED[name]
    found = fault_orders(elements, ball * INCH_MM, pitch * INCH_MM)
    told = {"bpfo": found.bpfo, "bpfi": found.bpfi, "ftf": found.ftf, "twice the bsf": 2 * found.bsf}
    assert told == pytest.approx(published, rel=3e-4)


@settings(max_examples=50)
@given(st.integers(3, 40), st.floats(0.05, 0.99), st.floats(1, 2_000), st.floats(0, 89))
def test_each_element_passes_one_of_the_rings_and_the_cage_carries_all(elements, room, pitch, angle):
    found = fault_orders(elements, room * pitch * math.sin(math.pi / elements), pitch, angle)
    assert found.bpfo + found.bpfi == pytest.approx(elements)
    assert found.bpfo == pytest.approx(elements * found.ftf)
    assert 0 < found.ftf <= 0.5 <= elements / 2 <= found.bpfi
    assert found.bsf > 0


def test_a_thrust_bearing_whose_angle_is_nearly_right_has_a_cage_at_half_the_speed():
    found = fault_orders(12, 8, 60, 89.999999)
    assert (found.ftf, found.bsf) == pytest.approx((0.5, 60 / 16))


@pytest.mark.parametrize(
    ("geometry", "field"),
    [
        ((2, 8, 40, 0), "rolling_elements"),
        ((0, 8, 40, 0), "rolling_elements"),
        ((201, 0.1, 40, 0), "rolling_elements"),
        ((9, 0, 40, 0), "ball_diameter_mm"),
        ((9, -8, 40, 0), "ball_diameter_mm"),
        ((9, 40, 40, 0), "ball_diameter_mm"),
        ((9, math.nan, 40, 0), "ball_diameter_mm"),
        ((9, 8, 0, 0), "pitch_diameter_mm"),
        ((9, 8, math.inf, 0), "pitch_diameter_mm"),
        ((9, 8, math.nan, 0), "pitch_diameter_mm"),
        ((9, 14, 40, 0), "rolling_elements"),  # side by side they are longer than the circle
        ((9, 8, 40, 90), "contact_angle_deg"),
        ((9, 8, 40, -1), "contact_angle_deg"),
        ((9, 8, 40, math.nan), "contact_angle_deg"),
    ],
)
def test_a_geometry_that_no_bearing_has_is_refused_with_its_field(geometry, field):
    with pytest.raises(NoBearing) as refused:
        fault_orders(*geometry)
    assert refused.value.field == field
    assert isinstance(refused.value, ValueError)
