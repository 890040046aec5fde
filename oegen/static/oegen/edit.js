/* Changing a pipeline where it is shown. A cell that can be changed has a button; it opens a small
   form with the value as it is now; Enter saves, Escape leaves, and for ten minutes it can be undone. */
(() => {
  "use strict";
  const COLUMNS = {
    "col-rag_status": ["rag", "RAG"],
    "col-rtb_date": ["rtb", "RTB date"],
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
  const icon = dialog.querySelector("[data-edit-icon]");
  let opened = null; // { address, pipeline }
  let busy = false;

  /* The buttons in the cells ------------------------------------------------------------------ */

  function addButtons() {
    document.querySelectorAll(".record-rows tbody tr, .attention tbody tr").forEach((row) => {
      const link = row.querySelector("th a");
      if (!link?.pathname.startsWith("/pipelines/")) return;
      for (const [name, [what, label]] of Object.entries(COLUMNS)) {
        const cell = row.querySelector(`td.${name}`);
        if (!cell || cell.querySelector("[data-edit]")) continue;
        const button = document.createElement("button");
        button.type = "button";
        button.className = "cell-edit";
        button.dataset.edit = `${link.pathname}edit/${what}/`;
        button.setAttribute("aria-label", `Change the ${label} of ${link.textContent}`);
        button.append(icon.content.cloneNode(true));
        cell.classList.add("can-edit");
        cell.append(button);
      }
    });
  }

  /* The form ---------------------------------------------------------------------------------- */

  async function open(button) {
    const address = button.dataset.edit;
    const answer = await oegenAnswers.ask(address);
    if (!answer.ok) throw new Error(oegenAnswers.problem(answer.status));
    opened = { address, pipeline: address.replace(/edit\/[^/]+\/$/, "") };
    fields.innerHTML = await answer.text();
    dialog.showModal();
    place(button.closest("td, .figures > div, dd, .rag-sentence") ?? button);
    oegenUnsaved.watch(form, address);
    (fields.querySelector(":checked") ?? firstField())?.focus();
  }

  function firstField() {
    return fields.querySelector("input:not([type=hidden]), select, textarea");
  }

  /* Below the cell or, where there is no room, above it; in the middle on a phone. */
  function place(cell) {
    if (window.innerWidth < 768) return;
    const at = cell.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = dialog;
    const below = at.bottom + GAP + height <= window.innerHeight;
    const top = below ? at.bottom + GAP : Math.max(GAP, at.top - GAP - height);
    const left = Math.max(GAP, Math.min(at.left, window.innerWidth - width - 3 * GAP));
    dialog.style.margin = "0";
    dialog.style.inset = `${top}px auto auto ${left}px`;
  }

  async function save() {
    const answer = await oegenAnswers.send(form, opened.address, new FormData(form));
    if (answer.status === 422 || answer.status === 409) {
      oegenUnsaved.pause(form);
      fields.innerHTML = await answer.text();
      oegenUnsaved.watch(form, opened.address);
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
    addButtons();
    say(said);
    const link = document.querySelector(`#results th a[href^="${opened.pipeline}"]`);
    const row = link?.closest("tr");
    row?.classList.add("is-saved");
    row?.querySelector(`[data-edit="${opened.address}"]`)?.focus();
  }

  function say({ message, undo, until }) {
    const words = document.createElement("span");
    words.textContent = message;
    notice.replaceChildren(words);
    if (undo && until > Date.now()) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "btn btn-sm";
      button.textContent = "Undo";
      button.dataset.undoEdit = undo;
      notice.append(button);
      setTimeout(() => button.remove(), until - Date.now());
    }
  }

  async function attempt(work) {
    if (busy) return;
    busy = true;
    try {
      await work();
    } catch (error) {
      const text = oegenAnswers.sentence(error);
      if (dialog.open) wrong(text);
      else say({ message: text });
    } finally {
      busy = false;
    }
  }

  function wrong(text) {
    fields.querySelector(".edit-failed")?.remove();
    const box = document.createElement("div");
    box.className = "alert alert-danger edit-failed";
    box.setAttribute("role", "alert");
    box.textContent = text;
    fields.prepend(box);
  }

  document.addEventListener("click", (event) => {
    const asked = event.target.closest("[data-edit]");
    const cell = event.target.closest("td.can-edit");
    const undone = event.target.closest("[data-undo-edit]");
    if (asked) attempt(() => open(asked));
    else if (undone) attempt(() => takeBack(undone));
    else if (cell && !event.target.closest("a, button") && !window.getSelection().toString())
      attempt(() => open(cell.querySelector("[data-edit]")));
    else if (event.target.closest("[data-edit-cancel]")) {
      oegenUnsaved.forget(form);
      dialog.close();
    }
  });
  dialog.addEventListener("cancel", () => oegenUnsaved.pause(form));
  /* htmx copies the page, and the site's policy refuses a copied style. */
  dialog.addEventListener("close", () => dialog.removeAttribute("style"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(save);
  });
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || !event.target.matches("textarea")) return;
    event.preventDefault();
    attempt(save);
  });
  document.addEventListener("htmx:afterSettle", addButtons);
  addButtons();
  const kept = sessionStorage.getItem(KEPT);
  if (kept) {
    sessionStorage.removeItem(KEPT);
    say(JSON.parse(kept));
  }
})();
