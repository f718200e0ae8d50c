// What is said about a spectrum: what it is of, what was left out, and what keeps it from being compared.

import { plain, rounded } from "../rounding.js";
import { count, fill } from "../texts.js";

const MIN_SAMPLES = 16; // as in vibration/numbers/spectrum.py

// Why there is no spectrum in an answer.
export function whyNone(answer, text) {
  const { spectrum_reason: reason, pruned_before: before } = answer;
  const words = reason === "too_few_samples" && answer.samples < MIN_SAMPLES ? text.fewer_than_16 : text[reason];
  return fill(words, { before });
}

const windowKey = ({ window }) => window.toLowerCase().replace(" ", "");

// What the spectrum of an answer is, in sentences.
export function about(answer, view, text) {
  const { spectrum } = answer;
  const { start, end, samples, sections, frequency, is_short: isShort } = spectrum;
  const numbers = {
    samples: count(samples),
    sections: count(sections),
    length: rounded(spectrum.section_length),
    rate: rounded(spectrum.sampling_frequency),
    resolution: rounded(spectrum.resolution),
    window: text.windows[windowKey(spectrum)],
  };
  const sentences = [fill(sections === 1 ? text.spectrum_one : text.spectrum, numbers)];
  if (windowKey(spectrum) === "flattop") sentences.push(text.flattop);
  if (isShort) sentences.push(coarser(spectrum, view, text));
  const rest = answer.samples_read - samples;
  if (rest > 0 && isShort) sentences.push(fill(text.longest_stretch, { start, end }));
  else if (rest > 0) sentences.push(fill(text.left_out, { samples: count(rest) }));
  const bins = frequency.length > 1 ? Math.round((frequency[1] - frequency[0]) / spectrum.resolution) : 1; // of each point
  if (bins > 1) sentences.push(fill(text.groups, { bins: count(bins) }));
  if (spectrum.left_out_below > 0) sentences.push(fill(text.velocity_from, { hertz: plain.format(spectrum.left_out_below) }));
  if (view.text("scale") !== "") sentences.push(text.floor);
  return sentences.join(" ");
}

// A capture or window is shorter than what was asked for needs.
function coarser(spectrum, view, text) {
  const asked = view.number("resolution");
  if (asked === null) return text.short;
  const { resolution, section_length: length } = spectrum;
  const numbers = { asked, needed: 1 / asked, length, resolution };
  const inWords = Object.entries(numbers).map(([name, value]) => [name, plain.format(value)]);
  return fill(text.coarser, Object.fromEntries(inWords));
}

// How the speed is known, and that it changes.
export function aboutSpeed({ speed }, text) {
  if (!speed?.hz) return "";
  const sentences = [text[speed.source]];
  if (speed.changes) {
    const { from_hz: from, to_hz: to } = speed.changes;
    sentences.push(fill(text.changes, { from: plain.format(from), to: plain.format(to) }));
  }
  return sentences.filter(Boolean).join(" ");
}

// What is to be known of a second spectrum that is drawn over a first, or is not; `speeds` are those of both, in Hz.
export function aboutOverlay(first, second, { name, byOrder, speeds, isComparable }, text) {
  if (!second || !first.spectrum) return "";
  if (!isComparable) return fill(text.overlay_units, { name });
  if (!second.spectrum) return fill(text.overlay_none, { name, reason: whyNone(second, text) });
  if (byOrder && speeds.first && !speeds.second) return fill(text.overlay_no_speed, { name });
  const sentences = [fill(text.overlay_drawn, { name })];
  for (const [words, one, two] of [
    [text.overlay_rates, first.spectrum.sampling_frequency / 2, second.spectrum.sampling_frequency / 2],
    [text.overlay_resolutions, first.spectrum.resolution, second.spectrum.resolution],
    ...(byOrder && speeds.first ? [[text.overlay_orders, speeds.first, speeds.second]] : []),
  ]) {
    const numbers = { first: plain.format(one), second: plain.format(two) };
    if (numbers.first !== numbers.second) sentences.push(fill(words, numbers));
  }
  return sentences.join(" ");
}
