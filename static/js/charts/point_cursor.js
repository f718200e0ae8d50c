// A cursor that the keyboard moves along the points of a line chart, from line to line with up and down.

const STEPS = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -Infinity, End: Infinity };

// Of a dataset the places of its points in its data, one of each point: steps have two, and gaps none.
function placesOf({ data }) {
  return data.flatMap(({ y, index }, place) => (Number.isNaN(y) || (place && index === data[place - 1].index && !Number.isNaN(data[place - 1].y)) ? [] : [place]));
}

// `read(dataset, point)` is called with each point that is gone to, `open(dataset, point)` when it is chosen.
export function pointCursor(chart, { read, open }) {
  let here = null; // {dataset, place}: what the cursor is on; datasets are made anew with each answer

  function goTo(datasetIndex, place) {
    const dataset = chart.data.datasets[datasetIndex];
    here = { dataset, place };
    const active = [{ datasetIndex, index: place }];
    const { x, y } = chart.getDatasetMeta(datasetIndex).data[place];
    chart.setActiveElements(active);
    chart.tooltip.setActiveElements(active, { x, y });
    chart.update("none");
    read(dataset, dataset.data[place]);
  }

  function start() {
    const first = chart.data.datasets.findIndex((it) => placesOf(it).length);
    if (first >= 0) goTo(first, placesOf(chart.data.datasets[first]).at(-1)); // the newest
  }

  function step(by) {
    const places = placesOf(here.dataset);
    const to = Math.max(0, Math.min(places.length - 1, places.indexOf(here.place) + by));
    goTo(chart.data.datasets.indexOf(here.dataset), places[to]);
  }

  function change(by) {
    const { datasets } = chart.data;
    const { x } = here.dataset.data[here.place];
    for (let to = datasets.indexOf(here.dataset) + by; to >= 0 && to < datasets.length; to += by) {
      const places = placesOf(datasets[to]);
      if (!places.length) continue;
      const away = (place) => Math.abs(datasets[to].data[place].x - x);
      goTo(to, places.reduce((best, place) => (away(place) < away(best) ? place : best)));
      return;
    }
  }

  chart.canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const isKnown = here && chart.data.datasets.includes(here.dataset);
    if (event.key in STEPS || ["ArrowUp", "ArrowDown"].includes(event.key)) {
      event.preventDefault();
      if (!isKnown) start();
      else if (event.key in STEPS) step(STEPS[event.key]);
      else change(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Enter" && isKnown) {
      event.preventDefault();
      open(here.dataset, here.dataset.data[here.place]);
    }
  });
}
