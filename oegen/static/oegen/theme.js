/* Loaded in the head, before anything is painted. The choice is kept under the key that Django's
   admin uses too, so both parts of the site look alike. */
(() => {
  "use strict";
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const paper = window.matchMedia("print");

  function chosen() {
    const value = localStorage.getItem("theme");
    return value === "light" || value === "dark" ? value : "auto";
  }

  function apply() {
    const onScreen = chosen() === "auto" ? (dark.matches ? "dark" : "light") : chosen();
    const theme = paper.matches ? "light" : onScreen;
    if (document.documentElement.dataset.bsTheme === theme) return;
    document.documentElement.dataset.bsTheme = theme;
    document.dispatchEvent(new CustomEvent("oegen:theme", { detail: theme }));
  }

  document.documentElement.classList.add("js");
  apply();
  dark.addEventListener("change", apply);
  paper.addEventListener("change", apply);
  window.addEventListener("storage", apply);

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-theme-choice]").forEach((group) => {
      const current = group.querySelector(`input[value="${chosen()}"]`);
      current.checked = true;
      group.addEventListener("change", (event) => {
        localStorage.setItem("theme", event.target.value);
        apply();
      });
    });
  });
})();
