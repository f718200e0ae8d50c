// The page of a capture: its waveform to zoom into, its spectrum and that of its envelope.

import { spectrumChart } from "./charts/spectrum_chart.js";
import { waveformChart } from "./charts/waveform_chart.js";
import { rounded } from "./rounding.js";
import { count, fill } from "./texts.js";

const SIGNAL = "signal"; // what the one signal is called among what charts draw
const form = document.getElementById("capture-form");
const figure = document.getElementById("waveform");
const text = JSON.parse(document.getElementById("waveform-text").textContent);

form.addEventListener("formdata", ({ formData }) => {
  for (const name of ["start", "end"]) if (formData.get(name) === "") formData.delete(name);
});

waveformChart(form, figure, text, {
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

function orders({ shaft_hz: hz }) {
  const words = hz ? fill(text.orders, { hertz: rounded(hz), rpm: count(Math.round(hz * 60)) }) : text.no_orders;
  return { words, known: Boolean(hz) };
}

const bySignal = ({ amplitude, peaks, ...rest }) => ({
  ...rest,
  amplitude: { [SIGNAL]: amplitude },
  peaks: { [SIGNAL]: peaks },
});

for (const panel of document.querySelectorAll(".spectrum-panel")) {
  const question = new URLSearchParams();
  if (panel.dataset.envelope !== undefined) question.set("envelope", "true");
  spectrumChart(panel, text, {
    chosen: () => [SIGNAL],
    take: (body) => ({ ...body, samples: body.count, spectrum: body.spectrum && bySignal(body.spectrum) }),
    orders,
  }).read(question);
}
