/* The search page: type at once, and walk down into the results with the arrow keys. */
(() => {
  "use strict";

  const box = document.getElementById("site-search");
  box.focus();
  box.setSelectionRange(box.value.length, box.value.length);

  document.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const stops = [box].concat(Array.from(document.querySelectorAll(".hit a")));
    const at = stops.indexOf(document.activeElement);
    const next = at >= 0 && stops[at + (event.key === "ArrowDown" ? 1 : -1)];
    if (!next) return;
    event.preventDefault();
    next.focus();
  });
})();
