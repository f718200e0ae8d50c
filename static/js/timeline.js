// The timeline: a lane a machine, a bar a run of one state, the worse the taller. The form is the state of the page, as
// on the waveform page. Asked each second, the server mostly answers that nothing has changed.

import { ask, isShutOut } from "./api.js";
import { actMark } from "./charts/act_marks.js";
import { applyTheme, cssValue } from "./charts/colours.js";
import { runTexts } from "./charts/run_texts.js";
import { zooming } from "./charts/zooming.js";
import { showProblem } from "./problem_banner.js";
import { count, fill } from "./texts.js";

const POLL_MS = 1000;
const LANE_PX = 34;
const AXES_PX = 62;
const LEAST_HEIGHT = 0.28; // of a lane: the mildest state
const MARK_PX = 14; // a run at least so wide shows the shape of its state
const REACH_PX = 4;
const ACT_PX = 8; // half as wide as the mark of what somebody did
const LINES = ["cross", "crossRot", "star"]; // shapes without an area
const MIN_SPAN_MS = 1000;
const MAX_SPAN_MS = 92 * 86400e3; // what the API gives at most

const form = document.getElementById("filters");
const figure = document.getElementById("timeline");
const text = JSON.parse(document.getElementById("timeline-text").textContent);
const states = JSON.parse(document.getElementById("timeline-states").textContent); // the mildest first
const machines = [...document.querySelectorAll("#timeline-machines li")].map((it) => it.dataset);
const canvas = figure.querySelector("canvas");
const tip = figure.querySelector(".tip");
const caption = figure.querySelector("figcaption");
const reading = figure.querySelector("[data-reading]");
const banner = figure.querySelector("[role=alert]");
const clock = document.querySelector("[data-checked]");
const { after: afterField, before: beforeField, range: rangeField } = form.elements;
const csvLink = form.querySelector("[data-csv]");
const button = (name) => figure.querySelector(`[data-do=${name}]`);
const lang = document.documentElement.lang;
const zone = figure.dataset.zone;
const clockTime = new Intl.DateTimeFormat(lang, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
  timeZone: zone,
});

const words = runTexts(text, states, zone, lang);
const zoom = zooming(zoomed);

let timeline = null; // the last answer of the API
let version = null; // its ETag
let asking = null; // the AbortController of the request under way
let timer = null;
let lastAnswer = new Date();
let refused = false; // by the last answer
let focused = null; // [dataset, index] of the run that the keyboard is on

// --- Reading -------------------------------------------------------------------------------------------------------

const depth = () => history.state?.depth ?? 0;
let view = new FormData(form); // what is shown; the form may hold more, until it is sent

// What the form says is the view, and that of the CSV and of the other pages of machines. Its query string.
function takeView() {
  view = new FormData(form);
  const query = new URLSearchParams(view);
  csvLink.href = `?${new URLSearchParams([...query, ["format", "csv"]])}`;
  for (const link of document.querySelectorAll(".pages a")) {
    link.href = `?${new URLSearchParams([...query, ["page", link.dataset.page]])}`;
  }
  if (figure.dataset.page !== "1") query.set("page", figure.dataset.page);
  return query;
}

function enter() {
  history.pushState({ depth: depth() + 1 }, "", `?${takeView()}`);
  read({ anew: true });
}

function asked() {
  const query = new URLSearchParams();
  for (const { name } of machines) query.append("machine_name", name);
  for (const state of view.getAll("state")) query.append("fault_type", state);
  for (const [name, as] of [["range", "range"], ["after", "start"], ["before", "end"]]) {
    if (view.get(name)) query.set(as, view.get(name));
  }
  query.set("points", Math.max(100, Math.min(4000, Math.round(plotPixels()))));
  return query;
}

const plotPixels = () => (chart.chartArea?.width ?? 1000) * devicePixelRatio;

