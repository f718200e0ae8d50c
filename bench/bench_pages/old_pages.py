"""What the pages of the former system asked for: rows as JSON, for the browser to filter and draw."""

import json
from datetime import datetime, timedelta

from django.utils import timezone

from bench.much_data import DAYS
from diagnosis.models import VibrationDiagnosis
from vibration.models import Recording, VibrationData
from vibration.numbers.states import STATES

FIRST_SAMPLES = 1_000  # of each sensor


def week_of_diagnoses() -> bytes:
    """All of the last 7 days."""
    rows = VibrationDiagnosis.objects.filter(detected_at__gte=timezone.now() - timedelta(days=DAYS))
    fields = ("id", "machine__name", "detected_at", "fault_type", "model_name", "confidence")
    return json.dumps(list(rows.order_by("-detected_at").values(*fields)), default=datetime.isoformat).encode()


def first_samples() -> bytes:
    """The first of each sensor; each sensor has one recording. The former way numbered all rows of the table."""
    rows = []
    for recording in Recording.objects.select_related("sensor__machine").order_by("pk"):
        place = {"machine_name": recording.sensor.machine.name, "sensor_no": recording.sensor.sensor_no}
        samples = VibrationData.objects.filter(recording=recording).order_by("measured_time")
        values = samples.values("measured_time", "collected_at", *STATES)[:FIRST_SAMPLES]
        rows += [place | it for it in values]
    return json.dumps(rows, default=datetime.isoformat).encode()
