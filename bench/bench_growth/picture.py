"""A picture of how costs grow, as SVG: of each cost a line, of each size a dot on it, over a logarithmic axis of ms."""

import math
from html import escape
from typing import NamedTuple

LABEL_PX, PLOT_PX, GROWTH_PX, ROW_PX, TOP_PX, EDGE_PX = 290, 560, 110, 22, 64, 14
RADII_PX = (3.0, 6.5)  # of the dots of the first size and of the last
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #24292f }
.paper { fill: #ffffff } .grid { stroke: #d0d7de } .small { fill: #57606a }
.flat { stroke: #0a6b74; fill: #0a6b74 } .grown { stroke: #b35900; fill: #b35900 }
text.grown { stroke: none; font-weight: 600 } text.flat { stroke: none }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .paper { fill: #0d1117 } .grid { stroke: #30363d } .small { fill: #9ba5b0 }
  .flat { stroke: #4fc3cf; fill: #4fc3cf } .grown { stroke: #f0a04b; fill: #f0a04b }
}
"""


class Line(NamedTuple):
    name: str
    ms: list[float]  # at each size
    growth: float


def draw(lines: list[Line], sizes: list[str], goal: float) -> str:
    """The text of an SVG file; its colours follow what the reader's browser prefers, light or dark."""
    first, last = _decades(lines)
    width, bottom = LABEL_PX + PLOT_PX + GROWTH_PX, TOP_PX + len(lines) * ROW_PX

    def x_of(ms: float) -> float:
        return LABEL_PX + EDGE_PX + (math.log10(ms) - first) / (last - first) * (PLOT_PX - 2 * EDGE_PX)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {bottom + 12}" width="{width}" role="img">',
        f"<title>Milliseconds of each cost at {escape(', '.join(sizes))}</title>",
        f"<style>{STYLE}</style>",
        f'<rect class="paper" width="{width}" height="{bottom + 12}"/>',
        *_legend(sizes),
        f'<text x="{width - 8}" y="{TOP_PX - 14}" text-anchor="end" class="small">last / first</text>',
    ]
    for decade in range(first, last + 1):
        x = x_of(10.0**decade)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP_PX - 8}" y2="{bottom}"/>')
        label = f"{10.0**decade:,g} ms"
        parts.append(f'<text x="{x:.1f}" y="{TOP_PX - 14}" text-anchor="middle" class="small">{label}</text>')
    for number, line in enumerate(lines):
        y = TOP_PX + (number + 0.5) * ROW_PX
        kind = "grown" if line.growth > goal else "flat"
        xs = [x_of(ms) for ms in line.ms]
        parts.append(f'<text x="{LABEL_PX}" y="{y + 4:.1f}" text-anchor="end">{escape(line.name)}</text>')
        parts.append(f'<line class="{kind}" x1="{min(xs):.1f}" x2="{max(xs):.1f}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts += [
            f'<circle class="{kind}" fill-opacity="0.45" cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"/>'
            for x, radius in zip(xs, _radii(len(xs)), strict=True)
        ]
        parts.append(f'<text class="{kind}" x="{width - 8}" y="{y + 4:.1f}" text-anchor="end">{line.growth:.2f}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _decades(lines: list[Line]) -> tuple[int, int]:
    """Powers of ten between which all milliseconds lie."""
    everything = [ms for line in lines for ms in line.ms]
    first, last = math.floor(math.log10(min(everything))), math.ceil(math.log10(max(everything)))
    return first, max(last, first + 1)


def _legend(sizes: list[str]) -> list[str]:
    parts = ['<text x="12" y="24" class="small">samples + diagnoses:</text>']
    x = 172.0
    for size, radius in zip(sizes, _radii(len(sizes)), strict=True):
        parts.append(f'<circle class="flat" fill-opacity="0.45" cx="{x}" cy="20" r="{radius:.1f}"/>')
        parts.append(f'<text x="{x + 14}" y="24">{escape(size)}</text>')
        x += 150
    return parts


def _radii(count: int) -> list[float]:
    least, most = RADII_PX
    return [least + (most - least) * number / max(1, count - 1) for number in range(count)]
