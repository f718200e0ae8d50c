// The cursors of a spectrum: a single one, one with its harmonics, one with sidebands. A click, a tap or Enter puts it
// on the peak there, which the API finds between the bins; the arrow keys move it by a bin; its lines can be dragged.

import { ask } from "../api.js";
import { write } from "../rounding.js";
import { fill } from "../texts.js";
import { HARMONICS, SIDEBANDS, annotationsOf, linesOf, nearest, takenTo } from "./cursor_lines.js";
import { hertz, ordinal } from "./scales.js";

const NEAR_PX = { mouse: 6, pen: 12, touch: 20 };
const MOVED_PX = 5; // a press that went further is no click
const DEFAULT_SPACING_BINS = 10;
const SAME = 0.01; // of a bin: frequencies that differ by less are one

// `spectrum` is what is drawn: {chart, canvas, view, shown(), unit(), shaftHz(), highest(), amplitudeAt(hz), question(),
// drawn()}, where question() is what the API is asked for the whole of it, and drawn() draws the lines anew.
export function cursors(panel, text, spectrum) {
  const { canvas, view } = spectrum;
  const reading = panel.querySelector("[data-reading]");
  const table = panel.querySelector("[data-cursor-lines]");
  const now = () => ({ kind: view.text("cursor"), at: view.number("at"), spacing: view.number("spacing") });

  let asking = null; // the AbortController of the request under way
  let found = null; // the last answer about the lines
  let pressed = null; // {x, moved, line}: where a button or a finger went down
  let wasMoved = false; // in the last press

  // --- Where it is -------------------------------------------------------------------------------------------------

  // Set by hand: what was found about the lines is not of these.
  function place(changes) {
    found = null;
    view.set(changes);
    show();
  }

  // A cursor that was just chosen stands on something.
  function begin() {
    const { kind, at, spacing } = now();
    const changes = {};
    const shaft = spectrum.shaftHz();
    const { low, high, resolution } = spectrum.shown();
    if (kind && at === null) {
      changes.at = (kind === "harmonics" && shaft) || spectrum.highest() || (low + high) / 2;
    }
    if (kind === "sidebands" && spacing === null) changes.spacing = shaft ?? DEFAULT_SPACING_BINS * resolution;
    if (!kind) Object.assign(changes, { at: null, spacing: null });
    place(changes);
    if (kind) snap();
  }

  function step(bins) {
    const { at } = now();
    const { resolution, top } = spectrum.shown();
    place({ at: Math.max(resolution, Math.min(top, at + bins * resolution)) });
  }

  function widen(bins) {
    const { spacing } = now();
    const { resolution } = spectrum.shown();
    place({ spacing: Math.max(resolution, spacing + bins * resolution) });
  }

  // --- Reading -----------------------------------------------------------------------------------------------------

  // The peaks at the lines, and the cursor upon them; of an address that was opened only if it stands there already.
  async function snap({ stays = false } = {}) {
    const { kind, at, spacing } = now();
    if (!kind || at === null || (kind === "sidebands" && spacing === null)) return;
    asking?.abort();
    const mine = (asking = new AbortController());
    const asked = spectrum.question();
    asked.set("kind", kind === "sidebands" ? kind : "harmonics");
    asked.set("hz", at);
    if (kind === "sidebands") asked.set("spacing", spacing);
    asked.set("count", { single: 1, harmonics: HARMONICS, sidebands: SIDEBANDS }[kind]);
    let answer;
    try {
      answer = await ask(panel.dataset.cursorsUrl, asked, mine.signal);
      mine.signal.throwIfAborted();
    } catch (error) {
      if (error.name === "AbortError") return;
      throw error;
    }
    if (!answer.ok) {
      spectrum.refuse(answer);
      return;
    }
    const { base_hz: base, spacing_hz: apart, resolution } = answer.body;
    if (base === null || (stays && Math.abs(base - at) > SAME * resolution)) return;
    view.set(kind === "sidebands" ? { at: base, spacing: apart } : { at: base });
    found = answer.body;
    show();
  }

  // --- Showing -----------------------------------------------------------------------------------------------------

  function show() {
    const { kind, at } = now();
    for (const part of panel.querySelectorAll("[data-of-cursor]")) part.hidden = !kind;
    for (const part of panel.querySelectorAll("[data-of-sidebands]")) part.hidden = kind !== "sidebands";
    spectrum.drawn();
    reading.textContent = kind && at !== null ? inWords() : "";
    listLines(kind);
  }

  function inWords() {
    const { kind, at, spacing } = now();
    const sentences = [where(at)];
    if (found && kind !== "single") {
      const standing = found.lines.filter((it) => it.stands_out).length;
      const numbers = { frequency: hertz(at), spacing: spacing && hertz(spacing), standing, lines: found.lines.length };
      sentences.push(fill(text[kind], numbers));
    } else if (!found) sentences.push(text.not_snapped);
    return sentences.join(" ");
  }

  function where(at) {
    const line = found?.lines.find(({ multiple }) => multiple === (found.kind === "sidebands" ? 0 : 1));
    const amplitude = line ? line.amplitude : spectrum.amplitudeAt(at);
    if (amplitude === null) return fill(text.cursor_outside, { frequency: hertz(at) });
    const shaft = spectrum.shaftHz();
    const values = { frequency: hertz(at), value: spectrum.withUnit(amplitude), order: shaft && ordinal(at / shaft) };
    return fill(shaft ? text.cursor_order : text.cursor, values);
  }

  function listLines(kind) {
    table.hidden = !found || kind === "single";
    if (table.hidden) return;
    const shaft = spectrum.shaftHz();
    for (const cell of table.querySelectorAll("[data-line-order]")) cell.hidden = !shaft;
    table.tBodies[0].replaceChildren(
      ...found.lines.map(({ multiple, hz, amplitude, stands_out: standsOut }) => {
        const row = document.createElement("tr");
        const name = document.createElement("th");
        name.scope = "row";
        name.textContent = lineName({ multiple }, found.kind);
        row.append(name);
        write(row.insertCell(), hz, ordinal);
        if (shaft) write(row.insertCell(), hz / shaft, ordinal);
        write(row.insertCell(), amplitude);
        row.insertCell().textContent = amplitude === null ? "–" : standsOut ? text.yes : text.no;
        return row;
      }),
    );
  }

  function lineName({ multiple }, kind) {
    if (kind !== "sidebands") return fill(text.line, { multiple });
    if (!multiple) return text.carrier;
    return `${multiple > 0 ? "+" : "−"}${Math.abs(multiple)}`;
  }

  // --- Mouse and touch ---------------------------------------------------------------------------------------------

  const pixelOf = (event) => event.clientX - canvas.getBoundingClientRect().left;
  const lineAt = (event) =>
    nearest(linesOf(now()), pixelOf(event), spectrum.chart().scales.x, NEAR_PX[event.pointerType] ?? NEAR_PX.mouse);

  canvas.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary || event.button) return;
    pressed = { x: pixelOf(event), moved: false, line: lineAt(event) };
    if (pressed.line) canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!pressed) {
      canvas.style.cursor = lineAt(event) ? "ew-resize" : "";
      return;
    }
    pressed.moved ||= Math.abs(pixelOf(event) - pressed.x) > MOVED_PX;
    if (pressed.line && pressed.moved) {
      const hz = spectrum.chart().scales.x.getValueForPixel(pixelOf(event));
      place(takenTo(now(), pressed.line.multiple, hz));
    }
  });
  addEventListener("pointerup", () => {
    if (pressed?.line && pressed.moved) snap();
    wasMoved = pressed?.moved;
    pressed = null;
  });
  addEventListener("pointercancel", () => (pressed = null));
  canvas.addEventListener("click", (event) => {
    const { scales, chartArea } = spectrum.chart();
    const pixel = pixelOf(event);
    if (wasMoved || !spectrum.shown() || pixel < chartArea.left || pixel > chartArea.right) return;
    const { kind, spacing } = now();
    const [from, hz, to] = [-1, 0, 1].map((side) => scales.x.getValueForPixel(pixel + side * NEAR_PX[event.pointerType ?? "mouse"]));
    const changes = { at: spectrum.highestWithin(from, to) ?? hz };
    if (!kind) changes.cursor = "single";
    if (kind === "sidebands" && spacing === null) changes.spacing = DEFAULT_SPACING_BINS * spectrum.shown().resolution;
    place(changes);
    snap();
  });
  panel.addEventListener("click", ({ target }) => target.closest("[data-snap]") && snap());

  return {
    show,
    begin,
    // A field of the cursor was written by hand.
    moved: () => place({}),
    // What is drawn is another spectrum.
    follow() {
      found = null;
      const { kind, at } = now();
      if (kind && at === null) begin();
      else snap({ stays: true });
    },
    isDragging: () => Boolean(pressed?.line),
    isPlaced: () => Boolean(now().kind && now().at !== null),
    annotations: () => annotationsOf(now(), spectrum.chart().scales.x, lineName),
    // Whether a key means the cursor.
    press(key, { shiftKey }) {
      const bins = shiftKey ? 10 : 1;
      const { kind } = now();
      if (key === "Enter" && !kind) {
        place({ cursor: "single" });
        begin();
        return true;
      }
      if (!kind || now().at === null) return false;
      const actions = {
        ArrowLeft: () => step(-bins),
        ArrowRight: () => step(bins),
        Enter: () => snap(),
        Escape: () => place({ cursor: null, at: null, spacing: null }),
      };
      if (kind === "sidebands") Object.assign(actions, { ArrowDown: () => widen(-bins), ArrowUp: () => widen(bins) });
      actions[key]?.();
      return Boolean(actions[key]);
    },
  };
}
