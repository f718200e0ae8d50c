// How a spectrum is looked at: the fields of templates/vibration/spectrum_tools.html. They belong to the form of the
// page, so that the address of the page, its form as a query string, opens exactly this view.

const DECIMALS = 6; // of a frequency: a millionth of a Hz is finer than any bin

// `panel` has the fields, each with the name of a tool; `changed(name)` is called when somebody changes one.
export function spectrumView(panel, form, changed) {
  const fields = Object.fromEntries([...panel.querySelectorAll("[data-tool]")].map((it) => [it.dataset.tool, it]));
  const names = Object.values(fields).map((it) => it.name);

  // What was not chosen does not stand in the address.
  form.addEventListener("formdata", ({ formData }) => {
    for (const name of names) if (formData.get(name) === "") formData.delete(name);
  });

  for (const [name, field] of Object.entries(fields)) {
    field.addEventListener("change", () => {
      if (!field.checkValidity()) return field.reportValidity();
      writeAddress();
      changed(name);
    });
    // Enter would send the form and load the page anew.
    field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      field.dispatchEvent(new Event("change"));
    });
  }

  function writeAddress() {
    const query = new URLSearchParams(new FormData(form)).toString();
    history.replaceState(history.state, "", query ? `?${query}` : location.pathname);
  }

  const text = (name) => fields[name]?.value ?? "";

  return {
    text,
    number: (name) => (text(name) === "" ? null : Number(text(name))),
    // Values by name; null: none.
    set(values) {
      for (const [name, value] of Object.entries(values)) {
        fields[name].value = typeof value === "number" ? Number(value.toFixed(DECIMALS)) : (value ?? "");
      }
      writeAddress();
    },
    restore(query) {
      for (const field of Object.values(fields)) field.value = query.get(field.name) ?? "";
    },
    // What the API is asked beside the window.
    write(question) {
      for (const name of ["resolution", "window", "quantity", "low", "high"]) {
        if (text(name) !== "") question.set(name, text(name));
      }
      return question;
    },
  };
}
