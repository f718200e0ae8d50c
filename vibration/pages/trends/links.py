"""Addresses of trends and waterfalls."""

from datetime import datetime, timedelta

from django.urls import reverse
from django.utils import timezone

from machines.models import Sensor
from vibration.trends.series import series_key

AROUND = timedelta(days=15)


def trend_of_axis(sensor: Sensor, axis: str, at: datetime | None = None) -> str:
    """The trend of an axis, of the last 30 days; or as long around an instant that lies before."""
    return reverse("trend", query=_query(sensor, axis, at))


def waterfall_of_axis(sensor: Sensor, axis: str, at: datetime | None = None) -> str:
    """Likewise."""
    return reverse("waterfall", query=_query(sensor, axis, at))


def _query(sensor: Sensor, axis: str, at: datetime | None) -> dict[str, str]:
    query = {"machine": sensor.machine.name, "series": series_key(sensor.sensor_no, axis)}
    if at and at < timezone.now() - 2 * AROUND:
        ends = {"after": at - AROUND, "before": at + AROUND}
        query |= {name: f"{timezone.localtime(end):%Y-%m-%dT%H:%M:%S}" for name, end in ends.items()}
    return query
