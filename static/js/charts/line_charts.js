// What the line charts of waveform and spectrum have in common.

export const lineOptions = () => ({
  locale: document.documentElement.lang,
  animation: false,
  parsing: false,
  normalized: true,
  maintainAspectRatio: false,
  interaction: { mode: "eachAtPointer", axis: "x", intersect: false },
  elements: { line: { tension: 0 } },
});

export const lineTooltip = {
  borderWidth: 1,
  usePointStyle: true,
  boxWidth: 8,
  boxHeight: 8,
  itemSort: (a, b) => a.datasetIndex - b.datasetIndex, // as the legend has them
};

// An interaction mode for Chart.js: of each dataset the point at the pointer. Its own mode "index" takes the same index
// of all datasets, which is another time of another recording. Of a dataset of `marks` only what is near is meant.
const NEAR_PX = 10;

function eachAtPointer(chart, event) {
  const position = Chart.helpers.getRelativePosition(event, chart);
  if (!chart.isPointInArea(position)) return [];
  const value = chart.scales.x.getValueForPixel(position.x);
  return chart.getSortedVisibleDatasetMetas().flatMap(({ index: datasetIndex, data: elements }) => {
    const { data, marks } = chart.data.datasets[datasetIndex];
    const index = indexAt(data, value);
    const element = elements[index];
    if (!element || (marks && Math.abs(element.x - position.x) > NEAR_PX)) return [];
    return [{ element, datasetIndex, index }];
  });
}

// Where in points of rising x the value lies: within a step its beginning, else the nearest; -1 when there are none.
function indexAt(points, value) {
  let [low, high] = [0, points.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (points[middle].x <= value) low = middle + 1;
    else high = middle;
  }
  const [before, after] = [points[low - 1], points[low]];
  if (!after) return low - 1;
  if (before && (before.index === after.index || value - before.x <= after.x - value)) return low - 1;
  return Number.isNaN(after.y) ? low + 1 : low; // a break of the line has the place of the point behind it
}

Chart.Interaction.modes.eachAtPointer = eachAtPointer;
