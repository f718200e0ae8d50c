"""The frequencies at which a rolling bearing's defects are struck, from its geometry: pure numbers, no Django."""

import math
from dataclasses import dataclass

MIN_ELEMENTS, MAX_ELEMENTS = 3, 200


class NoBearing(ValueError):
    """No bearing has this geometry; the message says why, `field` which number of it is wrong."""

    def __init__(self, field: str, message: str):
        super().__init__(message)
        self.field = field


@dataclass(frozen=True)
class FaultOrders:
    """Blows in a revolution of the shaft."""

    bpfo: float  # each rolling element passes a place of the outer ring
    bpfi: float  # each passes a place of the inner ring
    bsf: float  # a rolling element spins so often; a place of it strikes both rings, so twice in a turn
    ftf: float  # the cage turns so often


def fault_orders(
    rolling_elements: int, ball_diameter_mm: float, pitch_diameter_mm: float, contact_angle_deg: float = 0.0
) -> FaultOrders:
    """Of a bearing whose inner ring turns with the shaft while the outer one stands still, and nothing slips.

    By R. B. Randall and J. Antoni, Rolling element bearing diagnostics: a tutorial, Mechanical Systems and Signal
    Processing 25, 2011, 485-520, equations 1 to 4. Real bearings slip by 1 to 2 %. Raises NoBearing.
    """
    _check(rolling_elements, ball_diameter_mm, pitch_diameter_mm, contact_angle_deg)
    ratio = ball_diameter_mm / pitch_diameter_mm * math.cos(math.radians(contact_angle_deg))
    return FaultOrders(
        bpfo=rolling_elements / 2 * (1 - ratio),
        bpfi=rolling_elements / 2 * (1 + ratio),
        bsf=pitch_diameter_mm / (2 * ball_diameter_mm) * (1 - ratio * ratio),
        ftf=(1 - ratio) / 2,
    )


def _check(elements: int, ball_mm: float, pitch_mm: float, angle_deg: float) -> None:
    """Raises NoBearing. Comparisons are so that what is not a number fails."""
    if not MIN_ELEMENTS <= elements <= MAX_ELEMENTS:
        raise NoBearing("rolling_elements", f"{elements} rolling elements; give {MIN_ELEMENTS} to {MAX_ELEMENTS}.")
    if not 0 < pitch_mm < math.inf:
        raise NoBearing("pitch_diameter_mm", f"A pitch diameter of {pitch_mm:g} mm; give one above 0.")
    if not 0 < ball_mm < pitch_mm:
        raise NoBearing(
            "ball_diameter_mm",
            f"Rolling elements of {ball_mm:g} mm; give a diameter above 0 and below the pitch diameter of "
            f"{pitch_mm:g} mm.",
        )
    # The pitch circle goes through their centres, which are so far apart at most.
    apart_mm = pitch_mm * math.sin(math.pi / elements)
    if not ball_mm <= apart_mm:
        raise NoBearing(
            "rolling_elements",
            f"{elements} rolling elements of {ball_mm:g} mm find no room on a pitch diameter of {pitch_mm:g} mm: each "
            f"has {apart_mm:.4g} mm. Check all three.",
        )
    if not 0 <= angle_deg < 90:
        raise NoBearing("contact_angle_deg", f"A contact angle of {angle_deg:g} degrees; give 0 to below 90.")
