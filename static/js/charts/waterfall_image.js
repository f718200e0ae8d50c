// A waterfall of the API as numbers that can be looked up, and as an image of as many pixels as there is room for.

import { colourAt } from "./palette.js";

const GAP_COLUMNS = 1.5; // captures further apart than so many usual distances have a gap between
const AROUND = 4; // captures to each side that tell what is usual
const LEVELS = 255; // 0: nothing is known there

// `answer` is that of /api/waterfall, `inOrders` whether its columns are scaled by the frequency of their shafts.
export function waterfallData(answer, inOrders) {
  const { time, frequency, shaft_hz: shafts, decibels } = answer;
  const begin = Date.parse(answer.start);
  const starts = time.map((seconds) => begin + seconds * 1e3);
  const rows = frequency.length - 1;
  const levels = Uint8Array.from(atob(answer.levels), (it) => it.charCodeAt(0)); // row by row, the lowest first
  const ends = endsOf(starts, (Date.parse(answer.end) - begin) / Math.max(1, starts.length));

  // What a unit of the axis is in Hz; null where the speed is not known.
  const factor = (column) => (inOrders ? shafts[column] || null : 1);

  // The row in which a frequency in Hz lies; -1 below all, `rows` above.
  function rowAt(hz) {
    let [low, high] = [0, frequency.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (frequency[middle] <= hz) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  // The greatest level of the rows that reach into a range in Hz.
  function greatest(column, low, high) {
    const first = Math.max(0, rowAt(low));
    const last = Math.min(rows - 1, frequency[rowAt(high)] === high ? rowAt(high) - 1 : rowAt(high));
    let level = 0;
    for (let row = first; row <= last; row++) level = Math.max(level, levels[row * starts.length + column]);
    return level;
  }

  // Of a part of the axis.
  function levelOf(column, low, high) {
    const hz = factor(column);
    return hz === null ? 0 : greatest(column, low * hz, high * hz);
  }

  const inDecibels = (level) => decibels.floor + ((level - 1) / (LEVELS - 1)) * (decibels.top - decibels.floor);

  // The column that is drawn at an instant, or null.
  function columnAt(ms) {
    let [low, high] = [0, starts.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (starts[middle] <= ms) low = middle + 1;
      else high = middle;
    }
    return low && ms < ends[low - 1] ? low - 1 : null;
  }

  const speeds = shafts.filter(Boolean);
  return { answer, columnAt, ends, factor, inDecibels, inOrders, levelOf, rows, speeds, starts };
}

// Where the columns end, in milliseconds. What is usual is that of the captures around: where samples were removed one
// a day is left, and each some seconds later.
function endsOf(starts, alone) {
  const distances = starts.slice(1).map((it, index) => it - starts[index]);
  return starts.map((start, index) => {
    const around = distances.slice(Math.max(0, index - AROUND), index + AROUND + 1).sort((a, b) => a - b);
    const usual = around[around.length >> 1] ?? alone;
    return distances[index] <= GAP_COLUMNS * usual ? starts[index + 1] : start + usual;
  });
}

// A canvas of these pixels: `toX` takes an instant to a pixel from the left, `low` and `high` are the ends of the other
// axis, `range` the decibels that are told apart below the greatest. Of columns that share a pixel, and of rows, the
// greatest is drawn; where nothing is known it is transparent.
export function waterfallImage(data, { width, height, toX, low, high, range }) {
  const levels = new Uint8Array(width * height);
  const step = (high - low) / height;
  data.starts.forEach((start, column) => {
    const first = Math.max(0, Math.round(toX(start)));
    const past = Math.min(width, Math.max(Math.round(toX(start)) + 1, Math.round(toX(data.ends[column]))));
    if (first >= past || data.factor(column) === null) return;
    for (let y = 0; y < height; y++) {
      const level = data.levelOf(column, high - (y + 1) * step, high - y * step);
      for (let at = y * width + first; level && at < y * width + past; at++) levels[at] = Math.max(levels[at], level);
    }
  });
  return painted(levels, width, height, coloursOf(data, range));
}

// Of each level, as little-endian RGBA.
function coloursOf({ inDecibels, answer }, range) {
  const { top } = answer.decibels;
  return Uint32Array.from({ length: LEVELS + 1 }, (_, level) => {
    if (!level) return 0;
    const [red, green, blue] = colourAt(1 - (top - inDecibels(level)) / range);
    return (255 << 24) | (blue << 16) | (green << 8) | red;
  });
}

function painted(levels, width, height, colours) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  const image = new ImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  levels.forEach((level, at) => (pixels[at] = colours[level]));
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}
