/* Counts what is typed into a text with a limit, once it comes near. The server checks it. */
(() => {
  "use strict";

  const NEAR = 0.8;

  function noteOf(field) {
    const next = field.nextElementSibling;
    if (next?.classList.contains("limit-note")) return next;
    const note = document.createElement("output");
    note.className = "limit-note";
    field.after(note);
    return note;
  }

  document.addEventListener("input", (event) => {
    const field = event.target;
    const limit = Number(field.dataset.limit);
    if (!limit) return;
    const length = Array.from(field.value.trim()).length;
    const note = noteOf(field);
    const excess = length - limit;
    note.hidden = length < limit * NEAR;
    note.classList.toggle("is-over", excess > 0);
    note.textContent =
      excess > 0
        ? `${excess.toLocaleString("en-GB")} too many of ${limit.toLocaleString("en-GB")}`
        : `${length.toLocaleString("en-GB")} of ${limit.toLocaleString("en-GB")} characters`;
  });
})();
