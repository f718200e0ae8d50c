"""What a file of captures is taken for, as `import_captures` prints it."""

import io
import sys

from django.utils import timezone
from rich.console import Console
from rich.table import Table

from common.printable import printable
from common.terminal import cell
from vibration.captures.understanding import Understood
from vibration.formats.applying import Signal

SHOWN_STRETCHES = 3


def understood_text(found: Understood) -> str:
    """Each column with its use and why, then rate, start and length of the signals, and what is doubtful or wrong."""
    lines = [f"{printable(found.path)} ({found.table.format}) is taken for:", _columns(found)]
    lines += [f"  {printable(str(reason))}" for reason in found.general_reasons]
    lines += _stretches(found)
    lines += [f"  to be said first: {printable(str(doubt))}" for doubt in found.doubts]
    if found.problem:
        lines.append(f"  {printable(found.problem.reason)}")
    return "\n".join(lines) + "\n"


def _columns(found: Understood) -> str:
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for name in ("  column", "is", "unit", "because"):
        table.add_column(name, overflow="fold")
    for it in found.columns:
        use = f"axis {it.axis}" if it.axis else it.use
        unit = "" if it.use != "axis" else it.unit or "unknown"
        table.add_row(*map(cell, (f"  {it.column}", use, unit, "; ".join(map(str, it.reasons)))))
    text = io.StringIO()
    Console(file=text, width=None if sys.stdout.isatty() else 120).print(table)
    return text.getvalue().rstrip("\n")


def _stretches(found: Understood) -> list[str]:
    """One line for each stretch of time that the axes have, of many the first ones."""
    stretches: dict[tuple[int, int, float], list[Signal]] = {}
    for signal in found.signals:
        stretches.setdefault((signal.offset_us, len(signal.values), signal.sampling_hz), []).append(signal)
    lines = []
    for (_offset, size, rate), its in list(stretches.items())[:SHOWN_STRETCHES]:
        start = timezone.localtime(its[0].started_at).isoformat() if its[0].started_at else "a start that nothing tells"
        axes = ", ".join(it.axis for it in its)
        lines.append(f"  {printable(axes)}: {size:,} samples at {rate:.9g} Hz, {size / rate:.6g} s from {start}")
    if (more := len(stretches) - SHOWN_STRETCHES) > 0:
        lines.append(f"  and {more:,} more")
    return lines
