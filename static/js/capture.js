// The page of a capture: its waveform to zoom into, its spectrum and that of its envelope, and bearings' frequencies.

import { takeOut } from "./charts/take_out.js";
import { waveformChart } from "./charts/waveform_chart.js";
import { rounded } from "./rounding.js";
import { aboutFaults, faultAnnotations, listFaults, readFaults } from "./spectra/faults.js";
import { spectrumPanel } from "./spectra/panel.js";
import { count, fill } from "./texts.js";

const SIGNAL = "signal"; // what the one signal is called among what charts draw
const VELOCITY_UNIT = "mm/s";
const form = document.getElementById("capture-form");
const figure = document.getElementById("waveform");
const text = JSON.parse(document.getElementById("waveform-text").textContent);

form.addEventListener("formdata", ({ formData }) => {
  for (const name of ["start", "end"]) if (formData.get(name) === "") formData.delete(name);
});

const waveform = waveformChart(form, figure, text, {
  shown: { title: figure.dataset.title },
  compared: null,
  chosen: () => [SIGNAL],
  question: () => new URLSearchParams(),
  take: ({ values, ...body }) => ({
    ...body,
    recording_start: 0,
    recording_end: Number(figure.dataset.end),
    pruned_before: 0,
    states: { [SIGNAL]: values },
  }),
});
takeOut(figure, { canvas: figure.querySelector("canvas"), name: figure.dataset.title, question: waveform.question });

function orders({ shaft_hz: hz }) {
  const words = hz ? fill(text.orders, { hertz: rounded(hz), rpm: count(Math.round(hz * 60)) }) : text.no_orders;
  return { words, known: Boolean(hz), hz };
}

const bySignal = ({ amplitude, peaks, ...rest }) => ({
  ...rest,
  amplitude: { [SIGNAL]: amplitude },
  peaks: { [SIGNAL]: peaks },
});

// The capture that this one is compared with; nothing where it has no spectrum, or one in another unit.
function second({ withUrl, withName, withFactor, withVelocity, withShaftHz }, isVelocity) {
  if (!withUrl) return null;
  const isComparable = (view) => (isVelocity(view) ? Boolean(withVelocity) : withFactor !== "");
  return {
    name: withName,
    url: withUrl,
    shaftHz: Number(withShaftHz) || null,
    isComparable,
    question: (asked) => asked,
    factor: (view) => (isVelocity(view) ? 1 : Number(withFactor)),
  };
}

const panels = [...document.querySelectorAll(".spectrum-panel")].map((panel) => {
  const question = new URLSearchParams();
  if (panel.dataset.envelope !== undefined) question.set("envelope", "true");
  const isVelocity = (view) => view.text("quantity") === "velocity";
  const marks = { faults: null };
  const { read, draw } = spectrumPanel(panel, form, text, {
    name: panel.dataset.title,
    chosen: () => [SIGNAL],
    take: (body) => ({ ...body, samples: body.count, spectrum: body.spectrum && bySignal(body.spectrum) }),
    orders,
    unit: (view) => (isVelocity(view) ? VELOCITY_UNIT : panel.dataset.unit),
    second: second(panel.dataset, isVelocity),
    marks: (scale) => marks.faults && faultAnnotations(marks.faults, scale),
  });
  read(question);
  return { draw, marks };
});

// The sheet to print shows what is shown here.
const report = document.querySelector("[data-report]");
const SHOWN_TOO = ["start", "end", "low", "high", "scale", "x", "resolution", "window", "quantity"];
for (const event of ["focus", "pointerdown", "click"]) {
  report.addEventListener(event, () => {
    const here = new URLSearchParams(new FormData(form));
    const query = new URLSearchParams([...here].filter(([name]) => SHOWN_TOO.includes(name)));
    report.search = query;
  });
}

const faults = document.getElementById("faults");
const found = await readFaults(faults.dataset.url);
faults.querySelector("[data-about-faults]").textContent = aboutFaults(found, text);
if (found) {
  listFaults(faults.querySelector("[data-faults]"), found);
  for (const { draw, marks } of panels) {
    marks.faults = found;
    draw();
  }
}
