import argparse
import sys
from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.core.management.base import CommandError
from django.utils import timezone
from rich.console import Console
from rich.progress import track

from common.terminal import TerminalCommand
from machines.models import Machine, RegisteredBy
from vibration.management.sample_captures import DAY, Place, make_captures
from vibration.models import Capture
from vibration.signals.synthetic import DAYS, RATED_RPM, Story
from vibration.signals.units import Unit

PLACES = [
    Place("m1", "accel1", Story.LOOSENESS),
    Place("m2", "accel1", Story.DEAD, Unit.M_S2),
    Place("m3", "accel1", Story.UNBALANCE),
    Place("m4", "accel1", Story.MOVED, Unit.M_S2),
]


class Command(TerminalCommand):
    help = (
        f"Store synthetic captures of {len(PLACES)} made-up machines over {DAYS} days, up to now, to try things out: "
        "a load that swings, an unbalance that grows, looseness, a sensor that was moved, a stop, a sensor that dies. "
        "Of those older than DJANGO_KEEP_CAPTURES only the features are left. They are called 'synthetic', and say "
        "nothing about any machine."
    )

    def add_arguments(self, parser):
        parser.add_argument("--every-hours", type=hours, default=6, metavar="H", help="one capture each so often (6)")
        parser.add_argument("--seed", type=int, default=1, metavar="N", help="the same seed makes the same signals (1)")

    def handle(self, *args, every_hours, seed, **options):
        if seed < 0:
            raise CommandError("--seed must not be negative.")
        names = [it.machine for it in PLACES]
        captured = Capture.objects.filter(sensor__machine__name__in=names).values_list("sensor__machine__name")
        if there := captured.order_by("sensor__machine__name").first():
            raise CommandError(f"There are captures of {there[0]} already; nothing was made.")
        for place in PLACES:
            title = f"synthetic: {place.story}"
            fresh = {"title": title, "rated_rpm": round(RATED_RPM), "registered_by": RegisteredBy.IMPORT}
            Machine.objects.get_or_create(name=place.machine, defaults=fresh)
        end = timezone.now().replace(minute=0, second=0, microsecond=0)
        work: Iterable[int] = make_captures(
            PLACES, end=end, every=timedelta(hours=every_hours), seed=seed, kept_for=settings.KEEP_CAPTURES
        )
        if sys.stderr.isatty():
            console = Console(stderr=True)
            work = track(work, "Making synthetic captures", len(PLACES) * (DAYS + 1), console=console, transient=True)
        count = sum(work)
        self.stdout.write(f"{count:,} synthetic captures of {len(PLACES)} machines: {', '.join(names)}")


def hours(text: str) -> int:
    if text.isdecimal() and 1 <= int(text) <= DAY / timedelta(hours=1):
        return int(text)
    raise argparse.ArgumentTypeError(f"'{text}' is not a number of hours from 1 to 24")
