/* What Django's admin and its chooser leave nameless for screen readers gets its name here. */
(() => {
  "use strict";

  /* A chooser is known by its field's label and, once something is chosen, by that too. */
  function nameChoosers() {
    document.querySelectorAll("select.select2-hidden-accessible").forEach((select) => {
      const box = select.nextElementSibling?.querySelector(".select2-selection");
      if (!box || box.id) return;
      const label = select.labels?.[0]?.textContent || select.getAttribute("aria-label") || "";
      box.id = `${select.id}-chooser`;
      box.setAttribute("aria-label", label.trim().replace(/:$/, ""));
      box.setAttribute("aria-labelledby", `${box.id} ${box.getAttribute("aria-labelledby")}`);
      /* What is chosen is text, not a box of its own to write in. */
      const value = box.querySelector("[role='textbox'][aria-readonly]");
      value?.removeAttribute("role");
      value?.removeAttribute("aria-readonly");
    });
  }

  /* On a phone a row of a table is a card, in which each value says what it is. */
  function nameCells(table) {
    const headings = Array.from(table.querySelectorAll("thead th"), (head) =>
      (head.querySelector(".text") ?? head).textContent.trim(),
    );
    table.querySelectorAll("tbody tr").forEach((row) => {
      if (row.cells.length !== headings.length) return;
      Array.from(row.cells).forEach((cell, place) => {
        if (cell.matches("td:not(.action-checkbox)")) cell.dataset.heading = headings[place];
      });
    });
  }

  function mend() {
    nameChoosers();
    document.querySelectorAll("#result_list, .inline-group .tabular table").forEach(nameCells);
    for (const cell of document.querySelectorAll("th.original:empty")) {
      cell.setAttribute("role", "none");
    }
    for (const span of document.querySelectorAll("span.help-tooltip[aria-label]")) {
      span.setAttribute("role", "img");
    }
    document.getElementById("searchbar")?.setAttribute("aria-label", "Search");
  }

  /* The choosers are made by jQuery's ready, which can come after the page has loaded: behind them. */
  window.addEventListener("load", () =>
    window.django?.jQuery ? window.django.jQuery(mend) : mend(),
  );
  document.addEventListener("formset:added", () => setTimeout(mend));
})();
