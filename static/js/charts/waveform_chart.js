// A waveform to zoom into. The form is the state of the page: its fields `start` and `end` say which window is shown,
// and written as a query string they are the page's address. Each zoom is an entry of the browser's history, so Back
// works, and reads the window again.

import { ask } from "../api.js";
import { showProblem, tryAgainLater } from "../problem_banner.js";
import { count, fill } from "../texts.js";
import { applyTheme } from "./colours.js";
import { lineOptions, lineTooltip } from "./line_charts.js";
import { paintSwatches } from "./state_looks.js";
import { greatest, least, overlayDatasets, waveformDatasets } from "./waveform_datasets.js";
import { zooming } from "./zooming.js";

const MIN_POINTS = 100;
const MAX_POINTS = 2000; // what the API gives at most
const MIN_STEPS = 4; // in a window: closer in there may be nothing to see
const SHORTEST_WINDOW_S = 1e-5; // where the step is not known
// Drawn over an envelope, another as fine as that could not be seen.
const OUTLINE_SHARE = 1 / 8;
const NARROW_PX = 480; // a chart on which a line of the tooltip does not fit
const RESIZE_MS = 300;

const microseconds = (seconds) => seconds.toFixed(6);
const depth = () => history.state?.depth ?? 0;
const title = (words) => ({ display: true, text: words });

