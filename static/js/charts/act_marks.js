// What people did about alarms, as marks of a chart: a tick for an acknowledgement, a square for an outcome, lines for a
// note, each in a circle.

import { cssValue } from "./colours.js";

const SIZE = 16;
const DRAWN = {
  acknowledge: (pen) => {
    pen.moveTo(4.5, 8.5);
    pen.lineTo(7, 11);
    pen.lineTo(11.5, 5.5);
  },
  close: (pen) => pen.rect(5.5, 5.5, 5, 5),
  note: (pen) => {
    for (const y of [5.5, 8, 10.5]) {
      pen.moveTo(5, y);
      pen.lineTo(11, y);
    }
  },
};

// A picture of it, of so many pixels a unit. A point of Chart.js takes it as its style, and draws it a unit a pixel.
export function actMark(kind, pixels = 1) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIZE * pixels;
  Object.assign(canvas.style, { width: `${SIZE}px`, height: `${SIZE}px` });
  canvas.setAttribute("aria-hidden", "true");
  const pen = canvas.getContext("2d");
  pen.scale(pixels, pixels);
  pen.strokeStyle = cssValue("--bs-body-color");
  pen.fillStyle = cssValue("--panel");
  pen.lineWidth = 1.5;
  pen.beginPath();
  pen.arc(SIZE / 2, SIZE / 2, SIZE / 2 - 1, 0, 2 * Math.PI);
  pen.fill();
  pen.stroke();
  pen.beginPath();
  DRAWN[kind](pen);
  pen.stroke();
  return canvas;
}
