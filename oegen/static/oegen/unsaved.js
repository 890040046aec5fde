/* Nothing typed is lost. A form that was changed keeps a draft in this tab (sessionStorage), by
   person and address; leaving it asks first; the draft is offered again to the same person, with the
   note of what the form was opened on, so that what others did meanwhile is still told. Passwords are
   never kept, and nothing is ever sent by itself. The server says in a cookie what it has saved. */
(() => {
  "use strict";
  const PREFIX = "oegen:draft:";
  const SAVED = "oegen_saved";
  const NEVER_KEPT = [
    "csrfmiddlewaretoken",
    "draft",
    "action",
    "select_across",
    "_selected_action",
  ];
  const OPENED_ON = /(^|-)(guard|version)$/;
  const WAIT = 300; // milliseconds from the last key to the draft

  const person = document.querySelector("meta[name=oegen-person]")?.content;
  if (!person) return;

  const watched = new Map(); // form -> { key, id, changed: names that were changed before, timer }
  let leaving = false;

  /* Storage, which a browser may refuse or limit ------------------------------------------------ */

  function load(key) {
    try {
      return JSON.parse(sessionStorage.getItem(key));
    } catch {
      return null;
    }
  }

  function keep(key, draft) {
    try {
      sessionStorage.setItem(key, JSON.stringify(draft));
    } catch {
      sessionStorage.removeItem(key);
    }
  }

  function forgetWhere(picks) {
    for (const key of Object.keys(sessionStorage)) {
      if (key.startsWith(`${PREFIX}${person}:`) && picks(load(key))) sessionStorage.removeItem(key);
    }
  }

  /* What a form says ---------------------------------------------------------------------------- */

  function controls(form) {
    return [...form.elements].filter(
      (one) =>
        one.name &&
        !NEVER_KEPT.includes(one.name) &&
        !one.name.endsWith("save_anyway") &&
        !one.name.includes("__prefix__") &&
        !["password", "file", "submit", "button", "image", "reset"].includes(one.type),
    );
  }

  function isChanged(control) {
    if (control.type === "hidden" || control.disabled) return false;
    if (control.type === "checkbox" || control.type === "radio")
      return control.checked !== control.defaultChecked;
    if (!control.options) return control.value !== control.defaultValue;
    const options = [...control.options];
    const usual = options.filter((one) => one.defaultSelected);
    if (!usual.length && !control.multiple) usual.push(options[0]);
    return options.some((one) => one.selected !== usual.includes(one));
  }

  function changedNames(form) {
    return controls(form)
      .filter(isChanged)
      .map((one) => one.name);
  }

  function isDirty(form) {
    return form.isConnected && (watched.get(form).isBound || changedNames(form).length > 0);
  }

  function values(form) {
    return controls(form).map((one) => {
      const said = { name: one.name, value: one.value };
      if (one.type === "checkbox" || one.type === "radio") said.checked = one.checked;
      if (one.options)
        said.chosen = [...one.selectedOptions].map((option) => [option.value, option.text]);
      return said;
    });
  }

  function store(form) {
    const state = watched.get(form);
    clearTimeout(state.timer);
    state.timer = null;
    if (!isDirty(form)) {
      if (!state.isOffered) sessionStorage.removeItem(state.key);
      return;
    }
    const changed = [...new Set([...state.changed, ...changedNames(form)])];
    keep(state.key, { id: state.id, when: Date.now(), changed, values: values(form) });
  }

  /* Bringing a draft back ----------------------------------------------------------------------- */

  /* The name that a field of the draft has on this page: a row may stand elsewhere by now, and is
     known by the record in it. Null where the row is gone. */
  function renamer(form, draft) {
    const ids = new Map();
    const totals = new Map();
    for (const one of draft.values) {
      const [, prefix, number] = /^(.+)-(\d+)-id$/.exec(one.name) ?? [];
      if (prefix && one.value) ids.set(`${prefix}-${number}`, [prefix, one.value]);
      if (one.name.endsWith("-INITIAL_FORMS"))
        totals.set(one.name.slice(0, -"-INITIAL_FORMS".length), Number(one.value));
    }
    const here = new Map();
    for (const one of form.elements) {
      const [, prefix, number] = /^(.+)-(\d+)-id$/.exec(one.name) ?? [];
      if (prefix && one.value) here.set(`${prefix} ${one.value}`, `${prefix}-${number}`);
    }
    return (name) => {
      const [, prefix, number, field] = /^(.+)-(\d+)-([^-]+)$/.exec(name) ?? [];
      if (!prefix || !totals.has(prefix)) return name;
      const row = ids.get(`${prefix}-${number}`);
      if (row) {
        const now = here.get(row.join(" "));
        return now ? `${now}-${field}` : null;
      }
      const initial = Number(form.elements[`${prefix}-INITIAL_FORMS`]?.value ?? 0);
      return `${prefix}-${Number(number) - totals.get(prefix) + initial}-${field}`;
    };
  }

  function addRows(form, draft) {
    for (const one of draft.values) {
      if (!one.name.endsWith("-TOTAL_FORMS") || !form.elements[one.name]) continue;
      const prefix = one.name.slice(0, -"-TOTAL_FORMS".length);
      const wanted = draft.values.find((other) => other.name === `${prefix}-INITIAL_FORMS`);
      const more = Number(one.value) - Number(wanted?.value ?? 0);
      const total = form.elements[one.name];
      const initial = Number(form.elements[`${prefix}-INITIAL_FORMS`]?.value ?? 0);
      for (let tries = 0; Number(total.value) < initial + more && tries < 100; tries += 1)
        document.querySelector(`#${CSS.escape(prefix)}-group .add-row a`)?.click();
    }
  }

  function fits(control, said) {
    if (said.checked === undefined) return true;
    return control.type !== "radio" || control.value === said.value;
  }

  function write(control, said) {
    if (said.checked !== undefined) control.checked = said.checked;
    else if (said.chosen) {
      for (const [value, text] of said.chosen) {
        if (![...control.options].some((one) => one.value === value))
          control.add(new Option(text, value));
      }
      const chosen = said.chosen.map(([value]) => value);
      for (const one of control.options) one.selected = chosen.includes(one.value);
    } else control.value = said.value;
    for (const name of ["input", "change"])
      control.dispatchEvent(new Event(name, { bubbles: true }));
  }

  function isSame(control, said) {
    if (said.checked !== undefined) return control.checked === said.checked;
    if (said.chosen)
      return (
        [...control.selectedOptions].map((one) => one.value).join() ===
        said.chosen.map(([one]) => one).join()
      );
    return control.value === said.value;
  }

  /* Pairs of a control here and what the draft says of it; rows that are gone are counted. */
  function pairs(form, draft) {
    const rename = renamer(form, draft);
    const found = [];
    let missing = 0;
    const own = controls(form);
    for (const said of draft.values) {
      const name = rename(said.name);
      const control = own.find((one) => one.name === name && fits(one, said));
      if (control && (control.type !== "hidden" || OPENED_ON.test(name)))
        found.push([control, said]);
      else if (!control && draft.changed.includes(said.name)) missing += 1;
    }
    return { found, missing };
  }

  function bringBack(form, draft) {
    addRows(form, draft);
    const { found, missing } = pairs(form, draft);
    for (const [control, said] of found) {
      if (!isSame(control, said)) write(control, said);
    }
    const first = found.find(([, said]) => draft.changed.includes(said.name));
    if (first) focusOn(first[0]);
    return missing;
  }

  function offer(form, draft) {
    const state = watched.get(form);
    state.isOffered = true;
    const bar = document.createElement("div");
    bar.className = "draft-offer";
    bar.setAttribute("role", "status");
    const words = document.createElement("p");
    const time = new Date(draft.when).toLocaleTimeString("en-GB", {
      hour: "2-digit",
      minute: "2-digit",
    });
    words.textContent = `You typed something here at ${time} that was not saved.`;
    bar.append(words, button("Bring it back", back), button("Discard it", discard));
    form.prepend(bar);

    function back() {
      const missing = bringBack(form, draft);
      state.isOffered = false;
      state.changed = draft.changed;
      store(form);
      words.textContent = "What you typed is back. It is not saved yet.";
      if (missing) words.textContent += ` ${missing} of the fields are not on this page any more.`;
      for (const one of bar.querySelectorAll("button")) one.remove();
    }

    function discard() {
      state.isOffered = false;
      sessionStorage.removeItem(state.key);
      bar.remove();
      store(form);
    }
  }

  function button(label, press) {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "btn btn-sm button";
    made.textContent = label;
    made.addEventListener("click", press);
    return made;
  }

  /* Which forms --------------------------------------------------------------------------------- */

  function isWorthKeeping(form) {
    if (form.method !== "post" || form.matches("[data-move-form]")) return false;
    if (form.id === "changelist-form") return Boolean(form.elements["form-TOTAL_FORMS"]);
    if (document.body.matches(".change-form")) return Boolean(form.closest("#content-main"));
    return Boolean(form.querySelector("textarea"));
  }

  function isRefused(form) {
    const place = form.closest("#content-main") ?? form;
    return Boolean(
      place.querySelector(
        ".errornote, .errorlist, .field-wrong, [role=alert], [aria-invalid=true]",
      ),
    );
  }

  /* ``about`` tells apart what one form is used for at one address. */
  function watch(form, about) {
    const search = form.id === "changelist-form" ? location.search : "";
    const action = new URL(form.action, location.href).pathname;
    const key = `${PREFIX}${person}:${location.pathname}${search}:${action}:${about ?? form.id}`;
    const id = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
      byte.toString(16).padStart(2, "0"),
    ).join("");
    const state = { key, id, changed: [], timer: null, isBound: isRefused(form), isOffered: false };
    watched.set(form, state);
    const draft = load(key);
    if (!draft) return;
    if (state.isBound) {
      state.changed = draft.changed;
      store(form);
      return;
    }
    const { found, missing } = pairs(form, draft);
    const typed = found.filter(([control]) => control.type !== "hidden");
    const more = draft.values.some(
      (said) =>
        said.name.endsWith("-TOTAL_FORMS") &&
        Number(form.elements[said.name]?.value) < Number(said.value),
    );
    if (more || missing || typed.some(([control, said]) => !isSame(control, said)))
      offer(form, draft);
    else sessionStorage.removeItem(key);
  }

  function watchAll() {
    for (const form of document.forms) {
      if (!watched.has(form) && isWorthKeeping(form)) watch(form);
    }
  }

  /* Its draft stays, for the next time that it is opened. */
  function pause(form) {
    if (!watched.has(form)) return;
    store(form);
    form.querySelector(".draft-offer")?.remove();
    watched.delete(form);
  }

  function forget(form) {
    const key = watched.get(form)?.key;
    pause(form);
    if (key) sessionStorage.removeItem(key);
  }

  /* The rows of an editable list ---------------------------------------------------------------- */

  function markRows() {
    const form = document.getElementById("changelist-form");
    const count = form?.querySelector("[data-changed-rows]");
    if (!count || !watched.has(form)) return;
    const changed = new Set([...watched.get(form).changed, ...changedNames(form)]);
    let rows = 0;
    for (const row of form.querySelectorAll("#result_list tbody tr")) {
      const own = [...row.querySelectorAll("input, select, textarea")];
      const is = own.some((one) => changed.has(one.name) && one.name.startsWith("form-"));
      row.classList.toggle("is-changed", is);
      rows += is ? 1 : 0;
    }
    const words = rows ? `${rows} row${rows === 1 ? "" : "s"} changed, not saved yet.` : "";
    if (count.textContent !== words) count.textContent = words;
  }

  /* What is to be put right --------------------------------------------------------------------- */

  function focusOn(control) {
    control.closest("details")?.setAttribute("open", "");
    const box = control.classList.contains("select2-hidden-accessible")
      ? control.parentElement.querySelector(".select2-selection")
      : control;
    if (box.tabIndex < 0 && !box.matches("input, select, textarea")) box.tabIndex = -1;
    box.focus();
    box.scrollIntoView({ block: "center" });
  }

  function focusOnFirstProblem() {
    const link = document.querySelector("[data-problem]");
    const named = link && document.getElementById(link.hash.slice(1));
    const wrong = named ?? document.querySelector("#content-main form [aria-invalid=true]");
    if (wrong) focusOn(wrong);
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-problem]");
    const wrong = link && document.getElementById(link.hash.slice(1));
    if (!wrong) return;
    event.preventDefault();
    focusOn(wrong);
  });

  /* When ---------------------------------------------------------------------------------------- */

  function onTyping(event) {
    const form = event.target.form;
    if (!form || !watched.has(form)) return;
    leaving = false;
    const state = watched.get(form);
    clearTimeout(state.timer);
    state.timer = setTimeout(() => store(form), WAIT);
    markRows();
  }

  document.addEventListener("input", onTyping);
  document.addEventListener("change", onTyping);
  // The admin's choosers tell jQuery alone.
  window.django?.jQuery(document).on("change", ".admin-autocomplete", onTyping);

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (/\/logout\/$/.test(new URL(form.action, location.href).pathname)) {
      for (const state of watched.values()) {
        clearTimeout(state.timer);
        state.timer = null;
      }
      forgetWhere(() => true);
      return;
    }
    if (event.defaultPrevented || !watched.has(form)) return;
    store(form);
    leaving = true;
    if (event.submitter?.name === "index") return; // An action on the selected rows saves no row.
    const field = form.querySelector("input[name=draft]") ?? document.createElement("input");
    Object.assign(field, { type: "hidden", name: "draft", value: watched.get(form).id });
    form.append(field);
  });

  window.addEventListener("beforeunload", (event) => {
    if (leaving || ![...watched.keys()].some(isDirty)) return;
    event.preventDefault();
    event.returnValue = true;
  });

  window.addEventListener("pagehide", () => {
    for (const [form, state] of watched) if (state.timer) store(form);
  });

  document.addEventListener("htmx:afterSettle", watchAll);

  function begin() {
    const saved = new RegExp(`(?:^|; )${SAVED}=([0-9a-f]+)`).exec(document.cookie);
    if (saved) {
      forgetWhere((draft) => draft?.id === saved[1]);
      // biome-ignore lint/suspicious/noDocumentCookie: not every browser has a cookie store
      document.cookie = `${SAVED}=; path=/; max-age=0; samesite=lax`;
    }
    watchAll();
    markRows();
    focusOnFirstProblem();
  }

  /* After the admin's own scripts, which make choosers, add rows and move the focus: jQuery keeps
     them waiting beyond the page's loading. */
  const inTurn = () => (window.django?.jQuery ? window.django.jQuery(begin) : begin());
  if (document.readyState === "complete") inTurn();
  else window.addEventListener("load", inTurn);

  /* For a form that is one of many at its address: the board's. */
  window.oegenUnsaved = { watch, pause, forget };
})();
