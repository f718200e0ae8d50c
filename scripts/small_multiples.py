"""Small pictures beside each other, as SVG: a row of each name, a column of each state, one scale in each row."""

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

import numpy as np

from bench.bench_growth.picture import STYLE

LEFT_PX, TOP_PX, PANEL_PX, HIGH_PX, GAP_PX, FOOT_PX = 76, 34, 280, 84, 12, 30
LINE = ".line { fill: none; stroke-width: 1 } .mark { stroke-dasharray: 2 3 } "


class Panel(NamedTuple):
    """One curve; its x are those of all panels of its column."""

    x: np.ndarray  # (n,)
    y: np.ndarray  # (n,)
    marks: Sequence[float] = ()  # x at which a dotted line stands


Panels = dict[str, dict[str, Panel]]  # by the name of its row, then of its column


def draw(
    panels: Panels,
    *,
    title: str,
    unit: str,  # of x
    is_signed: bool = False,  # whether y goes below 0, too
) -> str:
    """The text of an SVG file; its colours follow what the reader's browser prefers, light or dark."""
    columns = list(next(iter(panels.values())))
    width = LEFT_PX + len(columns) * (PANEL_PX + GAP_PX)
    height = TOP_PX + len(panels) * (HIGH_PX + GAP_PX) + FOOT_PX
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}{LINE}</style>",
        f'<rect class="paper" width="{width}" height="{height}"/>',
    ]
    for place, column in enumerate(columns):
        x = LEFT_PX + place * (PANEL_PX + GAP_PX) + PANEL_PX / 2
        parts.append(f'<text x="{x:.0f}" y="22" text-anchor="middle">{escape(column)}</text>')
    for row, (name, of_columns) in enumerate(panels.items()):
        top = TOP_PX + row * (HIGH_PX + GAP_PX)
        greatest = max(float(np.abs(it.y).max()) for it in of_columns.values())
        parts.append(f'<text x="4" y="{top + HIGH_PX / 2:.0f}">{escape(name)}</text>')
        parts.append(f'<text class="small" x="{LEFT_PX - 6}" y="{top + 12}" text-anchor="end">{greatest:.2g}</text>')
        for place, panel in enumerate(of_columns.values()):
            parts += _panel(panel, LEFT_PX + place * (PANEL_PX + GAP_PX), top, greatest, is_signed)
    for place, panel in enumerate(next(iter(panels.values())).values()):
        parts += _ends(panel, LEFT_PX + place * (PANEL_PX + GAP_PX), height - 10, unit)
    return "\n".join([*parts, "</svg>", ""])


def _panel(panel: Panel, left: float, top: float, greatest: float, is_signed: bool) -> list[str]:
    bottom = top + HIGH_PX
    zero, scale = (top + HIGH_PX / 2, HIGH_PX / 2) if is_signed else (bottom, HIGH_PX)
    first, last = float(panel.x[0]), float(panel.x[-1])
    xs = left + (panel.x - first) / (last - first) * PANEL_PX
    ys = zero - panel.y / (greatest or 1.0) * scale
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(xs, ys, strict=True))
    marks = [left + (it - first) / (last - first) * PANEL_PX for it in panel.marks if first <= it <= last]
    return [
        f'<line class="grid" x1="{left}" x2="{left + PANEL_PX}" y1="{zero:.1f}" y2="{zero:.1f}"/>',
        *(f'<line class="grid mark" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{bottom}"/>' for x in marks),
        f'<polyline class="flat line" points="{points}"/>',
    ]


def _ends(panel: Panel, left: float, y: float, unit: str) -> list[str]:
    return [
        f'<text class="small" x="{left}" y="{y}">{panel.x[0]:g}</text>',
        f'<text class="small" x="{left + PANEL_PX}" y="{y}" text-anchor="end">{panel.x[-1]:g} {escape(unit)}</text>',
    ]
