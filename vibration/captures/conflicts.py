"""What became of a capture that came in; those in conflict are noted for people, and told in words."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import timezone

from machines.conflicts import Conflicting, note_conflicts
from machines.models import Machine, PostedData
from vibration.captures.incoming import NewCapture
from vibration.models import Capture
from vibration.numbers.classifying import RowClass

DIGITS = 12  # of a digest, which tell two apart


@dataclass(frozen=True)
class Stored:
    """What became of one: the capture that is stored under its key, without its samples."""

    capture: Capture
    row_class: RowClass

    @property
    def is_conflicting(self) -> bool:
        return self.row_class == RowClass.CONFLICTING


def note_conflicting(new: Sequence[NewCapture], stored: Sequence[Stored], poster: str) -> None:
    """Keep how many of one post were in conflict, with the last of each machine as example, see `note_conflicts`."""
    of_machine: dict[Machine, list[tuple[NewCapture, Capture]]] = defaultdict(list)
    for came, it in zip(new, stored, strict=True):
        if it.is_conflicting:
            of_machine[it.capture.sensor.machine].append((came, it.capture))
    for machine, conflicting in sorted(of_machine.items(), key=lambda pair: pair[0].pk):
        came, kept = conflicting[-1]
        key = f"{came.sensor} / {came.axis}, started_at {timezone.localtime(came.started_at).isoformat()}"
        last = Conflicting(key, in_words(kept), came_in_words(came))
        data, now = PostedData.CAPTURES, timezone.now()
        note_conflicts(machine, len(conflicting), last, data=data, poster=poster, now=now)


def in_words(capture: Capture) -> str:
    """What a stored capture says, short enough for a note."""
    return _in_words(capture.count, capture.sampling_hz, capture.unit, capture.rpm, capture.sha256)


def came_in_words(new: NewCapture) -> str:
    """The same of one that came."""
    return _in_words(len(new.values), new.sampling_hz, new.unit, new.rpm, new.digest)


def difference_in_words(new: NewCapture, kept: Capture) -> str:
    """In what a stored capture differs from one that came with its key."""
    pairs = [
        (f"{kept.count:,} samples", f"{len(new.values):,} samples"),
        (f"{kept.sampling_hz!r} Hz", f"{new.sampling_hz!r} Hz"),
        (f"unit {kept.unit or 'unknown'}", f"unit {new.unit or 'unknown'}"),
        (f"speed {_speed(kept.rpm)}", f"speed {_speed(new.rpm)}"),
    ]
    others = [f"{there}, here {here}" for there, here in pairs if there != here]
    return "; ".join(others) or "its samples are others"


def _in_words(count: int, sampling_hz: float, unit: str, rpm: float | None, digest: str) -> str:
    said = [f"{count:,} samples", f"{sampling_hz!r} Hz", f"unit {unit}" if unit else "no unit"]
    said += [f"{rpm!r} rpm"] if rpm is not None else []
    return ", ".join([*said, f"SHA-256 {digest[:DIGITS]}"])


def _speed(rpm: float | None) -> str:
    return "unknown" if rpm is None else f"{rpm!r} rpm"
