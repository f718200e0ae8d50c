"""Dates as the plant writes them, on a 24-hour clock."""

DATE_FORMAT = "Y년 n월 j일"
DATETIME_FORMAT = "Y-m-d H:i:s"
SHORT_DATETIME_FORMAT = "n월 j일 H:i"
TIME_FORMAT = "H:i"
