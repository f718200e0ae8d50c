// The table of the highest peaks of a spectrum.

import { paintSwatches } from "../charts/state_looks.js";
import { fixed, write } from "../rounding.js";

// `peaks` by name, of the names that are `chosen`; `text.states` says each name.
export function listPeaks(panel, chosen, peaks, text) {
  const place = (name) => panel.querySelector(`[data-${name}]`);
  const listed = chosen.filter((state) => peaks[state].length);
  const rows = listed.flatMap((state) => peaks[state].map((peak) => peakRow(state, peak)));
  // Where the table has a column for it: what the peaks are of.
  if (place("peaks-of")) {
    for (const state of listed) {
      const own = rows.filter((row) => row.dataset.peakOf === state);
      own[0].prepend(heading(text.states[state], state, own.length));
    }
  }
  place("peaks").tBodies[0].replaceChildren(...rows);
  place("peaks").hidden = !listed.length;
  place("no-peaks").hidden = listed.length > 0;
  place("marks").hidden = !listed.length;
  paintSwatches();
}

function peakRow(state, { frequency, amplitude, order }) {
  const row = document.createElement("tr");
  row.dataset.peakOf = state;
  write(row.insertCell(), frequency, (number) => fixed.format(number));
  write(row.insertCell(), amplitude);
  if (order !== null) write(row.insertCell(), order, (number) => fixed.format(number));
  return row;
}

function heading(words, state, rows) {
  const heading = document.createElement("th");
  heading.scope = "rowgroup";
  heading.rowSpan = rows;
  const swatch = document.createElement("canvas");
  swatch.className = "swatch";
  swatch.dataset.swatch = state;
  swatch.ariaHidden = "true";
  const name = document.createElement("span");
  name.textContent = words;
  const both = document.createElement("span");
  both.className = "state-name";
  both.append(swatch, name);
  heading.append(both);
  return heading;
}
