// The axes of a spectrum: amplitudes linear, logarithmic or in dB; frequencies in Hz, or told as orders. Points are in
// Hz and in the unit whatever the axes are; only what is drawn of them changes.

import { fixed, plain } from "../rounding.js";
import { fill } from "../texts.js";

const DECADES = 5; // of amplitudes that are shown below the greatest: more than 16 bits of a converter tell apart
const ABOVE_DB = 3; // room for the mark of a peak
const TICKS = 8;

const decibels = (amplitude) => 20 * Math.log10(amplitude);
const title = (words) => ({ display: true, text: words });
const bare = { grid: {}, border: {} };

// Where an amplitude stands on the axis; one of 0 has no place on a logarithmic one.
export function height(amplitude, scale) {
  if (scale === "") return amplitude;
  if (!(amplitude > 0)) return NaN;
  return scale === "db" ? decibels(amplitude) : amplitude;
}

// Options of Chart.js for amplitudes up to `greatest`.
export function amplitudeAxis(scale, greatest, unit, text) {
  const named = unit ? `${text.amplitude} (${unit})` : text.amplitude;
  if (scale === "" || !(greatest > 0)) {
    return { type: "linear", title: title(named), beginAtZero: true, grace: "5%", ticks: {}, ...bare };
  }
  if (scale === "log") {
    const ticks = { callback: (value) => (Math.log10(value) % 1 ? "" : plain.format(value)) };
    return { type: "logarithmic", title: title(named), min: greatest / 10 ** DECADES, max: greatest * 2, ticks, ...bare };
  }
  const words = unit ? fill(text.decibels, { unit }) : text.decibels_no_unit;
  const top = Math.ceil((decibels(greatest) + ABOVE_DB) / 10) * 10;
  return { type: "linear", title: title(words), min: top - 20 * DECADES, max: top, ticks: {}, ...bare };
}

// Options for frequencies, in Hz, or as multiples of `shaftHz`.
export function frequencyAxis(x, shaftHz, text) {
  const common = { type: "linear", ...bare };
  if (x !== "orders" || !shaftHz) {
    return { ...common, title: title(text.frequency), ticks: { maxRotation: 0, includeBounds: false } };
  }
  return {
    ...common,
    title: title(fill(text.order_axis, { hertz: plain.format(shaftHz) })),
    afterBuildTicks: (axis) => {
      axis.ticks = orderTicks(axis.min / shaftHz, axis.max / shaftHz).map((order) => ({ value: order * shaftHz }));
    },
    ticks: { maxRotation: 0, includeBounds: false, callback: (value) => plain.format(Number((value / shaftHz).toFixed(6))) },
  };
}

// Round multiples between two orders, about TICKS of them.
export function orderTicks(from, to) {
  const rough = (to - from) / TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((it) => it * power >= rough) * power;
  const first = Math.ceil(from / step);
  return Array.from({ length: Math.max(0, Math.floor(to / step) - first + 1) }, (_, index) => (first + index) * step);
}

export const hertz = (frequency) => `${plain.format(frequency)} Hz`;
export const ordinal = (order) => fixed.format(order);
