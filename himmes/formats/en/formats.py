"""Dates that cannot be read as another day: the month is a word. On a 24-hour clock."""

DATE_FORMAT = "j M Y"
DATETIME_FORMAT = "j M Y H:i:s"
SHORT_DATETIME_FORMAT = "j M H:i"
TIME_FORMAT = "H:i"
