"""Numbers rounded for the eye, as templates show them; all digits are a download away."""

import math

DIGITS = 4
TIMES = "\N{MULTIPLICATION SIGN}"
PLAIN = (1e-4, 1e6)  # what is smaller or larger is written with a power of ten


def significant(value: float | None, digits: int = DIGITS) -> str:
    """A number with so many significant digits, grouped by thousands: "1,500", "0.02041"; None: ""."""
    if value is None:
        return ""
    if not value:
        return "0"
    if not PLAIN[0] <= abs(value) < PLAIN[1]:
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        return f"{_without_zeros(mantissa)}{TIMES}10{str(int(exponent)).translate(_RAISED)}"
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return _without_zeros(f"{value:,.{places}f}")


_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def _without_zeros(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text
