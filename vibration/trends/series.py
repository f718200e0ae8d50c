"""A series of a trend: an axis of a sensor, by a name that stands in query strings."""

from urllib.parse import quote


def series_key(sensor_no: str, axis: str) -> str:
    """`SENSOR_NO/AXIS`, each part percent-escaped first, so that either may have a slash."""
    return f"{quote(sensor_no, safe='')}/{quote(axis, safe='')}"
