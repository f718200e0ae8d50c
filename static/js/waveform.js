// The waveform page: windows of recordings.

import { waveformChart } from "./charts/waveform_chart.js";
import * as spectrum from "./spectrum.js";

const form = document.getElementById("waveform-form");
const figure = document.getElementById("waveform");
const text = JSON.parse(document.getElementById("waveform-text").textContent);
const compareField = form.elements.compare;
const stateBoxes = form.querySelectorAll("[name=states]");

// A recording by name, and as what a reader knows it.
const { sensor, recording, compareSensor, compareRecording } = figure.dataset;
const named = (sensor, recording) => ({ sensor, recording, title: `${sensor} / ${recording}` });

function question({ sensor, recording }) {
  const asked = new URLSearchParams({ machine_name: form.elements.machine.value, sensor_no: sensor, recording });
  // All states, whichever are shown: to tick a box then needs no request.
  for (const box of stateBoxes) asked.append("states", box.value);
  return asked;
}

function restore(query) {
  const states = query.getAll("states");
  for (const box of stateBoxes) box.checked = !states.length || states.includes(box.value);
}

form.addEventListener("formdata", ({ formData }) => {
  for (const name of ["start", "end", "compare"]) if (formData.get(name) === "") formData.delete(name);
});

const chart = waveformChart(form, figure, text, {
  shown: named(sensor, recording),
  compared: compareRecording === undefined ? null : named(compareSensor, compareRecording),
  chosen: () => [...stateBoxes].filter((box) => box.checked).map((box) => box.value),
  question,
  take: (body) => body,
  restore,
  spectrum,
});

// A recording is not compared with itself: the choice goes when it may be what is now to be shown.
function compareWithout(place) {
  const option = compareField.selectedOptions[0];
  if (option?.textContent.startsWith(place)) compareField.value = "";
}
form.elements.machine.addEventListener("change", () => {
  form.elements.sensor.selectedIndex = -1; // the other machine may have no sensor of that name
  form.elements.recording.selectedIndex = -1;
  compareField.selectedIndex = -1;
  form.requestSubmit();
});
form.elements.sensor.addEventListener("change", ({ target }) => {
  form.elements.recording.selectedIndex = -1;
  compareWithout(`${target.value} / `);
  form.requestSubmit();
});
form.elements.recording.addEventListener("change", ({ target }) => {
  compareWithout(`${form.elements.sensor.value} / ${target.value}`);
  form.requestSubmit();
});
compareField.addEventListener("change", () => form.requestSubmit());
for (const box of stateBoxes) {
  box.addEventListener("change", () => {
    chart.chooseAgain();
    spectrum.draw();
  });
}
