"""The small world that the tests of diagnoses speak of: what an AI said of g1 and others, some minutes ago."""

from datetime import datetime, timedelta

import numpy as np
from django.utils import timezone

from diagnosis.history.reading import microseconds
from diagnosis.storage.writing import post_diagnoses
from machines.models import Machine


def ago(minutes: float) -> datetime:
    return timezone.now() - timedelta(minutes=minutes)


def post(machine: str, *said: tuple, model: str = "cnn", confidence: float = 0.9) -> Machine:
    """Pairs of an instant, or of minutes ago, and a state."""
    instants = [at if isinstance(at, datetime) else ago(at) for at, _state in said]
    post_diagnoses(
        {
            "machine_name": [machine] * len(said),
            "detected_at": np.array([microseconds(at) for at in instants], np.int64).astype("datetime64[us]"),
            "fault_type": [state for _at, state in said],
            "model_name": [model] * len(said),
            "confidence": np.full(len(said), confidence),
        }
    )
    return Machine.objects.get(name=machine)
