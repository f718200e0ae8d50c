// A form of filters with a period: dates that somebody types take the place of a range, and what is empty stays out of
// the address.
for (const form of document.querySelectorAll("form.filters")) {
  const { after, before, range } = form.elements;
  for (const field of [after, before]) field.addEventListener("input", () => (range.value = ""));
  // On a phone the filters would fill the screen; what they are about comes first.
  if (matchMedia("(width < 40rem)").matches && !form.querySelector(".field-error")) form.closest("details").open = false;
  form.addEventListener("formdata", ({ formData }) => {
    for (const name of new Set(formData.keys())) {
      if (formData.getAll(name).every((value) => value === "")) formData.delete(name);
    }
  });
}
