// A run of one state in words: what a tooltip shows and a screen reader reads.

import { count, fill } from "../texts.js";

export function runTexts(text, states, zone, lang) {
  const UNITS = [
    ["days", 86400e3],
    ["hours", 3600e3],
    ["minutes", 60e3],
    ["seconds", 1e3],
  ];

  const plantTime = (ms) => luxon.DateTime.fromMillis(ms, { zone, locale: lang });
  // As the server writes it, to the second.
  const time = (ms) => plantTime(ms).toFormat(lang === "ko" ? "yyyy-MM-dd HH:mm:ss" : "d LLL yyyy HH:mm:ss");

  // The two greatest units of it: "2 h 5 min".
  function duration(ms) {
    if (ms < 1e3) return fill(text.seconds, { n: Number((ms / 1e3).toPrecision(3)) });
    const first = UNITS.findIndex(([, unit]) => ms >= unit);
    return UNITS.slice(first, first + 2)
      .map(([name, unit], place) => [name, Math.floor((place ? ms % UNITS[first][1] : ms) / unit)])
      .filter(([, n]) => n)
      .map(([name, n]) => fill(text[name], { n }))
      .join(" ");
  }

  // What is known of the run with this number in this lane of a timeline.
  function told(timeline, { lane, index }) {
    const runs = timeline.machines[lane];
    const [start, end] = [runs.start[index], runs.end[index]];
    const models = [runs.first_model[index], runs.last_model[index]].map((it) => it || text.unknown);
    const [least, greatest] = [runs.least_confidence[index], runs.greatest_confidence[index]];
    let confidence = text.unknown;
    if (least !== null) confidence = least === greatest ? `${least}` : fill(text.models, { first: least, last: greatest });
    return {
      state: states.find(({ number }) => number === runs.fault_type[index]),
      from: start < timeline.start ? fill(text.since_before, { time: time(timeline.start) }) : time(start),
      to: end >= timeline.now ? fill(text.until_now, { time: time(end) }) : time(end),
      duration: duration(end - start),
      count: count(runs.count[index]),
      model: models[0] === models[1] ? models[0] : models.join(", "),
      confidence,
      runs: runs.runs[index],
    };
  }

  const element = (tag, words, className = "") => Object.assign(document.createElement(tag), { textContent: words, className });

  // As templates/shape.html
  function symbol({ key, shape }) {
    const [svg, use] = ["svg", "use"].map((tag) => document.createElementNS("http://www.w3.org/2000/svg", tag));
    svg.setAttribute("class", "shape");
    svg.dataset.state = key;
    svg.setAttribute("aria-hidden", "true");
    use.setAttribute("href", `#shape-${shape}`);
    svg.append(use);
    return svg;
  }

  // By elements and text, never by markup: names may hold anything.
  function fillTip(tip, machine, timeline, run) {
    const { state, runs, ...known } = told(timeline, run);
    const head = element("p", "", "tip-head");
    head.append(element("strong", machine), symbol(state), element("span", state.name));
    const list = element("dl", "");
    for (const [name, value] of Object.entries(known)) list.append(element("dt", text[name]), element("dd", value));
    tip.replaceChildren(head, list);
    if (runs > 1) tip.append(element("p", fill(text.reduced, { runs: count(runs) }), "note"));
  }

  // What somebody did: who, when and what.
  function toldAct({ kind, by_name: who, at, verdict }) {
    return { what: verdict ? `${text[kind]} – ${text[verdict]}` : text[kind], who, time: time(at) };
  }

  function fillActTip(tip, machine, act) {
    const told = toldAct(act);
    const state = states.find(({ number }) => number === act.fault_type);
    const head = element("p", "", "tip-head");
    head.append(element("strong", machine), symbol(state), element("span", state.name));
    const list = element("dl", "");
    const rows = [[told.what, told.who], [text.at, told.time], [text.comment, act.comment], [text.action, act.action]];
    for (const [name, value] of rows) if (value) list.append(element("dt", name), element("dd", value));
    tip.replaceChildren(head, list);
  }

  return { fillActTip, fillTip, plantTime, time, told, toldAct };
}
