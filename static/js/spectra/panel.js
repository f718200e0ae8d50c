// A spectrum to be looked into, in the panel of templates/vibration/spectrum_chart.html: read for the part that is
// shown, with its peaks, its cursors, and a second spectrum over it.

import { ask } from "../api.js";
import { takeOut } from "../charts/take_out.js";
import { applyTheme } from "../charts/colours.js";
import { lineOptions, lineTooltip } from "../charts/line_charts.js";
import { showProblem, tryAgainLater } from "../problem_banner.js";
import { rounded } from "../rounding.js";
import { fill } from "../texts.js";
import { cursors } from "./cursors.js";
import { greatestOf, overlayDatasets, spectrumDatasets } from "./datasets.js";
import { listPeaks } from "./peaks.js";
import { ranging } from "./ranging.js";
import { amplitudeAxis, frequencyAxis, hertz, ordinal } from "./scales.js";
import { spectrumView } from "./view.js";
import { about, aboutOverlay, aboutSpeed, whyNone } from "./words.js";

const MIN_POINTS = 100;
const MAX_POINTS = 2000; // what the API gives at most
const READ_ANEW = ["low", "high", "resolution", "window", "quantity"]; // the tools whose change needs another answer

// Hz from point to point that is drawn: of a bin, or of a group of them.
const groupOf = (frequency, resolution) => (frequency.length > 1 ? frequency[1] - frequency[0] : resolution);

