// The lines of a cursor: where they stand, how a chart draws them, and which of them lies near a pixel.

import { cssValue } from "../charts/colours.js";

export const HARMONICS = 10;
export const SIDEBANDS = 5; // to each side
const LABELLED_APART_PX = 26; // labels closer than that would cover each other

// {multiple, hz} of each line, rising; of a sideband cursor, multiple 0 is the carrier.
export function linesOf({ kind, at, spacing }) {
  if (at === null || !kind) return [];
  if (kind === "harmonics") return series(1, HARMONICS, (multiple) => multiple * at);
  if (kind === "sidebands" && spacing) {
    return series(-SIDEBANDS, SIDEBANDS, (multiple) => at + multiple * spacing).filter(({ hz }) => hz > 0);
  }
  return [{ multiple: kind === "sidebands" ? 0 : 1, hz: at }];
}

const series = (first, last, hz) =>
  Array.from({ length: last - first + 1 }, (_, index) => ({ multiple: first + index, hz: hz(first + index) }));

// The cursor when one of its lines is taken to a frequency.
export function takenTo({ kind, at, spacing }, multiple, hz) {
  if (kind === "harmonics") return { at: hz / multiple };
  if (kind === "sidebands" && multiple) return { spacing: Math.abs(hz - at) / Math.abs(multiple) || spacing };
  return { at: hz };
}

export function nearest(lines, pixel, scale, withinPx) {
  const [closest] = lines
    .map((line) => ({ line, away: Math.abs(scale.getPixelForValue(line.hz) - pixel) }))
    .sort((a, b) => a.away - b.away);
  return closest && closest.away <= withinPx ? closest.line : null;
}

// Options of chartjs-plugin-annotation, by name; `words` says a line.
export function annotationsOf(cursor, scale, words) {
  const shown = linesOf(cursor).filter(({ hz }) => hz >= scale.min && hz <= scale.max);
  const apartPx = shown.length > 1 ? scale.getPixelForValue(shown[1].hz) - scale.getPixelForValue(shown[0].hz) : Infinity;
  const isMain = ({ multiple }) => multiple === (cursor.kind === "sidebands" ? 0 : 1);
  return Object.fromEntries(
    shown.map((line) => [
      `cursor${line.multiple}`,
      {
        type: "line",
        scaleID: "x",
        value: line.hz,
        borderColor: cssValue("--problem"),
        borderWidth: isMain(line) ? 2 : 1,
        borderDash: isMain(line) ? [] : [3, 3],
        label: {
          display: cursor.kind !== "single" && (isMain(line) || apartPx >= LABELLED_APART_PX),
          content: words(line, cursor.kind),
          position: "start",
          padding: { x: 3, y: 1 },
          font: { size: 11, weight: "normal" },
          color: cssValue("--problem"),
          backgroundColor: cssValue("--panel"),
        },
      },
    ]),
  );
}