// `text` says all, with the names of what is drawn in `text.states`. `page` tells what the two pages with waveforms
// have of their own:
//   shown, compared  what is drawn and what is drawn over it, if anything: each has a `title`;
//   chosen()         the names that are to be drawn;
//   question(place)  the parameters of the API for one of these, without window and points;
//   take(body)       the answer of the API as {recording_start, recording_end, pruned_before, start, end, time, states,
//                    bucket_width, buckets, samples}, where `states` has min and max by name;
//   restore(query)   called with an older address that is shown again;
//   spectrum         what is told of each window beside: {wait, read, clear}, or nothing.
export function waveformChart(form, figure, text, page) {
  const canvas = figure.querySelector("canvas");
  const caption = figure.querySelector("figcaption");
  const banner = figure.querySelector("[role=alert]");
  const button = (name) => figure.querySelector(`[data-do=${name}]`);
  const { start: startField, end: endField } = form.elements;
  const { shown, compared, spectrum } = page;
  // Seconds; the average step is no exact one, but a window of so many has a sample or two.
  const minWindow = MIN_STEPS * Number(figure.dataset.step) || SHORTEST_WINDOW_S;
  const zoom = zooming(zoomed);

  let asked = { start: null, end: null }; // the window that was asked for last, in seconds
  let waveform = null; // the last answer of the API
  let overlay = null; // the last one of what is compared
  let reading = null; // the AbortController of the request under way
  let readPoints = 0;
  let resizing = null; // a timer

  // --- The window --------------------------------------------------------------------------------------------------

  const secondsIn = (field) => (field.value === "" ? null : Number(field.value));

  // What was asked for last: an end that was left open is that of the recording. Not what somebody has typed since.
  function shownWindow() {
    return { start: asked.start ?? waveform.recording_start, end: asked.end ?? waveform.recording_end };
  }

  function writeWindow(start, end) {
    // Microseconds are the finest that the data has. An end that is the recording's stays open.
    startField.value = start <= waveform.recording_start ? "" : Number(start.toFixed(6));
    endField.value = end >= waveform.recording_end ? "" : Number(end.toFixed(6));
  }

  const address = () => {
    const query = new URLSearchParams(new FormData(form)).toString();
    return query ? `?${query}` : location.pathname;
  };

  function goTo(start, end) {
    writeWindow(start, end);
    history.pushState({ depth: depth() + 1 }, "", address());
    read();
  }

  function move(share) {
    const { start, end } = shownWindow();
    const wanted = (end - start) * share;
    const shift = Math.max(waveform.recording_start - start, Math.min(waveform.recording_end - end, wanted));
    goTo(start + shift, end + shift);
  }

  function closer() {
    const { start, end } = shownWindow();
    goTo(start + (end - start) / 4, end - (end - start) / 4);
  }

  const plotPixels = () => chart.chartArea.width * devicePixelRatio;

  // --- Reading -----------------------------------------------------------------------------------------------------

  function question(place, start, end, points = readPoints) {
    const asked = page.question(place);
    asked.set("points", points);
    if (start !== null) asked.set("start", start);
    if (end !== null) asked.set("end", end);
    return asked;
  }

  async function read() {
    reading?.abort(); // an answer to an earlier question must not come after the one to this
    const mine = (reading = new AbortController());
    readPoints = Math.min(MAX_POINTS, Math.max(MIN_POINTS, Math.round(plotPixels())));
    asked = { start: secondsIn(startField), end: secondsIn(endField) };
    figure.setAttribute("aria-busy", "true");
    spectrum?.wait();
    try {
      await readWaveforms(mine.signal);
    } catch (error) {
      if (error.name === "AbortError") return; // a newer question is under way
      throw error;
    }
    figure.setAttribute("aria-busy", "false");
  }

  async function readWaveforms(signal) {
    const asked = question(shown, secondsIn(startField), secondsIn(endField));
    const answer = await ask(figure.dataset.url, asked, signal);
    signal.throwIfAborted();
    if (!answer.ok) {
      refuse(answer);
      spectrum?.clear();
      return;
    }
    waveform = page.take(answer.body);
    banner.hidden = true;
    show();
    spectrum?.read(asked); // only now, so that it does not hold the chart up
    if (!compared || waveform.recording_end === null) return;
    const start = secondsIn(startField);
    // An open end is that of the first recording, however long the second one is.
    const end = secondsIn(endField) ?? Math.max(start ?? 0, waveform.recording_end);
    const points = waveform.bucket_width ? Math.round(readPoints * OUTLINE_SHARE) : readPoints;
    const second = await ask(figure.dataset.url, question(compared, start, end, points), signal);
    signal.throwIfAborted();
    if (!second.ok) {
      refuse(second);
      return;
    }
    overlay = page.take(second.body);
    draw();
  }

  function refuse(answer) {
    showProblem(banner, answer, text);
    tryAgainLater(banner, answer);
    caption.textContent = "";
    figure.dataset.stale = ""; // what is still drawn is not what was asked for
  }

  // --- Showing -----------------------------------------------------------------------------------------------------

  const withUnit = (value) => (figure.dataset.unit ? `${value} ${figure.dataset.unit}` : `${value}`);

  function show() {
    delete figure.dataset.stale;
    const empty = waveform.recording_start === null;
    const { start, end } = empty ? { start: 0, end: 1 } : shownWindow();
    const { x } = chart.options.scales;
    // While the wheel turns it says what is shown. A recording of one sample has no width; Chart.js then makes one up.
    if (!zoom.isTurning()) Object.assign(x, start < end ? { min: start, max: end } : { min: undefined, max: undefined });
    chart.options.plugins.zoom.limits.x = {
      min: waveform.recording_start ?? 0,
      max: waveform.recording_end ?? 1,
      minRange: minWindow,
    };
    const whole = startField.value === "" && endField.value === "";
    button("back").disabled = depth() === 0;
    button("reset").disabled = empty || whole;
    button("left").disabled = empty || start <= waveform.recording_start;
    button("right").disabled = empty || end >= waveform.recording_end;
    button("closer").disabled = empty || end - start <= minWindow;
    draw();
  }

  function draw() {
    const chosen = page.chosen();
    const { width } = chart.chartArea;
    chart.data.datasets = [
      ...waveformDatasets(waveform, text.states, width),
      ...(overlay ? overlayDatasets(overlay, text.states, width) : []),
    ].map((dataset) => ({ ...dataset, hidden: !chosen.includes(dataset.state) }));
    chart.update("none");
    caption.textContent = chosen.length ? allInWords() : text.no_state;
    for (const place of form.querySelectorAll("[data-range]")) {
      const { min, max } = waveform.states[place.dataset.range];
      place.textContent = min.length
        ? withUnit(fill(text.range, { min: least(min), max: greatest(max) }))
        : "";
    }
  }

  function allInWords() {
    if (!overlay) return inWords(waveform);
    return [
      `${shown.title}: ${inWords(waveform)}`,
      `${fill(text.dashed, { name: compared.title })}: ${inWords(overlay)}`,
    ].join("\n");
  }

  function inWords(answer) {
    const words = amountInWords(answer);
    const isPruned = answer.samples > 0 && answer.start < answer.pruned_before;
    return isPruned ? `${words}\n${fill(text.pruned, { before: answer.pruned_before })}` : words;
  }

  function amountInWords(answer) {
    const { samples, buckets, bucket_width: width } = answer;
    const numbers = { samples: count(samples), buckets: count(buckets), width };
    if (answer.recording_start === null) return text.empty;
    if (!samples) return fill(text.nothing, { start: answer.recording_start, end: answer.recording_end });
    if (width) return fill(buckets === 1 ? text.reduced_to_one : text.reduced, numbers);
    return samples === 1 ? text.all_one : fill(text.all, numbers);
  }

  // With two recordings the time of each: their buckets and samples do not lie at the same times.
  function tooltipTitle(items) {
    return [false, true].flatMap((second) => {
      const item = items.find(({ dataset }) => Boolean(dataset.overlay) === second);
      if (!item) return [];
      const answer = second ? overlay : waveform;
      const time = answer.time[item.raw.index];
      const from = microseconds(time);
      const when = answer.bucket_width ? `${from} – ${microseconds(time + answer.bucket_width)} s` : `${from} s`;
      if (!overlay) return when;
      return [second ? fill(text.dashed, { name: compared.title }) : shown.title, when];
    });
  }

  // The numbers are printed as they came, with every digit.
  function tooltipLine({ dataset, raw }) {
    const answer = dataset.overlay ? overlay : waveform;
    const { min, max } = answer.states[dataset.state];
    const state = dataset.overlay ? fill(text.dashed, { name: dataset.label }) : dataset.label;
    const values = { state, min: withUnit(min[raw.index]), max: withUnit(max[raw.index]) };
    const line = fill(answer.bucket_width ? text.tooltip_range : text.tooltip_value, { ...values, value: values.min });
    return chart.width < NARROW_PX ? line.split(/(?<=: )/) : line;
  }

  function zoomed() {
    const { min, max } = chart.scales.x;
    const before = `${startField.value} ${endField.value}`;
    writeWindow(min, max);
    // At an end of what can be zoomed there is nothing to read, and nothing to step back from.
    if (`${startField.value} ${endField.value}` === before) show();
    else goTo(min, max);
  }

  // Where the wheel could only do nothing, it goes on scrolling the page.
  function mayZoom({ event }) {
    if (event.type !== "wheel") return true;
    if (!waveform || waveform.recording_start === null || !event.deltaY) return false;
    const { min, max } = chart.scales.x;
    return event.deltaY < 0 || min > waveform.recording_start || max < waveform.recording_end;
  }

  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  Chart.defaults.font.size = 13;
  const chart = new Chart(canvas, {
    type: "line",
    data: { datasets: [] },
    options: {
      ...lineOptions(),
      scales: {
        x: { type: "linear", title: title(text.time), grid: {}, border: {}, ticks: { maxRotation: 0, includeBounds: false } },
        y: { title: title(withUnit(text.value)), grace: "5%", grid: {}, border: {}, ticks: {} },
      },
      plugins: {
        legend: { display: false }, // the list of states above is the legend
        tooltip: {
          ...lineTooltip,
          // The upper edge of an envelope would say the same again.
          filter: ({ dataset }, index, items) =>
            items.findIndex((it) => it.dataset.state === dataset.state && it.dataset.overlay === dataset.overlay) === index,
          callbacks: { title: tooltipTitle, label: tooltipLine },
        },
        zoom: {
          limits: { x: {} },
          zoom: { ...zoom.options, onZoomStart: mayZoom },
        },
      },
      onResize: resized,
    },
  });

  // --- What the user does ------------------------------------------------------------------------------------------

  function resized() {
    clearTimeout(resizing);
    // A turned phone has other pixels to fill; a few more or less are not worth a request.
    resizing = setTimeout(() => {
      if (waveform && Math.abs(plotPixels() - readPoints) > 0.25 * readPoints) read();
    }, RESIZE_MS);
  }

  const actions = {
    back: () => history.back(),
    left: () => move(-0.5),
    right: () => move(0.5),
    closer,
    reset: () => goTo(-Infinity, Infinity),
    retry: read,
  };
  figure.addEventListener("click", (event) => actions[event.target.dataset?.do]?.());

  addEventListener("popstate", () => {
    const query = new URLSearchParams(location.search);
    startField.value = query.get("start") ?? "";
    endField.value = query.get("end") ?? "";
    page.restore?.(query);
    read();
  });

  document.addEventListener("themechange", () => {
    applyTheme(chart);
    paintSwatches();
    if (waveform) draw();
    else chart.update("none");
  });

  applyTheme(chart);
  paintSwatches();
  chart.update("none");
  read();

  return {
    // What the API is asked for what is shown.
    question: () => question(shown, asked.start, asked.end),
    // Other names are chosen: the address says so, and nothing is read.
    chooseAgain() {
      history.replaceState(history.state, "", address());
      if (waveform) draw();
    },
  };
}
