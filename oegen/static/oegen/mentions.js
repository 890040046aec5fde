/* Comment boxes: names to choose from after an @, a word on who will be told, Ctrl+Enter posts.
   A box works without this file too: @username tells that person. */
(() => {
  "use strict";
  const TYPED = /(^|[^\p{L}\p{N}_@.+/-])@([\p{L}\p{N}_@.+-]*(?: [\p{L}\p{N}_.+-]+)?)$/u;
  const NAMED = /(?<![\p{L}\p{N}_@.+/-])@([\p{L}\p{N}_@.+-]*[\p{L}\p{N}_])/gu;
  const { asker, later, WAIT_MS } = oegenTyping;

  function equip(box) {
    const list = document.createElement("ul");
    const told = document.createElement("p");
    const said = document.createElement("p");
    const suggest = asker("json");
    const foresee = asker("json");
    list.className = "mention-list surface";
    list.id = `${box.id}-people`;
    list.hidden = true;
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", "People to mention");
    told.className = "comment-told";
    told.setAttribute("role", "status");
    said.className = "visually-hidden";
    said.setAttribute("role", "status");
    box.after(list, told, said);
    box.setAttribute("aria-autocomplete", "list");
    box.setAttribute("aria-controls", list.id);

    const options = () => Array.from(list.children);
    const chosen = () => list.querySelector("[aria-selected='true']");

    function mark(option) {
      for (const one of options()) one.setAttribute("aria-selected", String(one === option));
      box.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    }

    function close() {
      list.hidden = true;
      list.replaceChildren();
      box.removeAttribute("aria-activedescendant");
    }

    function insert(option) {
      const before = box.value.slice(0, box.selectionStart);
      const typed = before.match(TYPED);
      close();
      if (!typed) return;
      const start = before.length - typed[2].length;
      box.setRangeText(`${option.dataset.username} `, start, box.selectionStart, "end");
      box.focus();
      box.dispatchEvent(new Event("input", { bubbles: true }));
    }

    const offer = later(async () => {
      const typed = box.value.slice(0, box.selectionStart).match(TYPED);
      if (!typed) return close();
      const answer = await suggest(box.dataset.people, [["q", typed[2]]]);
      if (!answer) return;
      if (!answer.people.length) return close();
      list.replaceChildren(
        ...answer.people.map((person, number) => {
          const option = document.createElement("li");
          const username = document.createElement("small");
          option.id = `${list.id}-${number}`;
          option.setAttribute("role", "option");
          option.dataset.username = person.username;
          option.textContent = person.name;
          username.textContent = ` @${person.username}`;
          option.append(username);
          return option;
        }),
      );
      list.hidden = false;
      said.textContent = `${answer.people.length} to choose from: arrow keys, then Enter`;
      mark(list.firstElementChild);
    });

    const foretell = later(async () => {
      /* Not the name that is still being typed. */
      const rest = box.value.slice(box.selectionStart);
      const text = box.value.slice(0, box.selectionStart).replace(TYPED, "$1") + rest;
      const names = Array.from(text.matchAll(NAMED), (found) => ["name", found[1]]);
      const answer = names.length ? await foresee(box.dataset.told, names) : { sentence: "" };
      if (!answer) return;
      told.textContent = answer.problem || answer.sentence;
      told.classList.toggle("field-wrong", Boolean(answer.problem));
    });

    box.addEventListener("input", () => {
      offer();
      foretell();
    });
    box.addEventListener("blur", () => setTimeout(close, WAIT_MS));
    box.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        box.form.requestSubmit();
        return;
      }
      if (list.hidden) return;
      const at = options().indexOf(chosen());
      const steps = { ArrowDown: 1, ArrowUp: -1 };
      if (event.key in steps) {
        mark(options().at((at + steps[event.key]) % options().length));
      } else if (event.key === "Enter" || event.key === "Tab") {
        insert(chosen());
      } else if (event.key === "Escape") {
        close();
      } else {
        return;
      }
      event.preventDefault();
    });
    list.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      const option = event.target.closest("[role='option']");
      if (option) insert(option);
    });
    if (box.value) foretell();
  }

  function equipAll() {
    document.querySelectorAll("textarea[data-people]:not([aria-autocomplete])").forEach(equip);
  }
  equipAll();
  document.addEventListener("htmx:afterSettle", equipAll);
})();
