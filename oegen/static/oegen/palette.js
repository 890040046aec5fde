/* Suggestions under the search field of every page, and the palette that Ctrl-K opens: the same
   list, drawn by the server. Without this file the field searches when it is sent. */
(() => {
  "use strict";
  const { asker, later } = oegenTyping;
  const dialog = document.getElementById("palette");
  const IS_APPLE = /Mac|iPhone|iPad/.test(navigator.platform);
  /* To search the past takes the server longer. */
  const PAST_WAIT_MS = 500;
  const FAILED = "Suggestions can’t be loaded just now. Enter searches.";
  if (!dialog) return;

  /* In the palette the first suggestion is chosen at once, and the usual ones come before anything is
     typed; in a field of the page Enter searches until one is chosen. */
  function equip(box) {
    const inPalette = dialog.contains(box);
    const { form } = box;
    const place = document.createElement("div");
    const said = document.createElement("p");
    const ask = asker("text");
    /* The text that the list is for. */
    let shown = null;
    let waits = false;
    const listId = `${box.id}-suggestions`;
    place.className = "suggestions surface";
    place.hidden = true;
    said.className = "visually-hidden";
    said.setAttribute("role", "status");
    box.addEventListener("focus", () => form.append(place, said), { once: true });
    box.setAttribute("role", "combobox");
    box.setAttribute("aria-autocomplete", "list");
    box.setAttribute("aria-controls", listId);
    box.setAttribute("aria-expanded", "false");

    const text = () => box.value.trim();
    const options = () => Array.from(place.querySelectorAll("[role='option']"));
    const chosen = () => place.querySelector("[aria-selected='true']");

    function choose(option) {
      for (const one of options()) one.setAttribute("aria-selected", String(one === option));
      box.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    }

    function close() {
      place.hidden = true;
      place.replaceChildren();
      shown = null;
      box.setAttribute("aria-expanded", "false");
      box.removeAttribute("aria-activedescendant");
    }

    function fill(answer) {
      if (answer === null) {
        const note = document.createElement("p");
        note.className = "suggestions-note mb-0 px-2 py-1 small";
        note.textContent = FAILED;
        place.replaceChildren(note);
      } else {
        place.innerHTML = answer;
      }
      options().forEach((option, number) => {
        option.id = `${listId}-${number}`;
        option.setAttribute("aria-selected", "false");
      });
      place.querySelector("[role='listbox']")?.setAttribute("id", listId);
      const number = options().length;
      const note = place.querySelector(".suggestions-note")?.textContent ?? "";
      const counted = number ? `${number} suggestion${number === 1 ? "" : "s"}` : "";
      said.textContent = `${note} ${counted}`.trim();
      place.hidden = false;
      place.scrollTop = 0;
      box.removeAttribute("aria-activedescendant");
      box.setAttribute("aria-expanded", String(number > 0));
      if (inPalette && number) choose(options()[0]);
    }

    async function suggest() {
      const typed = text();
      const page = window.location.pathname + window.location.search;
      const answer = await ask(box.dataset.palette, [
        ["q", typed],
        ["on", page],
      ]);
      const isLeft = inPalette ? !dialog.open : !form.contains(document.activeElement);
      if (answer === undefined || isLeft) return;
      shown = typed;
      fill(answer);
      if (waits) follow(chosen());
    }
    const isPast = new URL(box.dataset.palette, window.location.href).searchParams.has("as_of");
    const suggestSoon = later(suggest, isPast ? PAST_WAIT_MS : undefined);

    function follow(option, event = {}) {
      waits = false;
      if (!option) {
        form.requestSubmit();
        return;
      }
      const { ctrlKey, metaKey } = event;
      option.dispatchEvent(
        new MouseEvent("click", { bubbles: true, cancelable: true, ctrlKey, metaKey }),
      );
    }

    box.addEventListener("input", () => {
      waits = false;
      if (inPalette || text()) suggestSoon();
      else close();
    });

    box.addEventListener("keydown", (event) => {
      if (event.isComposing) return;
      const steps = { ArrowDown: 1, ArrowUp: -1 };
      if (event.key in steps) {
        event.preventDefault();
        const all = options();
        if (place.hidden) suggest();
        else if (all.length) {
          const step = steps[event.key];
          const at = all.indexOf(chosen());
          choose(all.at(at < 0 && step < 0 ? -1 : (at + step) % all.length));
        }
      } else if (event.key === "Enter" && inPalette && shown !== text()) {
        /* What is shown is for what was typed before. */
        event.preventDefault();
        waits = true;
      } else if (event.key === "Enter" && chosen()) {
        event.preventDefault();
        follow(chosen(), event);
      } else if (event.key === "Escape" && !inPalette && !place.hidden) {
        event.preventDefault();
        event.stopPropagation();
        close();
      }
    });

    /* The focus stays in the field. */
    place.addEventListener("pointerdown", (event) => event.preventDefault());
    place.addEventListener("click", (event) => {
      const option = event.target.closest("[role='option']");
      if (!option || event.ctrlKey || event.metaKey || event.shiftKey) return;
      close();
      if (inPalette) dialog.close();
      if (!option.dataset.press) return;
      event.preventDefault();
      document.querySelector(option.dataset.press)?.click();
    });
    form.addEventListener("focusout", (event) => {
      if (!inPalette && !form.contains(event.relatedTarget)) close();
    });
    if (inPalette) {
      dialog.addEventListener("close", () => {
        close();
        form.reset();
      });
      box.addEventListener("focus", () => {
        if (shown === null) suggest();
      });
    }
  }

  document.querySelectorAll("input[data-palette]").forEach(equip);

  document.addEventListener("keydown", (event) => {
    const isCommand = IS_APPLE ? event.metaKey : event.ctrlKey;
    if (!isCommand || event.altKey || event.shiftKey || event.key.toLowerCase() !== "k") return;
    event.preventDefault();
    if (dialog.open) dialog.close();
    else if (!document.querySelector("dialog[open]")) dialog.showModal();
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });

  if (IS_APPLE) {
    for (const key of document.querySelectorAll("[data-command-key]")) key.textContent = "⌘";
  }
})();
