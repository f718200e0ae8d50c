// How a state looks in a chart, and the swatches of legends.

import { cssValue, stateColour } from "./colours.js";

// A state is told apart by its colour (CSS variable --state-<name>), by its hatching, and by its dashes and points.
export const STATES = {
  normal: { hatch: "solid", dash: [], point: "circle" },
  unbalance: { hatch: "rising", dash: [8, 3], point: "triangle" },
  looseness: { hatch: "dots", dash: [2, 2], point: "rect" },
  unbalance_looseness: { hatch: "falling", dash: [8, 3, 2, 3], point: "rectRot" },
  signal: { hatch: "solid", dash: [], point: "circle" }, // of a capture, whose state nobody knows
};
const HATCH_PX = 8;

export function hatching(state) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = HATCH_PX;
  const pen = tile.getContext("2d");
  const colour = stateColour(state);
  const { hatch } = STATES[state];
  // Almost opaque: hatchings that shine through each other could not be told apart.
  pen.globalAlpha = 0.85;
  pen.fillStyle = cssValue("--panel");
  pen.fillRect(0, 0, HATCH_PX, HATCH_PX);
  pen.globalAlpha = hatch === "solid" ? 0.4 : 0.16;
  pen.fillStyle = pen.strokeStyle = colour;
  pen.fillRect(0, 0, HATCH_PX, HATCH_PX);
  pen.globalAlpha = 0.9;
  pen.lineWidth = 1.5;
  if (hatch === "dots") {
    pen.fillRect(1, 1, 2, 2);
    pen.fillRect(5, 5, 2, 2);
  } else if (hatch !== "solid") {
    // Thrice, so that the stroke also fills the tile's corners.
    for (const shift of [-HATCH_PX, 0, HATCH_PX]) {
      const [left, right] = hatch === "rising" ? [HATCH_PX, 0] : [0, HATCH_PX];
      pen.moveTo(shift - 1, left + (left ? 1 : -1));
      pen.lineTo(shift + HATCH_PX + 1, right + (right ? 1 : -1));
    }
    pen.stroke();
  }
  return pen.createPattern(tile, "repeat");
}

// The legend's samples are painted by the same code as the chart, so that they cannot differ.
export function paintSwatches() {
  for (const swatch of document.querySelectorAll("[data-swatch]")) {
    const { width, height } = swatch.getBoundingClientRect();
    Object.assign(swatch, { width, height });
    const pen = swatch.getContext("2d");
    pen.fillStyle = hatching(swatch.dataset.swatch);
    pen.fillRect(0, 0, width, height);
    pen.strokeStyle = stateColour(swatch.dataset.swatch);
    pen.lineWidth = 2;
    pen.setLineDash(STATES[swatch.dataset.swatch].dash);
    for (const y of [1, height - 1]) {
      pen.beginPath();
      pen.moveTo(0, y);
      pen.lineTo(width, y);
      pen.stroke();
    }
  }
}
