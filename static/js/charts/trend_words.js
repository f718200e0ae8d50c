// What a trend shows, in words.

import { rounded } from "../rounding.js";
import { count, fill } from "../texts.js";

const UNITS = [
  ["days", 86400],
  ["hours", 3600],
  ["minutes", 60],
  ["seconds", 1],
];
const UNIT_TEXTS = { "m/s2": "m/s²" };

export function trendWords(text, zone, lang) {
  const time = (ms) =>
    luxon.DateTime.fromMillis(ms, { zone, locale: lang }).toFormat(lang === "ko" ? "yyyy-MM-dd HH:mm:ss" : "d LLL yyyy HH:mm:ss");

  function width(seconds) {
    if (seconds === 86400) return text.day;
    const [name, size] = UNITS.find(([, size]) => seconds % size === 0) ?? UNITS.at(-1);
    return fill(text[name], { n: count(seconds / size) });
  }

  const unitOf = (unit) => UNIT_TEXTS[unit] ?? unit;
  const withUnit = (value, unit) => (unit ? `${rounded(value)} ${unitOf(unit)}` : rounded(value));
  const nameOf = ({ sensor_no: sensor, axis }) => `${sensor} / ${axis}`;

  // How much there is, of which time: the widened span of buckets is told as it is.
  function amount(answer, span) {
    const captures = answer.series.reduce((sum, it) => sum + it.captures, 0);
    const told = { captures: count(captures), start: time(span.start), end: time(span.end) };
    if (!captures) {
      const newest = answer.newest ? ` ${fill(text.newest, { time: time(Date.parse(answer.newest)) })}` : "";
      return fill(text.nothing, told) + newest;
    }
    const widths = new Set(answer.series.map((it) => it.bucket_width).filter((it) => it));
    if (widths.size) return fill(text.buckets, { ...told, width: [...widths].map(width).join(", ") });
    return captures === 1 ? fill(text.single_one, told) : fill(text.single, told);
  }

  function remark(series, { code, ...numbers }) {
    const told = { axis: nameOf(series), to: unitOf(series.unit) || text.unknown_unit };
    for (const [name, value] of Object.entries(numbers)) told[name] = typeof value === "number" ? count(value) : value;
    if ("unit" in numbers) told.unit = unitOf(numbers.unit) || text.unknown_unit;
    if (numbers.first) told.time = time(Date.parse(numbers.first));
    if (numbers.reason) told.reason = text.reasons[numbers.reason] ?? numbers.reason;
    return fill(text.remarks[numbers.reason === "" ? "no_value" : code] ?? code, told);
  }

  // `stretches` are those without vibration, in milliseconds.
  function flat(series, stretches) {
    const axis = nameOf(series);
    if (!stretches.length) return [];
    if (stretches.length > 1) return [fill(text.flat, { axis, stretches: count(stretches.length) })];
    const [[from, to]] = stretches;
    return [fill(text.flat_one, { axis, start: time(from), end: time(to) })];
  }

  return { amount, flat, nameOf, remark, time, unitOf, withUnit };
}
