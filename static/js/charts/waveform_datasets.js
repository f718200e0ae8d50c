// How a waveform becomes datasets of Chart.js.

import { cssValue, stateColour } from "./colours.js";
import { STATES, hatching } from "./state_looks.js";

// Single samples further apart than this many usual steps are not joined: something is missing between them.
const GAP_STEPS = 4;
const PX_PER_POINT = 8; // samples drawn closer than this are a line without points

// A bucket is drawn as a step as wide as its time span: within it the values lay between the two edges, and nothing
// more is known. Joining centres would draw values between buckets that nobody measured.
function steps(waveform, values) {
  const points = [];
  waveform.time.forEach((time, index) => {
    const end = time + waveform.bucket_width;
    if (index && time - waveform.time[index - 1] > 1.5 * waveform.bucket_width) {
      points.push({ x: time, y: NaN, index });
    }
    points.push({ x: time, y: values[index], index }, { x: end, y: values[index], index });
  });
  return points;
}

function samples(waveform, values) {
  const distances = waveform.time.slice(1).map((time, index) => time - waveform.time[index]);
  const usual = [...distances].sort((a, b) => a - b)[distances.length >> 1];
  const points = [];
  waveform.time.forEach((time, index) => {
    if (index && distances[index - 1] > GAP_STEPS * usual) points.push({ x: time, y: NaN, index });
    points.push({ x: time, y: values[index], index });
  });
  return points;
}

export const least = (values) => values.reduce((a, b) => Math.min(a, b), Infinity);
export const greatest = (values) => values.reduce((a, b) => Math.max(a, b), -Infinity);
const spread = ({ min, max }) => greatest(max) - least(min);

// Two datasets a state, its lower and its upper edge; single samples have the lower one only. The narrower an
// envelope, the further in front it is drawn, so that none is hidden behind another.
export function waveformDatasets(waveform, names, widthPx) {
  const reduced = waveform.bucket_width > 0;
  const few = waveform.time.length * PX_PER_POINT < widthPx;
  const { states } = waveform;
  const narrowestFirst = Object.keys(states).sort((a, b) => spread(states[a]) - spread(states[b]));
  return Object.entries(states).flatMap(([state, { min, max }]) => {
    const colour = stateColour(state);
    const look = {
      state,
      label: names[state],
      order: narrowestFirst.indexOf(state),
      borderColor: colour,
      pointStyle: STATES[state].point,
      pointBackgroundColor: colour,
    };
    const edge = { ...look, borderWidth: 1, pointRadius: 0, pointHitRadius: 0, pointHoverRadius: 0 };
    return reduced
      ? [
          { ...edge, data: steps(waveform, min), fill: false },
          { ...edge, data: steps(waveform, max), fill: { target: "-1" }, backgroundColor: hatching(state) },
        ]
      : [
          {
            ...look,
            data: samples(waveform, min),
            fill: false,
            borderWidth: 1.5,
            borderDash: STATES[state].dash,
            pointRadius: few ? 3.5 : 0,
            pointHoverRadius: 5,
          },
        ];
  });
}

// A second recording over the first: the edges only, dashed, so that the first is seen through it.
export function overlayDatasets(waveform, names, widthPx) {
  return waveformDatasets(waveform, names, widthPx).map((dataset) => ({
    ...dataset,
    overlay: true,
    order: dataset.order - Object.keys(STATES).length,
    fill: false,
    borderWidth: 2,
    borderDash: [4, 4],
    pointBackgroundColor: cssValue("--panel"),
  }));
}
