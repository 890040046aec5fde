/* Lists: filtering as one types goes by htmx; each page works without this file too. */
(() => {
  "use strict";

  /* The address names only the filters that are set; without one it shows what the page starts
     with, so that nothing ticked there means all. */
  document.addEventListener("htmx:configRequest", (event) => {
    const parameters = event.detail.parameters;
    Object.keys(parameters).forEach((name) => {
      if (parameters[name] === "") delete parameters[name];
    });
    const { startName, startCode } = event.detail.elt.dataset;
    if (!startName || parameters[`${startName}__not`]) return;
    const values = [parameters[startName] || []].flat();
    if (values.length === 0) parameters[startName] = "all";
    else if (values.length === 1 && values[0] === startCode) delete parameters[startName];
  });

  /* Back leads to the filters before, not to the letter before: what is typed on in one field
     stays one entry of the history. */
  let asked = "";
  let typing = "";
  document.addEventListener("htmx:configRequest", (event) => {
    const form = event.detail.elt;
    if (!form.matches("[data-list-filters]")) return;
    const cause = event.detail.triggeringEvent?.target;
    const field = cause === form ? document.activeElement : cause;
    asked = field?.matches("input") ? field.name : "";
    const goesOn = asked !== "" && asked === typing;
    form.removeAttribute(goesOn ? "hx-push-url" : "hx-replace-url");
    form.setAttribute(goesOn ? "hx-replace-url" : "hx-push-url", "true");
  });
  document.addEventListener("htmx:pushedIntoHistory", () => {
    typing = asked;
  });

  /* Names to choose from, of what is typed. Without them the filter works as well, so that a
     failure needs no word: the list itself says it. */
  const names = oegenTyping.asker("json");
  const suggest = oegenTyping.later(async (field) => {
    const answer = await names(field.dataset.suggest, [["q", field.value]]);
    if (!answer) return;
    const options = answer.names.map((name) => {
      const option = document.createElement("option");
      option.value = name;
      return option;
    });
    field.list.replaceChildren(...options);
  });
  document.addEventListener("input", (event) => {
    if (event.target.dataset.suggest) suggest(event.target);
  });

  /* A choice and what it includes exclude each other, as do a choice and "not" that choice. */
  document.addEventListener(
    "input",
    (event) => {
      const box = event.target;
      const panel = box.closest(".selection-panel");
      if (!panel || !box.checked) return;
      const parts = (one) => (one.dataset.parts || "").split(" ");
      panel.querySelectorAll("input").forEach((other) => {
        if (other === box) return;
        const isSame = other.value === box.value;
        const isPart =
          other.name === box.name &&
          (parts(box).includes(other.value) || parts(other).includes(box.value));
        if (isSame || isPart) other.checked = false;
      });
    },
    true,
  );

  /* How many each choice would find, asked for when the choices are opened. The filter works
     without, so that a failure needs no word. */
  document.addEventListener(
    "toggle",
    async (event) => {
      const control = event.target;
      if (!control.open || !control.matches("[data-counts]")) return;
      const query = new URLSearchParams(new FormData(control.closest("form")));
      query.set("counts", control.dataset.counts);
      const answer = await fetch(`${window.location.pathname}?${query}`).catch(() => null);
      if (!answer?.ok || answer.redirected) return;
      const counts = await answer.json();
      control.querySelectorAll("[data-count]").forEach((place) => {
        const count = counts[place.dataset.count];
        place.textContent = count === undefined ? "" : count.toLocaleString("en-GB");
        place.closest("li").classList.toggle("text-secondary", count === 0);
      });
    },
    true,
  );

  /* What is not a part of this list, a failure or the sign-in page, is shown as a page. */
  document.addEventListener("htmx:beforeSwap", (event) => {
    const answer = new URL(event.detail.xhr.responseURL, window.location.href);
    if (event.detail.xhr.status === 200 && answer.pathname === window.location.pathname) return;
    event.detail.shouldSwap = false;
    document.querySelector("form[data-list-filters]").submit();
  });

  /* A field is marked as wrong for as long as a sentence stands beside it. */
  document.addEventListener("htmx:afterSettle", () => {
    document.querySelectorAll("[data-list-filters] [id$='_error']").forEach((sentence) => {
      const field = document.getElementById(sentence.id.replace(/_error$/, ""));
      if (sentence.textContent) field.setAttribute("aria-invalid", "true");
      else field.removeAttribute("aria-invalid");
    });
  });

  /* On a phone the filters wait behind a button that says how many are set. */
  function tellFilters() {
    const badge = document.querySelector("[data-shows-filters] .badge");
    if (!badge) return;
    const number = document.querySelectorAll("#results .chip").length;
    badge.textContent = number ? `${number} set` : "";
    badge.hidden = number === 0;
  }
  tellFilters();
  document.addEventListener("htmx:afterSettle", tellFilters);
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-shows-filters]");
    if (!button) return;
    button.setAttribute("aria-expanded", button.getAttribute("aria-expanded") === "false");
  });

  /* The order of the columns is the order of their lines. */
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-columns] [data-move]");
    if (!button) return;
    const line = button.closest("li");
    if (button.dataset.move === "up" && line.previousElementSibling) {
      line.previousElementSibling.before(line);
    } else if (button.dataset.move === "down" && line.nextElementSibling) {
      line.nextElementSibling.after(line);
    }
    button.focus();
  });
})();