async function read({ anew = false } = {}) {
  clearTimeout(timer);
  asking?.abort();
  const mine = (asking = new AbortController());
  if (anew) {
    version = null;
    figure.setAttribute("aria-busy", "true");
  }
  let answer;
  try {
    answer = await ask(figure.dataset.url, asked(), mine.signal);
  } catch {
    return; // given up for a newer question
  }
  if (mine !== asking) return;
  figure.setAttribute("aria-busy", "false");
  if (answer.ok) {
    lastAnswer = new Date();
    banner.hidden = true;
    delete figure.dataset.stale;
    clock.textContent = clockTime.format(lastAnswer);
    if (version !== answer.version && !zoom.isTurning()) {
      version = answer.version;
      // In the order of the page
      const byName = new Map(answer.body.machines.map((machine) => [machine.machine_name, machine]));
      timeline = { ...answer.body, machines: machines.map(({ name }) => byName.get(name)) };
      show();
    }
  } else {
    const time = clockTime.format(lastAnswer);
    const timed = { away: fill(text.away, { time }), failed: fill(text.failed, { time, status: answer.status }) };
    showProblem(banner, answer, { ...text, ...timed, refused: text.outdated });
    refused = [400, 403].includes(answer.status);
    figure.dataset.stale = "";
    if (isShutOut(answer)) return; // until somebody presses something or comes back to this tab
  }
  timer = setTimeout(poll, Math.max(POLL_MS, answer.status === 429 ? answer.wait : 0));
}

function poll() {
  if (document.hidden) timer = setTimeout(poll, POLL_MS);
  else read();
}

// --- Showing -------------------------------------------------------------------------------------------------------

function show() {
  const { x } = chart.options.scales;
  Object.assign(x, { min: timeline.start, max: timeline.end });
  const runsOf = new Map(states.map(({ number }) => [number, []]));
  let diagnoses = 0;
  timeline.machines.forEach((machine, lane) => {
    machine.start.forEach((start, index) => {
      const run = { lane, index, x: [start, machine.end[index]], y: machine.machine_name };
      runsOf.get(machine.fault_type[index]).push(run);
      diagnoses += machine.count[index];
    });
  });
  const bars = states.map((state, severity) => bar(state, severity, runsOf.get(state.number)));
  const marks = states.map((state, severity) => mark(state, severity, runsOf.get(state.number)));
  chart.data.datasets = [...bars, ...marks, acts()];
  chart.update("none");
  caption.textContent = diagnoses
    ? fill(text.shown, {
        count: count(diagnoses),
        machines: count(machines.length),
        start: words.time(timeline.start),
        end: words.time(timeline.end),
      })
    : text.nothing;
  button("back").disabled = depth() === 0;
  button("now").disabled = !view.get("before");
}

// As the legend has it
const colour = ({ key }) => getComputedStyle(figure.querySelector(`.legend [data-state="${key}"]`)).color;
const height = (severity) => LEAST_HEIGHT + ((1 - LEAST_HEIGHT) * severity) / (states.length - 1);

function bar(state, severity, runs) {
  return {
    type: "bar",
    label: state.name,
    data: runs,
    grouped: false,
    barThickness: (LANE_PX - 8) * height(severity),
    minBarLength: 2,
    backgroundColor: colour(state),
    hoverBackgroundColor: colour(state),
    borderWidth: 0,
    hoverBorderWidth: 2,
    hoverBorderColor: cssValue("--bs-body-color"),
    borderSkipped: false,
    order: 2 + states.length - severity,
  };
}

// Where a state begins, if its stretch has room for it: the shape that stands for the state everywhere.
function mark(state, severity, runs) {
  const perPixel = (timeline.end - timeline.start) / Math.max(1, chart.chartArea.width);
  const roomy = severity ? runs.filter(({ x: [from, to] }) => to - from >= MARK_PX * perPixel && from >= timeline.start) : [];
  return {
    type: "scatter",
    data: roomy.map(({ x: [from], y }) => ({ x: from + (MARK_PX / 2) * perPixel, y })),
    pointStyle: state.shape,
    pointRadius: 5,
    pointHitRadius: 0,
    pointHoverRadius: 5,
    pointBorderWidth: LINES.includes(state.shape) ? 3 : 1,
    pointHoverBorderWidth: LINES.includes(state.shape) ? 3 : 1,
    pointBackgroundColor: cssValue("--panel"),
    pointBorderColor: cssValue("--panel"),
    order: 0,
    isMark: true,
  };
}

// What people did, on the lane of the machine, above all else.
function acts() {
  const done = timeline.machines.flatMap((machine, lane) =>
    (machine.acts ?? []).map((act) => ({ lane, x: act.at, y: machine.machine_name, act })),
  );
  return {
    type: "scatter",
    data: done,
    pointStyle: done.map(({ act }) => actMark(act.kind)),
    clip: ACT_PX, // one at the edge is whole
    order: -1,
    isActs: true,
  };
}

