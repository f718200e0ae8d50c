// How an axis of a machine looks in a chart, and the swatches of legends: by colour (CSS variables --axis-<n>) and by the
// shape of its points, which twelve axes differ in without any colour.

import { cssValue } from "./colours.js";

const COLOURS = 6;
const SHAPES = ["circle", "triangle", "rect", "rectRot", "star", "cross"];
const LINES = ["star", "cross", "crossRot", "dash"]; // shapes without an area
const OPEN_LINES = { star: "crossRot", cross: "dash" }; // of which an outline would be the same again

// The look of an axis with this number among those of its machine.
export function axisLook(number) {
  const isOpen = number >= COLOURS;
  const shape = SHAPES[number % COLOURS];
  const colour = cssValue(`--axis-${number % COLOURS}`);
  const point = (isOpen && OPEN_LINES[shape]) || shape;
  return {
    borderColor: colour,
    pointBorderColor: colour,
    pointBackgroundColor: isOpen ? cssValue("--panel") : colour,
    pointStyle: point,
    pointBorderWidth: LINES.includes(point) ? 2 : 1.5,
    backgroundColor: `${colour}30`, // what lies between two lines; the colours are written with six digits
  };
}

// The legend's samples are painted by Chart.js as the chart is, so that they cannot differ.
export function paintAxisSwatches() {
  for (const swatch of document.querySelectorAll("[data-axis-swatch]")) {
    const look = axisLook(Number(swatch.dataset.axisSwatch));
    const { width, height } = swatch.getBoundingClientRect();
    Object.assign(swatch, { width: width * devicePixelRatio, height: height * devicePixelRatio });
    const pen = swatch.getContext("2d");
    pen.scale(devicePixelRatio, devicePixelRatio);
    pen.strokeStyle = look.borderColor;
    pen.lineWidth = 2;
    pen.beginPath();
    pen.moveTo(0, height / 2);
    pen.lineTo(width, height / 2);
    pen.stroke();
    pen.fillStyle = look.pointBackgroundColor;
    pen.lineWidth = look.pointBorderWidth;
    Chart.helpers.drawPoint(pen, { pointStyle: look.pointStyle, radius: 5, rotation: 0, borderWidth: 1 }, width / 2, height / 2);
  }
}
