// How a spectrum becomes datasets of Chart.js: a line of each name, marks of its peaks, and a second spectrum over it.

import { cssValue, stateColour } from "../charts/colours.js";
import { STATES } from "../charts/state_looks.js";
import { height } from "./scales.js";

const PEAK_RADIUS_PX = 7;
const PX_PER_POINT = 8; // bins drawn closer than this are a line without points
const SIGNAL = "signal"; // of a capture: of one colour, so what lies over it has another

// Each point has its frequency x (Hz), its amplitude as it is, and as y where that stands on the axis.
const points = (frequency, values, scale) =>
  frequency.map((x, index) => ({ x, y: height(values[index], scale), amplitude: values[index], index }));

export function spectrumDatasets({ frequency, amplitude, peaks }, { chosen, scale, names, width }) {
  const look = (state) => ({
    state,
    label: names[state],
    borderColor: stateColour(state),
    hidden: !chosen.includes(state),
  });
  const few = frequency.length * PX_PER_POINT < width;
  const lines = Object.entries(amplitude).map(([state, values]) => ({
    ...look(state),
    data: points(frequency, values, scale),
    borderWidth: 1.25,
    borderDash: STATES[state].dash,
    pointRadius: few ? 2.5 : 0,
    pointHoverRadius: 3,
    order: 1,
  }));
  const marks = Object.entries(peaks).map(([state, found]) => ({
    ...look(state),
    marks: true,
    data: found
      .map((peak) => ({ ...peak, x: peak.frequency, y: height(peak.amplitude, scale) }))
      .sort((a, b) => a.x - b.x),
    showLine: false,
    pointStyle: STATES[state].point,
    pointRadius: PEAK_RADIUS_PX,
    pointHoverRadius: PEAK_RADIUS_PX + 2,
    pointBackgroundColor: "transparent",
    pointBorderWidth: 2,
    order: 0,
  }));
  return [...lines, ...marks];
}

// A second one over it, dashed; its frequencies times `stretch`, its amplitudes times `factor`.
export function overlayDatasets({ frequency, amplitude }, { chosen, scale, names, stretch, factor }) {
  const stretched = frequency.map((it) => it * stretch);
  return Object.entries(amplitude).map(([state, values]) => ({
    state,
    overlay: true,
    label: names[state],
    borderColor: state === SIGNAL ? cssValue("--bs-body-color") : stateColour(state),
    hidden: !chosen.includes(state),
    data: points(stretched, values.map((it) => it * factor), scale),
    borderWidth: 1.5,
    borderDash: [5, 4],
    pointRadius: 0,
    pointHoverRadius: 3,
    order: 0,
  }));
}

// The greatest amplitude of all lines that are drawn.
export const greatestOf = (datasets) =>
  datasets
    .filter((it) => !it.hidden && !it.marks)
    .reduce((most, { data }) => data.reduce((a, { amplitude }) => Math.max(a, amplitude), most), 0);