// `text` says all, with the names of what is drawn in `text.states`; `form` is that of the page, whose address says
// how the spectrum is looked at. `page` tells what the two pages with spectra have of their own:
//   name             what is shown, for pictures and files;
//   chosen()         the names that are to be drawn;
//   take(body)       the answer of the API as {spectrum, spectrum_reason, samples, samples_read, pruned_before}, where
//                    amplitude and peaks of the spectrum are by name;
//   orders(body)     what the peaks are multiples of: {words, known, hz};
//   unit(view)       that of the amplitudes;
//   answered(body)   called before anything is drawn;
//   second           what is drawn over it, or nothing: {name, url, shaftHz, isComparable(view), question(asked),
//                    factor(view), answered(body)};
//   cursorQuestion(asked, view)  what the API is asked about lines, where it is not the same;
//   marks(scale)     further options of chartjs-plugin-annotation, by name.
export function spectrumPanel(panel, form, text, page) {
  const banner = panel.querySelector("[role=alert]");
  const place = (name) => panel.querySelector(`[data-${name}]`);
  const canvas = panel.querySelector(".canvas-box canvas");
  const box = canvas.parentElement;
  const view = spectrumView(panel, form, viewChanged);
  const withUnit = (value) => `${rounded(value)} ${page.unit(view)}`.trimEnd();

  let asked = null; // the window that was asked for last, to repeat it
  let answer = null; // the last one of the API
  let second = null; // the last one about what is drawn over it
  let reading = null; // the AbortController of the request under way
  let top = 0; // Hz, the highest frequency that was seen

  const shaftHz = (of = answer) => (of && page.orders(of).hz) || null;

  function shown() {
    if (!answer?.spectrum) return null;
    const { resolution } = answer.spectrum;
    return { low: view.number("low") ?? 0, high: Math.min(view.number("high") ?? top, top), top, resolution };
  }

  // --- Reading -----------------------------------------------------------------------------------------------------

  // Something else is being read: what is still to come of the old is not wanted any more.
  function wait() {
    reading?.abort();
    panel.setAttribute("aria-busy", "true");
  }

  // There is nothing to speak of.
  function clear() {
    reading?.abort();
    panel.setAttribute("aria-busy", "false");
    panel.dataset.stale = "";
  }

  function question() {
    const query = view.write(new URLSearchParams(asked ?? ""));
    const pixels = Math.round((box.clientWidth || panel.clientWidth) * devicePixelRatio); // at first it is hidden
    query.set("points", Math.min(MAX_POINTS, Math.max(MIN_POINTS, pixels)));
    return query;
  }

  // Of what is taken out nothing is reduced for the sake of a chart.
  function everyLine() {
    const query = question();
    query.delete("points");
    return query;
  }

  async function read(window) {
    wait();
    asked = window;
    const mine = (reading = new AbortController());
    try {
      await readBoth(mine.signal);
    } catch (error) {
      if (error.name === "AbortError") return;
      throw error;
    }
    panel.setAttribute("aria-busy", "false");
  }

  async function readBoth(signal) {
    const found = await ask(panel.dataset.url, question(), signal);
    signal.throwIfAborted();
    if (!found.ok) {
      refuse(found);
      panel.dataset.stale = "";
      return;
    }
    delete panel.dataset.stale;
    banner.hidden = true;
    answer = page.take(found.body);
    second = null;
    learnTop();
    page.answered?.(answer);
    show();
    if (answer.spectrum) cursor.follow();
    if (!page.second || (!answer.spectrum && !page.second.answered)) return;
    const other = await ask(page.second.url, secondQuestion(), signal);
    signal.throwIfAborted();
    if (!other.ok) {
      refuse(other);
      return;
    }
    second = page.take(other.body);
    page.second.answered?.(second);
    show();
  }

  // By order another part of it lies below what is shown.
  function secondQuestion() {
    const query = page.second.question(question());
    const stretch = byOrder() && page.second.shaftHz ? page.second.shaftHz / shaftHz() : 1;
    for (const name of ["low", "high"]) {
      if (stretch !== 1 && query.has(name)) query.set(name, Number(query.get(name)) * stretch);
    }
    return query;
  }

  const byOrder = () => view.text("x") === "orders" && shaftHz() !== null;

  function learnTop() {
    if (!answer.spectrum) return;
    const { frequency, resolution, sampling_frequency: rate } = answer.spectrum;
    const high = view.number("high");
    const seen = frequency.length ? frequency.at(-1) + resolution / 2 : 0;
    // What was asked for goes up to the end, or beyond it; else there may be more, up to half the sampling rate.
    const isEnd = high === null || seen < high - groupOf(frequency, resolution) - resolution;
    top = isEnd ? seen : Math.max(high, top || rate / 2);
  }

  function refuse(found) {
    showProblem(banner, found, text);
    tryAgainLater(banner, found);
  }

  function goTo(low, high) {
    const isWhole = low <= 0 && high >= top;
    view.set({ low: isWhole ? null : Math.max(0, low), high: isWhole ? null : Math.min(high, top) });
    read(asked);
  }

  function viewChanged(name) {
    if (READ_ANEW.includes(name) || (name === "x" && page.second)) read(asked);
    else if (name === "cursor") cursor.begin();
    else if (name === "at" || name === "spacing" || name === "state") cursor.moved();
    else show();
  }

  // --- Showing -----------------------------------------------------------------------------------------------------

  function show() {
    const { spectrum } = answer;
    const orders = page.orders(answer);
    place("about").textContent = spectrum ? about(answer, view, text) : whyNone(answer, text);
    place("peak-list").hidden = !spectrum;
    place("tools").hidden = !spectrum;
    place("marks").hidden = true;
    for (const cell of panel.querySelectorAll("[data-order]")) cell.hidden = !orders.known;
    for (const cell of panel.querySelectorAll("[data-unit-of-amplitude]")) {
      cell.textContent = page.unit(view) && `(${page.unit(view)})`;
    }
    place("orders").textContent = [orders.words, aboutSpeed(answer, text)].filter(Boolean).join(" ");
    place("range-words").textContent = [
      ...(view.text("x") === "orders" && !orders.hz ? [text.no_order_axis] : []),
      ...(view.number("low") === null && view.number("high") === null ? [] : [inRange()]),
    ].join(" ");
    const speeds = { first: orders.hz, second: second && shaftHz(second) };
    place("overlay").textContent = page.second
      ? aboutOverlay(answer, second, { name: page.second.name, byOrder: byOrder(), speeds, isComparable: page.second.isComparable(view) }, text)
      : "";
    draw();
  }

  function inRange() {
    const { low, high } = shown() ?? {};
    return low === undefined ? "" : fill(text.shown_range, { low: rounded(low), high: rounded(high) });
  }

  function draw() {
    if (!answer?.spectrum) return;
    const chosen = page.chosen();
    const scale = view.text("scale");
    const look = { chosen, scale, names: text.states, width: chart.chartArea.width };
    chart.data.datasets = [...spectrumDatasets(answer.spectrum, look), ...overlay(look)];
    chart.options.scales = {
      x: frequencyAxis(view.text("x"), shaftHz(), text),
      y: amplitudeAxis(scale, greatestOf(chart.data.datasets), page.unit(view), text),
    };
    applyTheme(chart);
    range.follow(chart);
    const { low, high } = shown();
    if (!range.isTurning()) Object.assign(chart.options.scales.x, { min: low, max: high });
    chart.update("none");
    cursor.show();
    listPeaks(panel, chosen, answer.spectrum.peaks, text);
  }

  function overlay(look) {
    if (!second?.spectrum || !page.second.isComparable(view)) return [];
    if (byOrder() && !shaftHz(second)) return [];
    const stretch = byOrder() ? shaftHz() / shaftHz(second) : 1;
    return overlayDatasets(second.spectrum, { ...look, stretch, factor: page.second.factor(view) });
  }

  // Once their places in the chart are known.
  function drawLines() {
    if (!answer?.spectrum) return;
    chart.options.plugins.annotation.annotations = { ...page.marks?.(chart.scales.x), ...cursor.annotations() };
    chart.update("none");
  }

  function amplitudeAt(hz) {
    const { frequency, amplitude, resolution } = answer.spectrum;
    const state = view.text("state") || page.chosen()[0];
    const apart = groupOf(frequency, resolution);
    const index = frequency.length > 1 ? Math.round((hz - frequency[0]) / apart) : 0;
    const isWithin = Math.abs(frequency[index] - hz) <= apart; // false for what there is not
    return isWithin && state ? amplitude[state][index] : null;
  }

  // The frequency of the highest point that is drawn between two, null: there is none.
  function highestWithin(from, to) {
    const { frequency, amplitude } = answer.spectrum;
    const values = amplitude[view.text("state") || page.chosen()[0]];
    if (!values) return null;
    const inside = frequency.map((hz, index) => ({ hz, value: values[index] })).filter(({ hz }) => hz >= from && hz <= to);
    return inside.length ? inside.reduce((a, b) => (b.value > a.value ? b : a)).hz : null;
  }

  function highest() {
    const { low, high } = shown();
    const [state] = page.chosen();
    const within = (answer.spectrum.peaks[state] ?? []).filter((it) => it.frequency >= low && it.frequency <= high);
    return within[0]?.frequency ?? null; // they come highest first
  }

  function tooltipTitle([item]) {
    if (!item) return "";
    const hz = item.raw.x;
    return byOrder() ? `${hertz(hz)} · ${fill(text.line, { multiple: ordinal(hz / shaftHz()) })}` : hertz(hz);
  }

  function tooltipLine({ dataset, raw }) {
    const value = withUnit(raw.amplitude);
    const state = dataset.overlay ? fill(text.dashed, { name: dataset.label === text.states.signal ? page.second.name : dataset.label }) : dataset.label;
    if (!dataset.marks) return fill(text.tooltip_value, { state, value });
    const peak = { state, frequency: hertz(raw.frequency), value };
    return raw.order === null
      ? fill(text.tooltip_peak, peak)
      : fill(text.tooltip_peak_order, { ...peak, order: ordinal(raw.order) });
  }

  const range = ranging(panel, { shown, goTo, mayDrag: () => !cursor.isDragging() });
  const font = { family: getComputedStyle(document.body).fontFamily, size: 13 };
  const chart = new Chart(canvas, {
    type: "line",
    data: { datasets: [] },
    options: {
      ...lineOptions(),
      font,
      scales: { x: frequencyAxis("", null, text), y: amplitudeAxis("", 0, page.unit(view), text) },
      plugins: {
        legend: { display: false }, // the list of states above is the legend
        tooltip: { ...lineTooltip, callbacks: { title: tooltipTitle, label: tooltipLine } },
        zoom: range.options(),
        annotation: { annotations: {}, common: { adjustScaleRange: false } },
      },
    },
  });
  const cursor = cursors(panel, text, {
    canvas,
    view,
    shown,
    shaftHz,
    highest,
    highestWithin,
    amplitudeAt,
    withUnit,
    refuse,
    chart: () => chart,
    drawn: drawLines,
    // With range and points: they tell how exactly a frequency can be read from the chart.
    question: () => page.cursorQuestion?.(question(), view) ?? question(),
  });

  box.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || !shown()) return;
    const isOurs = cursor.press(event.key, event) || range.press(event.key, { hasCursor: cursor.isPlaced() });
    if (isOurs) event.preventDefault();
  });
  banner.querySelector("[data-do=retry]").addEventListener("click", () => read(asked));
  addEventListener("popstate", () => {
    view.restore(new URLSearchParams(location.search));
    if (asked) read(asked);
  });
  document.addEventListener("themechange", () => {
    applyTheme(chart);
    draw();
    chart.update("none");
  });
  applyTheme(chart);
  takeOut(panel, { canvas, name: page.name, question: everyLine });

  return { wait, clear, read, draw };
}
