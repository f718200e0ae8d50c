from datetime import timedelta

import numpy as np
from django.core.management.base import CommandError
from django.utils import timezone

from common.terminal import TerminalCommand
from diagnosis.history.reading import microseconds
from diagnosis.sample_acts import act_on_samples
from diagnosis.storage.writing import post_diagnoses
from diagnosis.synthetic import make_confidences, make_story
from machines.models import Machine
from vibration.numbers.classifying import RowClass

MODEL = "synthetic"
ROWS_PER_POST = 10_000


class Command(TerminalCommand):
    help = (
        "Store synthetic diagnoses of all machines, up to now, to try the pages out, and what a made-up operator does "
        "about their alarms. Model and operator are called 'synthetic'. They say nothing about any machine."
    )

    def add_arguments(self, parser):
        parser.add_argument("--days", type=float, default=7, help="How far back (7).")
        parser.add_argument("--per-day", type=int, default=200, help="Diagnoses a day of each machine (200).")
        parser.add_argument("--seed", type=int, default=12, help="Another number makes other diagnoses (12).")

    def handle(self, *args, days, per_day, seed, **options):
        if not 0 < days <= 3_660:
            raise CommandError("--days must be between 0 and 3660.")
        if not 1 <= per_day <= 86_400:
            raise CommandError("--per-day must be from 1 to 86400.")
        count = max(1, round(days * per_day))
        machines = list(Machine.objects.order_by("name").values_list("name", flat=True))
        if not machines:
            raise CommandError("There are no machines. Import recordings first, or add machines in the admin.")
        now = timezone.now().replace(microsecond=0)
        at = microseconds(now) - np.arange(count)[::-1] * round(
            timedelta(days=days) / timedelta(microseconds=1) / count
        )
        stored = 0
        for number, name in enumerate(machines):
            random = np.random.default_rng([seed, number])
            states, came = make_story(number, count, days * 24, random)
            instants, states, confidences = at[came], states[came], make_confidences(count, random)[came]
            for first in range(0, len(instants), ROWS_PER_POST):
                part = slice(first, first + ROWS_PER_POST)
                length = len(instants[part])
                stored += post_diagnoses(
                    {
                        "machine_name": [name] * length,
                        "detected_at": instants[part].astype("datetime64[us]"),
                        "fault_type": states[part].tolist(),
                        "model_name": [MODEL] * length,
                        "confidence": confidences[part],
                    },
                    poster="make_sample_diagnoses",
                ).count(RowClass.NEW)
        self.stdout.write(f"{stored:,} synthetic diagnoses of {len(machines)} machines")
        if done := act_on_samples(MODEL):
            self.stdout.write(f"{done} acts of a synthetic operator about their alarms")
