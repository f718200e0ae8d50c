// The fault frequencies of bearings: a table of them, and marks in a spectrum.

import { ask } from "../api.js";
import { cssValue } from "../charts/colours.js";
import { write } from "../rounding.js";
import { fill } from "../texts.js";
import { ordinal } from "./scales.js";

export const KINDS = ["bpfo", "bpfi", "bsf", "ftf"];
const MULTIPLES = 3; // that are marked of each

// The answer of the API, or null where there was none: the spectrum is then shown without.
export async function readFaults(url) {
  const { ok, body } = await ask(url, "");
  return ok ? body : null;
}

// What is to be known of them, in words.
export function aboutFaults(answer, text) {
  if (!answer) return text.faults_not_read;
  if (!answer.bearings.length) return text.faults_none;
  const sentences = answer.bearings
    .filter(({ reason }) => text.faults_reasons[reason])
    .map(({ name, reason }) => fill(text.faults_reasons[reason], { name }));
  if (answer.bearings.some(({ bpfo }) => bpfo !== null)) {
    sentences.push(text.faults_marked);
    if (answer.shaft_source === "rated") sentences.push(text.faults_rated);
  }
  return sentences.join(" ");
}

export function listFaults(table, { bearings }) {
  table.hidden = !bearings.length;
  table.tBodies[0].replaceChildren(
    ...bearings.map((bearing) => {
      const row = document.createElement("tr");
      const name = document.createElement("th");
      name.scope = "row";
      name.textContent = bearing.name;
      row.append(name);
      for (const kind of KINDS) write(row.insertCell(), bearing[kind], ordinal);
      return row;
    }),
  );
}

// Options of chartjs-plugin-annotation, by name: a line of each multiple within the scale.
export function faultAnnotations({ bearings }, scale) {
  const marks = bearings.flatMap((bearing) =>
    KINDS.filter((kind) => bearing[kind] !== null).flatMap((kind) =>
      Array.from({ length: MULTIPLES }, (_, index) => ({ bearing, kind, multiple: index + 1, hz: bearing[kind] * (index + 1) })),
    ),
  );
  const shown = marks.filter(({ hz }) => hz >= scale.min && hz <= scale.max);
  return Object.fromEntries(
    shown.map(({ bearing, kind, multiple, hz }, index) => [
      `fault${index}`,
      {
        type: "line",
        scaleID: "x",
        value: hz,
        borderColor: cssValue("--quiet"),
        borderWidth: 1,
        borderDash: [2, 4],
        label: {
          display: multiple === 1,
          content: bearings.length > 1 ? `${bearing.name} ${kind.toUpperCase()}` : kind.toUpperCase(),
          position: "end",
          // One below the other: those of a bearing lie close together.
          yAdjust: -17 * KINDS.indexOf(kind),
          padding: { x: 3, y: 1 },
          font: { size: 11, weight: "normal" },
          color: cssValue("--bs-body-color"),
          backgroundColor: cssValue("--panel"),
        },
      },
    ]),
  );
}
