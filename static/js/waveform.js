// The waveform page. The form is the state of the page: its fields say which window of what is shown, and written as a
// query string they are the page's address. Each zoom is an entry of the browser's history, so Back works.
(() => {
  const { applyTheme, count, fill, greatest, least, microseconds, paintSwatches, waveformDatasets } = window.himmes;
  const MIN_POINTS = 100;
  const MAX_POINTS = 2000; // what the API gives at most
  const MIN_WINDOW_S = 1e-5;
  const RESIZE_MS = 300;

  const form = document.getElementById("waveform-form");
  const figure = document.getElementById("waveform");
  const text = JSON.parse(document.getElementById("waveform-text").textContent);
  const canvas = figure.querySelector("canvas");
  const caption = figure.querySelector("figcaption");
  const banner = figure.querySelector("[role=alert]");
  const button = (name) => figure.querySelector(`[data-do=${name}]`);
  const { start: startField, end: endField } = form.elements;
  const stateBoxes = form.querySelectorAll("[name=states]");

  let waveform = null; // the last answer of the API
  let reading = null; // the AbortController of the request under way
  let readPoints = 0;
  let resizing = null; // a timer

  // --- The window ----------------------------------------------------------------------------------------------------

  const secondsIn = (field) => (field.value === "" ? null : Number(field.value));

  // What is to be seen: an end that the form leaves open is that of the recording.
  function shownWindow() {
    return {
      start: secondsIn(startField) ?? waveform.recording_start,
      end: secondsIn(endField) ?? waveform.recording_end,
    };
  }

  function writeWindow(start, end) {
    // Microseconds are the finest that the data has. An end that is the recording's stays open.
    startField.value = start <= waveform.recording_start ? "" : Number(start.toFixed(6));
    endField.value = end >= waveform.recording_end ? "" : Number(end.toFixed(6));
  }

  const depth = () => history.state?.depth ?? 0;
  const address = () => `?${new URLSearchParams(new FormData(form))}`;

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

  // --- Reading -------------------------------------------------------------------------------------------------------

  async function read() {
    reading?.abort(); // an answer to an earlier question must not come after the one to this
    const mine = (reading = new AbortController());
    readPoints = Math.min(MAX_POINTS, Math.max(MIN_POINTS, Math.round(plotPixels())));
    const asked = new URLSearchParams({
      machine_name: form.elements.machine.value,
      sensor_no: form.elements.sensor.value,
      recording: form.elements.recording.value,
      points: readPoints,
    });
    // All states, whichever are shown: to tick a box then needs no request.
    for (const box of stateBoxes) asked.append("states", box.value);
    for (const field of [startField, endField]) if (field.value !== "") asked.set(field.name, field.value);

    figure.setAttribute("aria-busy", "true");
    let response;
    let answer;
    try {
      response = await fetch(`${figure.dataset.url}?${asked}`, { signal: mine.signal });
      // A proxy in between may answer with a page of its own.
      if (response.headers.get("Content-Type")?.match(/^application\/(problem\+)?json/)) answer = await response.json();
    } catch (error) {
      if (error.name === "AbortError") return;
      response = null; // no connection, or it broke off
    }
    if (mine !== reading) return;
    figure.setAttribute("aria-busy", "false");
    if (response?.ok && answer) {
      waveform = answer;
      banner.hidden = true;
      show();
    } else {
      showProblem(response, answer);
    }
  }

  function showProblem(response, answer) {
    const status = response?.status;
    const loggedOut = status === 401;
    let problem;
    if (!response) problem = text.away;
    else if (loggedOut) problem = text.logged_out;
    else if ((status === 400 || status === 403) && answer) problem = fill(text.refused, { reason: reasons(answer) });
    else if (status === 404) problem = text.gone;
    else problem = fill(text.failed, { status });
    banner.querySelector("[data-error]").textContent = problem;
    button("retry").hidden = loggedOut;
    const logIn = banner.querySelector("[data-log-in]");
    logIn.hidden = !loggedOut;
    logIn.href = `${figure.dataset.login}?${new URLSearchParams({ next: location.pathname + location.search })}`;
    banner.hidden = false;
    caption.textContent = "";
    figure.dataset.stale = ""; // what is still drawn is not what was asked for
  }

  const reasons = ({ detail, errors = [] }) =>
    errors.map(({ field, message }) => `${field}: ${message}`).join("; ") || detail;

  // --- Showing -------------------------------------------------------------------------------------------------------

  const withUnit = (value) => (figure.dataset.unit ? `${value} ${figure.dataset.unit}` : `${value}`);
  const chosenStates = () => new Set([...stateBoxes].filter((box) => box.checked).map((box) => box.value));

  function show() {
    delete figure.dataset.stale;
    const empty = waveform.recording_start === null;
    const { start, end } = empty ? { start: 0, end: 1 } : shownWindow();
    const { x } = chart.options.scales;
    // A recording of one sample has no width; Chart.js then makes one up.
    Object.assign(x, start < end ? { min: start, max: end } : { min: undefined, max: undefined });
    chart.options.plugins.zoom.limits.x = {
      min: waveform.recording_start ?? 0,
      max: waveform.recording_end ?? 1,
      minRange: MIN_WINDOW_S,
    };
    const whole = startField.value === "" && endField.value === "";
    button("back").disabled = depth() === 0;
    button("reset").disabled = empty || whole;
    button("left").disabled = empty || start <= waveform.recording_start;
    button("right").disabled = empty || end >= waveform.recording_end;
    button("closer").disabled = empty || end - start <= MIN_WINDOW_S;
    draw();
  }

  function draw() {
    const chosen = chosenStates();
    chart.data.datasets = waveformDatasets(waveform, text.states, chart.chartArea.width).map((dataset) => ({
      ...dataset,
      hidden: !chosen.has(dataset.state),
    }));
    chart.update("none");
    caption.textContent = chosen.size ? inWords() : text.no_state;
    for (const place of form.querySelectorAll("[data-range]")) {
      const { min, max } = waveform.states[place.dataset.range];
      place.textContent = min.length
        ? withUnit(fill(text.range, { min: least(min), max: greatest(max) }))
        : "";
    }
  }

  function inWords() {
    const { samples, buckets, bucket_width: width } = waveform;
    const numbers = { samples: count(samples), buckets: count(buckets), width };
    if (waveform.recording_start === null) return text.empty;
    if (!samples) return fill(text.nothing, { start: waveform.recording_start, end: waveform.recording_end });
    if (width) return fill(buckets === 1 ? text.reduced_to_one : text.reduced, numbers);
    return samples === 1 ? text.all_one : fill(text.all, numbers);
  }

  function tooltipTitle([item]) {
    if (!item) return "";
    const time = waveform.time[item.raw.index];
    const from = microseconds(time);
    return waveform.bucket_width ? `${from} – ${microseconds(time + waveform.bucket_width)} s` : `${from} s`;
  }

  // The numbers are printed as they came, with every digit.
  function tooltipLine({ dataset, raw }) {
    const { min, max } = waveform.states[dataset.state];
    const values = { state: dataset.label, min: withUnit(min[raw.index]), max: withUnit(max[raw.index]) };
    return fill(waveform.bucket_width ? text.tooltip_range : text.tooltip_value, { ...values, value: values.min });
  }

  function zoomed() {
    const { min, max } = chart.scales.x;
    goTo(min, max);
  }

  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  Chart.defaults.font.size = 13;
  const title = (words) => ({ display: true, text: words });
  const chart = new Chart(canvas, {
    type: "line",
    data: { datasets: [] },
    options: {
      locale: document.documentElement.lang,
      animation: false,
      parsing: false,
      normalized: true,
      maintainAspectRatio: false,
      interaction: { mode: "index", axis: "x", intersect: false },
      elements: { line: { tension: 0 } },
      scales: {
        x: { type: "linear", title: title(text.time), grid: {}, border: {}, ticks: { maxRotation: 0, includeBounds: false } },
        y: { title: title(withUnit(text.value)), grace: "5%", grid: {}, border: {}, ticks: {} },
      },
      plugins: {
        legend: { display: false }, // the list of states above is the legend
        tooltip: {
          borderWidth: 1,
          usePointStyle: true,
          boxWidth: 8,
          boxHeight: 8,
          // The upper edge of an envelope would say the same again.
          filter: (item, index, items) => items.findIndex((it) => it.dataset.state === item.dataset.state) === index,
          itemSort: (a, b) => a.datasetIndex - b.datasetIndex, // as the legend has them
          callbacks: { title: tooltipTitle, label: tooltipLine },
        },
        zoom: {
          limits: { x: {} },
          zoom: {
            mode: "x",
            drag: { enabled: true, threshold: 5, borderWidth: 1 },
            pinch: { enabled: true },
            onZoomComplete: zoomed,
          },
        },
      },
      onResize: resized,
    },
  });

  // --- What the user does --------------------------------------------------------------------------------------------

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

  form.addEventListener("formdata", ({ formData }) => {
    for (const name of ["start", "end"]) if (formData.get(name) === "") formData.delete(name);
  });
  form.elements.machine.addEventListener("change", () => {
    form.elements.sensor.selectedIndex = -1; // the other machine may have no sensor of that name
    form.elements.recording.selectedIndex = -1;
    form.requestSubmit();
  });
  form.elements.sensor.addEventListener("change", () => {
    form.elements.recording.selectedIndex = -1;
    form.requestSubmit();
  });
  form.elements.recording.addEventListener("change", () => form.requestSubmit());
  for (const box of stateBoxes) {
    box.addEventListener("change", () => {
      history.replaceState(history.state, "", address());
      if (waveform) draw();
    });
  }

  addEventListener("popstate", () => {
    const query = new URLSearchParams(location.search);
    startField.value = query.get("start") ?? "";
    endField.value = query.get("end") ?? "";
    const states = query.getAll("states");
    for (const box of stateBoxes) box.checked = !states.length || states.includes(box.value);
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
})();
