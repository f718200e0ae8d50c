// The period that a trend shows: as a form has it, see diagnosis/pages/trends/form.py, and in instants (milliseconds).

export const LEAST_MS = 1000;
const POINTS = 400; // of the API, where none are asked for

// `plan` has the lengths of ranges, the usual one, and the opening of the alarm that the period is around, or null.
export function trendWindow(form, plan, zone) {
  const { after: afterField, before: beforeField, range: rangeField, with_start: otherField } = form.elements;
  const fromField = (value) => (value ? luxon.DateTime.fromISO(value, { zone }).toMillis() : null);
  const asField = (ms) => luxon.DateTime.fromMillis(ms, { zone }).toFormat("yyyy-MM-dd'T'HH:mm:ss");

  // {start, end, isOpen} of what a FormData of the form says. The start of an open period moves a point's width at a
  // time, so that the question to the API stays the same for as long, and its answer may be that nothing is new.
  function of(view, now = Date.now()) {
    const [after, before] = ["after", "before"].map((name) => fromField(view.get(name)));
    const length = plan.lengths[view.get("range")] ?? plan.usual_length;
    if (plan.opening !== null) {
      if (after === null && before === null) return { start: plan.opening - length, end: plan.opening + length, isOpen: false };
      return { start: after ?? before - 2 * length, end: before ?? after + 2 * length, isOpen: false };
    }
    if (before !== null) return { start: after ?? before - length, end: before, isOpen: false };
    const step = length / POINTS;
    return { start: after ?? Math.ceil((now - length) / step) * step, end: now, isOpen: true };
  }

  // Whole seconds, rounded outwards. Of another period that is named by its start, that moves along.
  function write(start, end) {
    const from = Math.floor(start / 1e3) * 1e3;
    const to = Math.max(Math.ceil(end / 1e3) * 1e3, from + LEAST_MS);
    if (afterField.value === asField(from) && beforeField.value === asField(to)) return false;
    afterField.value = asField(from);
    beforeField.value = asField(to);
    rangeField.value = "";
    if (plan.compared?.moves_start) otherField.value = asField(from + plan.compared.shift);
    return true;
  }

  // Back to the usual period, which ends now or is around the alarm.
  function reset(view) {
    const usual = { start: plan.opening === null ? Date.now() - plan.usual_length : plan.opening - plan.usual_length };
    afterField.value = beforeField.value = rangeField.value = "";
    if (plan.compared?.moves_start && view.get("with_start")) otherField.value = asField(usual.start + plan.compared.shift);
  }

  function restore(query) {
    for (const field of [afterField, beforeField, rangeField, otherField]) field.value = query.get(field.name) ?? "";
  }

  return { of, reset, restore, write };
}
