// A form of filters with a period: dates that somebody types take the place of a range, and what is empty stays out of
// the address.
for (const form of document.querySelectorAll("form.filters")) {
  const { after, before, range } = form.elements;
  for (const field of [after, before]) field.addEventListener("input", () => (range.value = ""));
  form.addEventListener("formdata", ({ formData }) => {
    for (const name of new Set(formData.keys())) {
      if (formData.getAll(name).every((value) => value === "")) formData.delete(name);
    }
  });
}
