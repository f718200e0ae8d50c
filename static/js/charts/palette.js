// Colours for amounts, from dark to light: the lightness rises all the way, so that they are in order for the
// colour-blind and on paper, and blue to yellow is told apart by all.

const STOPS = [
  [52, 12, 92],
  [58, 58, 142],
  [38, 108, 146],
  [30, 152, 132],
  [112, 198, 82],
  [252, 232, 54],
];

// Of a share from 0 to 1: [red, green, blue].
export function colourAt(share) {
  const place = Math.max(0, Math.min(1, share)) * (STOPS.length - 1);
  const below = Math.min(Math.floor(place), STOPS.length - 2);
  return STOPS[below].map((from, index) => Math.round(from + (STOPS[below + 1][index] - from) * (place - below)));
}