function showLegendOfActs() {
  for (const item of figure.querySelectorAll(".legend [data-act]")) {
    item.querySelector("canvas")?.remove();
    item.prepend(actMark(item.dataset.act, devicePixelRatio));
  }
}

function showTip({ tooltip }) {
  const shown = tooltip.dataPoints?.[0]?.raw;
  tip.hidden = tooltip.opacity === 0 || !shown;
  if (tip.hidden) return;
  if (shown.act) words.fillActTip(tip, machines[shown.lane].title, shown.act);
  else words.fillTip(tip, machines[shown.lane].title, timeline, shown);
  const { width, height } = tip.getBoundingClientRect();
  const box = canvas.getBoundingClientRect();
  const left = Math.max(0, Math.min(box.width - width, tooltip.caretX - width / 2));
  const [above, below] = [tooltip.caretY - LANE_PX / 2 - height, tooltip.caretY + LANE_PX / 2];
  const top = below + height > box.height && above > 0 ? above : below;
  Object.assign(tip.style, { left: `${left}px`, top: `${top}px` }); // by the object model, which the policy allows
}

function zoomed() {
  const { min, max } = chart.scales.x;
  goTo(min, max);
}

// --- The window ----------------------------------------------------------------------------------------------------

const asField = (ms) => words.plantTime(ms).toFormat("yyyy-MM-dd'T'HH:mm:ss");

function goTo(start, end) {
  const middle = (start + end) / 2;
  const span = Math.min(MAX_SPAN_MS, Math.max(MIN_SPAN_MS, end - start));
  // Whole seconds, rounded outwards, but not beyond what the API gives
  const from = Math.floor((middle - span / 2) / 1e3) * 1e3;
  const to = Math.min(Math.ceil((middle + span / 2) / 1e3) * 1e3, from + MAX_SPAN_MS);
  if (view.get("after") === asField(from) && view.get("before") === asField(to)) return;
  afterField.value = asField(from);
  beforeField.value = asField(to);
  rangeField.value = "";
  enter();
}

function move(share) {
  const shift = (timeline.end - timeline.start) * share;
  goTo(timeline.start + shift, timeline.end + shift);
}

function scale(factor) {
  const middle = (timeline.start + timeline.end) / 2;
  const half = ((timeline.end - timeline.start) / 2) * factor;
  goTo(middle - half, middle + half);
}

function untilNow() {
  afterField.value = beforeField.value = "";
  rangeField.value = "7d";
  enter();
}

// --- The keyboard: from run to run, and to what people did ----------------------------------------------------------

// Where something begins and ends; what somebody did has no length.
const edges = ({ x }) => (Array.isArray(x) ? x : [x, x]);

function step(key) {
  const runs = chart.data.datasets.flatMap((dataset, set) =>
    dataset.isMark ? [] : dataset.data.map((run, index) => ({ set, index, run })),
  );
  if (!runs.length) return;
  runs.sort((a, b) => a.run.lane - b.run.lane || edges(a.run)[0] - edges(b.run)[0]);
  const here = runs.findIndex(({ set, index }) => focused?.[0] === set && focused?.[1] === index);
  let next = runs[Math.max(0, here)];
  if (here >= 0) {
    if (key === "ArrowRight" || key === "ArrowLeft") {
      next = runs[Math.max(0, Math.min(runs.length - 1, here + (key === "ArrowRight" ? 1 : -1)))];
    } else {
      const lanes = [...new Set(runs.map(({ run }) => run.lane))];
      const lane = lanes[lanes.indexOf(next.run.lane) + (key === "ArrowDown" ? 1 : -1)];
      next = runs.find(({ run }) => run.lane === lane && edges(run)[1] >= edges(runs[here].run)[0]) ?? next;
    }
  }
  focused = [next.set, next.index];
  const active = [{ datasetIndex: next.set, index: next.index }];
  const { x, y } = chart.getDatasetMeta(next.set).data[next.index];
  chart.setActiveElements(active);
  chart.tooltip.setActiveElements(active, { x, y });
  chart.update("none");
  if (next.run.act) {
    reading.textContent = fill(text.reads_act, { machine: machines[next.run.lane].title, ...words.toldAct(next.run.act) });
    return;
  }
  const { state, from, to } = words.told(timeline, next.run);
  reading.textContent = fill(text.reads, {
    machine: machines[next.run.lane].title,
    state: state.name,
    start: from,
    end: to,
  });
}

