"""What the names of columns, their units and the lines above them say: time, axis, speed, or none of these."""

import re
import unicodedata
from typing import Literal

from vibration.signals.units import UnknownUnit, unit_of

Role = Literal["time", "index", "rpm", "other", "axis"]
MAX_AXIS_CHARACTERS = 20
MAX_NAME_CHARACTERS = 100

# Units of a time column, and what a mapping calls the time then.
TIME_UNITS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds", "초"), "s"),
    **dict.fromkeys(("ms", "msec", "millis", "millisecond", "milliseconds", "밀리초"), "ms"),
    **dict.fromkeys(("us", "µs", "μs", "usec", "micros", "microsecond", "microseconds"), "us"),
    **dict.fromkeys(("ns", "nsec", "nanos", "nanosecond", "nanoseconds"), "ns"),
}
_WORDS: dict[Role, str] = {
    "time": """
        time t ts timestamp timestamps stamp xvalue elapsed elapsedtime measuredtime datetime epoch unixtime
        시간 측정시간 시각 측정시각 일시 측정일시 경과시간
    """,
    "index": "index idx no number sample sampleno samplenumber row 번호 순번 샘플 샘플번호",
    "rpm": "rpm speed rotationspeed rotationalspeed shaftspeed 회전수 회전속도",
    "other": """
        temp temperature 온도 humidity 습도 label class state status fault 라벨 상태 comment comments 비고 date 날짜
        at total magnitude resultant absolute absoluteacceleration 합성 합성값
    """,
}
_ROLES: dict[str, Role] = {word: role for role, words in _WORDS.items() for word in words.split()}
_AXIS = re.compile(
    r"(?:a|v|g|acc|accel|acceleration|accelerometer|vib|vibration|vel|velocity|axis|dir|가속도|진동|속도)?"
    r"([xyz])(?:axis|dir|방향|축)?(?:acc|accel|acceleration|가속도|진동)?"
)
# Bounded, so that a line of any length costs what it is long.
_RATE = re.compile(
    r"(?:sampl\w{0,8}[\s_-]{0,4}(?:rate|freq\w{0,8})|\bfs\b|\brate\b|"
    r"샘플링\s{0,4}(?:주파수|속도|레이트)?|표본화\s{0,4}주파수)"
    r"(?P<unit>\s{0,4}[(\[]\s{0,4}k?hz\s{0,4}[)\]])?[\s:=,;]{0,8}"
    r"(?P<number>[0-9]{1,40}(?:\.[0-9]{1,40})?)\s{0,4}(?P<after>k?hz\b|k?s/s\b)?",
    re.IGNORECASE,
)


def name_and_unit(text: str) -> tuple[str, str]:
    """A name, and the unit in brackets behind it, after a space or a `_`: "ax (g)", "X[m/s²]", "accel_x m/s2"."""
    text = text.strip().strip("\"'").strip()
    if len(text) > MAX_NAME_CHARACTERS:
        return text[:MAX_NAME_CHARACTERS], ""
    if text.endswith((")", "]")):
        name, opening, inside = text[:-1].rpartition("(" if text.endswith(")") else "[")
        if opening and text[-1] not in inside:
            return (name.strip(), inside.strip()) if name.strip() else (text, "")
    for mark in (" ", "_"):
        name, _, last = text.rpartition(mark)
        if name.strip() and (is_known_unit(last) or (time_unit(last) and role_of(name) == "time")):
            return name.strip(), last
    return text, ""


def read_unit(text: str) -> str:
    """The unit that a text names, as it is stored; empty for none. Raises UnknownUnit."""
    return str(unit_of(text).value)


def is_known_unit(text: str) -> bool:
    """Whether it is a unit of a signal, and not empty."""
    try:
        return bool(read_unit(text))
    except UnknownUnit:
        return False


def time_unit(text: str) -> str | None:
    """What a mapping calls a time in this unit: s, ms, us or ns; None for what is no unit of time."""
    return TIME_UNITS.get(text.strip("()[]. ").lower())


def seems_unit(text: str) -> bool:
    """Whether a cell below a header may be a unit: a known one, or one in brackets, or a short one of others."""
    bare = text.strip("()[] ")
    is_bracketed = bool(re.fullmatch(r"\([^()]*\)|\[[^\[\]]*\]", text.strip()))
    is_short_word = bool(
        re.fullmatch(r"(?:°?[CFK]|℃|rpm|r/min|hz|k?v|m?v|k?pa|bar|%|-|n|nm|a|ma)", bare, re.IGNORECASE)
    )
    return is_known_unit(bare) or time_unit(bare) is not None or is_bracketed or is_short_word


def bare_name(name: str) -> str:
    """In small letters, composed, without what separates words."""
    return re.sub(r"[\s_\-.:/#%'\"]", "", unicodedata.normalize("NFKC", name)).lower()


def role_of(name: str) -> Role:
    """What a column of this name is; an axis where the name says nothing else."""
    return _ROLES.get(bare_name(name), "axis")


def axis_of(name: str) -> str:
    """The name of an axis: x, y or z where the name of the column says so; else that name, cleaned and cut."""
    last = name.rpartition("/")[2]  # of a group and a channel
    if found := _AXIS.fullmatch(bare_name(last)):
        return found[1]
    return unicodedata.normalize("NFC", last).strip()[:MAX_AXIS_CHARACTERS].strip()


def rate_in(note: str) -> float | None:
    """The sampling rate in Hz that a line names, such as "Sampling rate: 25.6 kHz" or "fs = 1000"."""
    found = _RATE.search(note)
    if found is None:
        return None
    unit = (found["after"] or found["unit"] or "").strip(" ()[]").lower()
    return float(found["number"]) * (1_000 if unit.startswith("k") else 1) or None
