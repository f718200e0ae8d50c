// How an answer of the API's trend becomes datasets of Chart.js.

import { axisLook } from "./axis_looks.js";

const PX_PER_POINT = 8; // captures drawn closer than this are a line with few points
const PX_PER_SHAPE = 90; // then the shape of an axis stands so far apart
const RADIUS_PX = 3.5;

// Where nothing was captured for longer than is usual, the line breaks off.
const isGap = ({ time, gap_s: gap }, index) => index > 0 && gap !== null && time[index] - time[index - 1] > gap;

// A bucket is drawn as a step as wide as its time: within it the values lay between the two edges, and nothing more is
// known. `toX` makes of seconds after the start what the chart has along x.
function pointsOf(series, values, toX) {
  const { bucket_width: width } = series;
  const points = [];
  series.time.forEach((time, index) => {
    const y = values[index];
    const x = toX(time);
    if (isGap(series, index) || y === null) points.push({ x, y: NaN, index });
    if (y === null) return;
    points.push({ x, y, index });
    if (width) points.push({ x: toX(time + width), y, index });
  });
  return points;
}

// Of an axis one dataset, or two where there are buckets: the least and the greatest value of each. `looks` has the
// number of the look of each series by its key, `name` its name.
export function trendDatasets(answer, { looks, name, toX, widthPx, dashed = false }) {
  return answer.series.flatMap((series, place) => {
    const { bucket_width: width } = series;
    const look = axisLook(looks.get(series.key));
    const few = series.time.length * PX_PER_POINT < widthPx;
    const every = Math.max(1, Math.round((series.time.length * (width ? 2 : 1) * PX_PER_SHAPE) / Math.max(1, widthPx)));
    const of = (which, values, more) => {
      const data = pointsOf(series, values, toX);
      return {
        ...look,
        series,
        which,
        dashed,
        label: name(series),
        data,
        borderWidth: 1.5,
        borderDash: dashed ? [6, 4] : [],
        pointRadius: data.map((_, index) => (few && !width) || (index + place * 7) % every === 0 ? RADIUS_PX : 0),
        pointHoverRadius: RADIUS_PX + 2,
        order: dashed ? -1 : 0,
        fill: false,
        ...more,
      };
    };
    if (!width) return [of("greatest", series.least)];
    return [of("least", series.least), of("greatest", series.greatest ?? series.least, dashed ? {} : { fill: { target: "-1" } })];
  });
}

// Stretches without any vibration, as [from, to] in seconds after the start.
export function flatStretches(series) {
  const { bucket_width: width } = series;
  const stretches = [];
  for (const index of series.flat) {
    const from = series.time[index];
    const next = series.time[index + 1];
    const to = width ? from + width : next !== undefined && !isGap(series, index + 1) ? next : from;
    const last = stretches.at(-1);
    if (last && last[1] >= from) last[1] = to;
    else stretches.push([from, to]);
  }
  return stretches;
}
