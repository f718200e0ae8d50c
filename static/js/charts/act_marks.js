// What people did about alarms, as marks: a tick for an acknowledgement, a square for an outcome, lines for a note, each
// in a circle.

import { cssValue } from "./colours.js";

const SIZE = 16;
const CIRCLE = "M1 8a7 7 0 1 1 14 0a7 7 0 1 1 -14 0z";
const SIGNS = {
  acknowledge: "M4.5 8.5L7 11L11.5 5.5",
  close: "M5.5 5.5h5v5h-5z",
  note: "M5 5.5h6M5 8h6M5 10.5h6",
};
const LINE = 1.5;

// As a point of Chart.js takes it for its style.
export function actMark(kind) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIZE;
  const pen = canvas.getContext("2d");
  pen.strokeStyle = cssValue("--bs-body-color");
  pen.fillStyle = cssValue("--panel");
  pen.lineWidth = LINE;
  pen.fill(new Path2D(CIRCLE));
  pen.stroke(new Path2D(CIRCLE));
  pen.stroke(new Path2D(SIGNS[kind]));
  return canvas;
}

// For a legend.
export function actSymbol(kind) {
  const [svg, path] = ["svg", "path"].map((tag) => document.createElementNS("http://www.w3.org/2000/svg", tag));
  for (const [name, value] of Object.entries({ width: SIZE, height: SIZE, "aria-hidden": "true" })) svg.setAttribute(name, value);
  const drawn = { d: CIRCLE + SIGNS[kind], fill: "none", stroke: "currentColor", "stroke-width": LINE };
  for (const [name, value] of Object.entries(drawn)) path.setAttribute(name, value);
  svg.append(path);
  return svg;
}
