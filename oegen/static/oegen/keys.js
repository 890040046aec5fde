/* Keys of every page: / searches, a asks, e edits, j and k walk down and up a list, g and a letter goes to a
   section, ? shows them all. A control of the page that names a key is pressed by it.
   None of them acts while somebody types. The list in oegen/parts/keys.html says where g leads. */
(() => {
  "use strict";
  const dialog = document.getElementById("keys");
  const WAIT_MS = 1500;
  let goesUntil = 0;
  if (!dialog) return;

  function isTyping(target) {
    return target.isContentEditable || target.closest("input, textarea, select, [role='textbox']");
  }

  function go(letter) {
    const link = dialog.querySelector(`[data-go="${CSS.escape(letter)}"]`);
    if (link) window.location.assign(link.href);
    return Boolean(link);
  }

  function walk(step) {
    const rows = Array.from(document.querySelectorAll("#results .table tbody th a, .hit-name a"));
    const at = rows.indexOf(document.activeElement);
    const next = rows[at < 0 ? 0 : at + step];
    if (next) next.focus();
    return rows.length > 0;
  }

  /* A page's own keys: its controls name them. */
  function pressOwn(key) {
    const control = document.querySelector(`main [aria-keyshortcuts="${CSS.escape(key)}"]`);
    control?.click();
    return Boolean(control);
  }

  document.querySelector("[data-shows-keys]")?.addEventListener("click", () => dialog.showModal());

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
    const goes = Date.now() < goesUntil;
    goesUntil = 0;
    if (goes && go(event.key)) {
      event.preventDefault();
    } else if (event.key === "g") {
      goesUntil = Date.now() + WAIT_MS;
    } else if (event.key === "?") {
      dialog.showModal();
      event.preventDefault();
    } else if (event.key === "/") {
      const box = document.getElementById("site-search");
      if (!box) return;
      box.focus();
      box.select();
      event.preventDefault();
    } else if (event.key === "a") {
      document.querySelector("[data-ask-open]")?.click();
      event.preventDefault();
    } else if (pressOwn(event.key)) {
      event.preventDefault();
    } else if (event.key === "j" || event.key === "k") {
      if (walk(event.key === "j" ? 1 : -1)) event.preventDefault();
    } else if (event.key === "e") {
      const edit = document.querySelector("[data-key-edit]");
      if (edit) window.location.assign(edit.href);
    }
  });
})();
