/* Changing a pipeline where it is shown. A cell that can be changed has a button; it opens a small
   form with the value as it is now; Enter saves, Escape leaves, and for ten minutes it can be undone. */
(() => {
  "use strict";
  const COLUMNS = {
    "col-rag_status": ["rag", "RAG"],
    "col-rtb_date": ["rtb", "RTB date"],
    "col-status": ["stage", "stage"],
    "col-responsible": ["responsible", "person responsible"],
    "col-next_step": ["next-step", "next step"],
    "attention-rag": ["rag", "RAG"],
  };
  const KEPT = "oegen:edit-notice"; // What is said after the page was loaded anew.
  const GAP = 6; // pixels between a cell and the form below it

  const dialog = document.querySelector("[data-edit-dialog]");
  const notice = document.querySelector("[data-edit-notice]");
  if (!dialog) return;

  const form = dialog.querySelector("[data-edit-form]");
  const fields = dialog.querySelector("[data-edit-fields]");
  const bar = document.querySelector("[data-bulk-bar]");
  const icon = dialog.querySelector("[data-edit-icon]");
  let opened = ""; // the address of the form
  const attempt = oegenAnswers.attempts(dialog, fields, (message) => say({ message }));

  /* The buttons in the cells ------------------------------------------------------------------ */

  function addButtons() {
    document.querySelectorAll(".record-rows tbody tr, .attention tbody tr").forEach((row) => {
      const link = row.querySelector("th a");
      if (!link?.pathname.startsWith(dialog.dataset.editDialog)) return;
      for (const [name, [what, label]] of Object.entries(COLUMNS)) {
        const cell = row.querySelector(`td.${name}`);
        if (!cell || cell.querySelector("[data-edit]")) continue;
        const button = document.createElement("button");
        button.type = "button";
        button.className = "cell-edit";
        button.dataset.edit = addressOf(link, what);
        button.setAttribute("aria-label", `Change the ${label} of ${link.textContent}`);
        button.append(icon.content.cloneNode(true));
        cell.classList.add("can-edit");
        cell.append(button);
      }
    });
  }

  function keyOf(link) {
    return link.pathname.split("/").at(-2);
  }

  function addressOf(link, what) {
    if (what !== "stage") return `${link.pathname}edit/${what}/`;
    const { bulk } = bar.querySelector("[data-bulk-stage]").dataset;
    return `${bulk}?key=${keyOf(link)}`;
  }

  /* Several at once: a box in each row, and a bar for those that are ticked. ----------------- */

  function addBoxes() {
    document.querySelectorAll(".record-rows").forEach((table) => {
      const links = [...table.querySelectorAll("tbody th a")].filter((link) =>
        link.pathname.startsWith(dialog.dataset.editDialog),
      );
      const head = table.querySelector("thead th");
      if (!links.length || head.querySelector("[data-pick-all]")) return;
      head.prepend(box("Select all of this page", "pickAll", ""));
      for (const link of links) {
        link.closest("th").prepend(box(`Select ${link.textContent}`, "pick", keyOf(link)));
      }
    });
    showBar();
  }

  function box(label, name, value) {
    const input = document.createElement("input");
    Object.assign(input, { type: "checkbox", className: "row-pick", autocomplete: "off" });
    input.setAttribute("aria-label", label);
    input.dataset[name] = value;
    return input;
  }

  function picked() {
    return [...document.querySelectorAll("[data-pick]:checked")].map((one) => one.dataset.pick);
  }

  function showBar() {
    const number = picked().length;
    bar.hidden = !number;
    bar.querySelector("[data-bulk-count]").textContent = number;
  }

  function keys() {
    return new URLSearchParams(picked().map((key) => ["key", key]));
  }

  function pickAll(isChecked) {
    document.querySelectorAll("[data-pick], [data-pick-all]").forEach((one) => {
      one.checked = isChecked;
    });
    showBar();
  }

  /* The form ---------------------------------------------------------------------------------- */

  async function open(button, address) {
    const answer = await oegenAnswers.ask(address);
    if (!answer.ok) throw new Error(oegenAnswers.problem(answer.status));
    opened = address;
    fields.innerHTML = await answer.text();
    dialog.showModal();
    place(button.closest("td, .figures > div, dd, .rag-sentence"));
    oegenUnsaved.watch(form, address);
    (fields.querySelector(":checked") ?? firstField())?.focus();
  }

  function firstField() {
    return fields.querySelector("input:not([type=hidden]), select, textarea");
  }

  /* Below the cell or, where there is no room, above it; in the middle on a phone. */
  function place(cell) {
    if (!cell || window.innerWidth < 768) return;
    const at = cell.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = dialog;
    const below = at.bottom + GAP + height <= window.innerHeight;
    const top = below ? at.bottom + GAP : Math.max(GAP, at.top - GAP - height);
    const left = Math.max(GAP, Math.min(at.left, window.innerWidth - width - 3 * GAP));
    dialog.style.margin = "0";
    dialog.style.inset = `${top}px auto auto ${left}px`;
  }

  async function save() {
    const answer = await oegenAnswers.send(form, opened, new FormData(form));
    if (answer.status === 422 || answer.status === 409) {
      oegenUnsaved.pause(form);
      fields.innerHTML = await answer.text();
      oegenUnsaved.watch(form, opened);
      (fields.querySelector("[aria-invalid=true]") ?? firstField())?.focus();
      return;
    }
    if (!answer.ok) throw new Error(oegenAnswers.problem(answer.status));
    const done = await answer.json();
    oegenUnsaved.forget(form);
    dialog.close();
    await drawAnew({ ...done, until: Date.now() + 1000 * done.seconds });
  }

  async function takeBack(button) {
    const answer = await oegenAnswers.send(form, button.dataset.undoEdit, new FormData());
    if (!answer.ok && answer.status !== 409) throw new Error(oegenAnswers.problem(answer.status));
    await drawAnew({ message: (await answer.json()).message });
  }

  /* The page and what is said on it ------------------------------------------------------------- */

  /* A list comes anew without the page; a record's page is loaded again. */
  async function drawAnew(said) {
    if (!document.getElementById("results")) {
      sessionStorage.setItem(KEPT, JSON.stringify(said));
      window.location.reload();
      return;
    }
    const settled = new Promise((resolve) => {
      document.addEventListener("htmx:afterSettle", resolve, { once: true });
    });
    await htmx.ajax("GET", window.location.href, { target: "#results", swap: "outerHTML" });
    await settled;
    prepare();
    say(said);
    const button = document.querySelector(`#results [data-edit="${opened}"]`);
    button?.closest("tr").classList.add("is-saved");
    button?.focus();
  }

  function say({ message, undo, until, details }) {
    const words = document.createElement("span");
    words.textContent = message;
    notice.replaceChildren(words);
    if (details) {
      const link = document.createElement("a");
      link.href = details;
      link.textContent = "See or undo it";
      notice.append(link);
    }
    if (undo && until > Date.now()) {
      const button = oegenAnswers.undoButton({ undoEdit: undo });
      notice.append(button);
      setTimeout(() => button.remove(), until - Date.now());
    }
  }

  document.addEventListener("click", (event) => {
    const asked = event.target.closest("[data-edit]");
    const cell = event.target.closest("td.can-edit");
    const undone = event.target.closest("[data-undo-edit]");
    const bulk = event.target.closest("[data-bulk]");
    if (asked) attempt(() => open(asked, asked.dataset.edit));
    else if (bulk) attempt(() => open(bulk, `${bulk.dataset.bulk}?${keys()}`));
    else if (event.target.closest("[data-bulk-clear]")) pickAll(false);
    else if (undone) attempt(() => takeBack(undone));
    else if (cell && !event.target.closest("a, button") && !window.getSelection().toString())
      attempt(() => open(cell, cell.querySelector("[data-edit]").dataset.edit));
    else if (event.target.closest("[data-edit-cancel]")) {
      oegenUnsaved.forget(form);
      dialog.close();
    }
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-pick-all]")) pickAll(event.target.checked);
    else if (event.target.matches("[data-pick]")) showBar();
  });
  dialog.addEventListener("cancel", () => oegenUnsaved.pause(form));
  /* htmx copies the page, and the site's policy refuses a copied style. */
  dialog.addEventListener("close", () => dialog.removeAttribute("style"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(save);
  });
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || !event.target.matches("textarea, select"))
      return;
    event.preventDefault();
    attempt(save);
  });

  function prepare() {
    addButtons();
    addBoxes();
  }

  document.addEventListener("htmx:afterSettle", prepare);
  prepare();
  const kept = sessionStorage.getItem(KEPT);
  if (kept) {
    sessionStorage.removeItem(KEPT);
    say(JSON.parse(kept));
  }
})();