canvas.addEventListener("keydown", (event) => {
  if (!["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"].includes(event.key) || !timeline) return;
  event.preventDefault();
  step(event.key);
});

// --- The chart -----------------------------------------------------------------------------------------------------

// What the pointer is at: what somebody did, in the last of the datasets; or the run of its lane at that time, of thin
// ones a few pixels away the worst.
Chart.Interaction.modes.lane = (chart, { x, y }) => {
  const lane = chart.scales.y.getValueForPixel(y);
  let found = [];
  chart.getSortedVisibleDatasetMetas().forEach(({ index: datasetIndex, data }) => {
    const dataset = chart.data.datasets[datasetIndex];
    if (dataset.isMark) return;
    dataset.data.forEach((run, index) => {
      if (run.lane !== lane) return;
      if (run.act) {
        const isAt = Math.abs(chart.scales.x.getPixelForValue(run.x) - x) <= ACT_PX;
        if (isAt) found = [{ element: data[index], datasetIndex, index }];
        return;
      }
      const [left, right] = run.x.map((it) => chart.scales.x.getPixelForValue(it));
      const slack = right - left < REACH_PX ? REACH_PX : 0;
      if (x >= left - slack && x <= right + slack && (!found.length || datasetIndex > found[0].datasetIndex)) {
        found = [{ element: data[index], datasetIndex, index }];
      }
    });
  });
  return found;
};

figure.querySelector(".timeline-box").style.height = `${machines.length * LANE_PX + AXES_PX}px`;
Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
Chart.defaults.font.size = 13;
luxon.Settings.defaultLocale = lang;
const shorten = (name) => (name.length > 16 ? `${name.slice(0, 15)}…` : name);
const chart = new Chart(canvas, {
  type: "bar",
  data: { labels: machines.map(({ name }) => name), datasets: [] },
  options: {
    locale: lang,
    indexAxis: "y",
    animation: false,
    maintainAspectRatio: false,
    interaction: { mode: "lane" },
    scales: {
      x: {
        type: "time",
        adapters: { date: { zone, locale: lang } },
        time: { displayFormats: displayFormats() },
        title: {},
        grid: {},
        border: {},
        ticks: { maxRotation: 0, autoSkipPadding: 24, major: { enabled: true } },
      },
      y: {
        type: "category",
        offset: true,
        title: {},
        grid: { offset: true },
        border: {},
        ticks: { autoSkip: false, callback: (value) => shorten(machines[value]?.name ?? "") },
      },
    },
    plugins: {
      legend: { display: false },
      tooltip: { enabled: false, external: showTip, filter: ({ dataset }) => !dataset.isMark },
      zoom: {
        limits: { x: { minRange: MIN_SPAN_MS } },
        zoom: zoom.options,
      },
    },
  },
});

function displayFormats() {
  const day = lang === "ko" ? "M월 d일" : "d LLL";
  const time = "HH:mm:ss";
  return {
    millisecond: "HH:mm:ss.SSS",
    second: time,
    minute: "HH:mm",
    hour: `${day} HH:mm`,
    day,
    week: day,
    month: lang === "ko" ? "yyyy년 M월" : "LLL yyyy",
  };
}

// --- What the user does --------------------------------------------------------------------------------------------

const actions = {
  back: () => history.back(),
  left: () => move(-0.5),
  right: () => move(0.5),
  closer: () => scale(0.5),
  wider: () => scale(2),
  now: untilNow,
  retry: () => (refused ? location.reload() : read({ anew: true })),
};
figure.addEventListener("click", (event) => {
  const action = event.target.dataset?.do;
  if (timeline || action === "retry") actions[action]?.();
});
addEventListener("popstate", () => {
  const query = new URLSearchParams(location.search);
  for (const field of [afterField, beforeField, rangeField]) field.value = query.get(field.name) ?? "";
  for (const box of form.querySelectorAll("[name=state]")) box.checked = query.getAll("state").includes(box.value);
  takeView();
  read({ anew: true });
});
document.addEventListener("themechange", () => {
  applyTheme(chart);
  showLegendOfActs();
  if (timeline) show();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) read();
});

applyTheme(chart);
showLegendOfActs();
chart.update("none");
read({ anew: true });
