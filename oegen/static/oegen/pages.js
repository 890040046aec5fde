/* Small comforts of every page; each works without this file too. */
(function () {
  "use strict";

  /* A filter takes effect when it is chosen, and the address names only what is set. */
  document.querySelectorAll("form[data-filters]").forEach(function (form) {
    form.addEventListener("change", function (event) {
      if (event.target.matches("select")) form.requestSubmit();
    });
    form.addEventListener("submit", function () {
      form.querySelectorAll("input, select").forEach(function (field) {
        if (field.value === "") field.disabled = true;
      });
    });
  });
  window.addEventListener("pageshow", function () {
    document.querySelectorAll("form[data-filters] :disabled").forEach(function (field) {
      field.disabled = false;
    });
  });

  /* A menu closes when attention goes elsewhere. */
  document.addEventListener("click", function (event) {
    document.querySelectorAll("details[data-menu][open]").forEach(function (menu) {
      if (!menu.contains(event.target)) menu.open = false;
    });
  });
  document.addEventListener("keydown", function (event) {
    if (event.key !== "Escape") return;
    document.querySelectorAll("details[data-menu][open]").forEach(function (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    });
  });
})();
