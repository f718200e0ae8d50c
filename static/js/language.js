// The page comes back in the other language as it is now, and not as it was when it was loaded: zooms change the address.
document.querySelector("[data-language]")?.addEventListener("submit", ({ target }) => {
  target.elements.next.value = location.pathname + location.search;
});
