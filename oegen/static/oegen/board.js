/* Moving a card: carried with mouse, pen or finger, or by its Move button, it opens a dialog that
   asks why. The server checks and answers; the columns are then drawn anew from the page. */
(() => {
  "use strict";
  const FAR_ENOUGH = 6; // pixels until a press becomes a carry
  const EDGE = 48; // pixels from the board's sides where carrying scrolls it
  const dialog = document.querySelector("[data-move-dialog]");
  const notice = document.querySelector("[data-board-notice]");
  if (!dialog) return;

  const form = dialog.querySelector("[data-move-form]");
  const fields = dialog.querySelector("[data-move-fields]");
  const blank = fields.innerHTML;
  let card = null;
  const attempt = oegenAnswers.attempts(dialog, fields, say);
  let undoTimer = null;

  /* The dialog ------------------------------------------------------------------------------ */

  /* Only what the chosen status needs is asked. */
  function showAsked() {
    const chosen = form.elements.to.value;
    fields.querySelectorAll("[data-asked-by]").forEach((field) => {
      field.hidden = !field.dataset.askedBy.split(" ").includes(chosen);
    });
  }

  function markHere(status) {
    const here = form.elements.to.querySelector(`option[value="${CSS.escape(status)}"]`);
    if (here) here.disabled = true;
  }

  function ask(asked, target) {
    card = asked;
    fields.innerHTML = blank;
    dialog.querySelector("[data-move-name]").textContent = card.dataset.name;
    form.elements.version.value = card.dataset.version;
    form.elements.rtb_date.value = card.dataset.rtb;
    markHere(card.dataset.status);
    const choices = [...form.elements.to.options];
    const at = choices.findIndex((choice) => choice.disabled);
    const next = choices.slice(at + 1).find((choice) => !choice.disabled) ?? choices[0];
    form.elements.to.value = target ?? next.value;
    settle();
    showAsked();
    dialog.showModal();
    oegenUnsaved.watch(form, card.dataset.card);
    (target ? firstEmpty() : form.elements.to).focus();
  }

  /* What the page has filled in is not what the person typed. */
  function settle() {
    for (const field of form.elements) {
      if (field.options) for (const one of field.options) one.defaultSelected = one.selected;
      else if ("defaultValue" in field) field.defaultValue = field.value;
    }
  }

  function firstEmpty() {
    return [...form.elements].find(
      (field) => field.matches("textarea, input") && field.offsetParent && !field.value,
    );
  }

  function close() {
    dialog.close();
    card?.querySelector("[data-move-card]")?.focus();
  }

  async function submit() {
    const { card: key, move } = card.dataset;
    const answer = await oegenAnswers.send(form, move, new FormData(form));
    if (answer.status === 422 || answer.status === 409) {
      const asked = await answer.text();
      if (answer.status === 409) await drawAnew();
      oegenUnsaved.pause(form);
      fields.innerHTML = asked;
      oegenUnsaved.watch(form, key);
      showAsked();
      (fields.querySelector("[aria-invalid=true]") ?? form.elements.reason).focus();
      return;
    }
    if (!answer.ok) throw new Error(oegenAnswers.problem(answer.status));
    const done = await answer.json();
    oegenUnsaved.forget(form);
    await drawAnew();
    dialog.close();
    say(done.message);
    offerUndo(done, key);
    focusCard(key);
  }

  /* The board and what is said above it ------------------------------------------------------- */

  async function drawAnew() {
    const answer = await fetch(window.location.href, { headers: { "HX-Request": "true" } });
    if (!answer.ok) throw new Error("The board could not be drawn anew. Load the page again.");
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const old = document.querySelector("[data-board]");
    const left = old.querySelector(".board")?.scrollLeft ?? 0;
    old.replaceWith(document.importNode(page.querySelector("[data-board]"), true));
    const board = document.querySelector(".board");
    if (board) board.scrollLeft = left;
    if (card) card = document.querySelector(`[data-card="${card.dataset.card}"]`) ?? card;
  }

  /* A card that is not drawn, such as a completed one, leaves the focus with the notice. */
  function focusCard(key) {
    const grip = document.querySelector(`[data-card="${key}"] [data-move-card]`);
    (grip ?? notice.querySelector("button") ?? document.querySelector(".board"))?.focus();
  }

  function say(text) {
    clearTimeout(undoTimer);
    const words = document.createElement("span");
    words.textContent = text;
    notice.replaceChildren(words);
  }

  function offerUndo({ undo, seconds }, key) {
    const button = oegenAnswers.undoButton({ undo, undoCard: key, undoSeconds: seconds });
    notice.append(button);
    endOffer(button);
  }

  function endOffer(button) {
    undoTimer = setTimeout(() => button.remove(), 1000 * button.dataset.undoSeconds);
  }

  async function takeBack({ undo, undoCard }) {
    const answer = await oegenAnswers.send(form, undo, new FormData());
    if (!answer.ok && answer.status !== 409) throw new Error(oegenAnswers.problem(answer.status));
    say((await answer.json()).message);
    await drawAnew();
    focusCard(undoCard);
  }

  /* The page itself comes with the offer while the last move can be undone. */
  const offered = notice.querySelector("[data-undo]");
  if (offered) endOffer(offered);
  notice.addEventListener("click", (event) => {
    const button = event.target.closest("[data-undo]");
    if (button) attempt(() => takeBack(button.dataset));
  });

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(submit);
  });
  form.addEventListener("change", (event) => {
    if (event.target.name === "to") showAsked();
  });
  dialog.querySelector("[data-move-cancel]").addEventListener("click", () => {
    oegenUnsaved.forget(form);
    close();
  });
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    oegenUnsaved.pause(form);
    close();
  });

  /* Carrying ---------------------------------------------------------------------------------- */

  let carry = null;
  let carried = false;

  function start(event) {
    const from = event.target.closest("[data-card]");
    if (!from || event.button !== 0 || carry) return;
    const grip = event.target.closest("[data-move-card]");
    /* A finger scrolls the page unless it takes the card by its grip. */
    if (event.pointerType === "touch" && !grip) return;
    carry = { from, id: event.pointerId, x: event.clientX, y: event.clientY, ghost: null };
  }

  function lift(event) {
    const box = carry.from.getBoundingClientRect();
    const ghost = carry.from.cloneNode(true);
    ghost.classList.add("board-ghost");
    ghost.removeAttribute("data-card");
    ghost.setAttribute("aria-hidden", "true");
    ghost.style.width = `${box.width}px`;
    Object.assign(carry, { ghost, dx: box.left - carry.x, dy: box.top - carry.y });
    document.body.append(ghost);
    document.documentElement.classList.add("board-carrying");
    carry.from.classList.add("is-carried");
    window.getSelection().removeAllRanges();
    carry.frame = requestAnimationFrame(scroll);
    place(event);
  }

  function place(event) {
    carry.at = { x: event.clientX, y: event.clientY };
    carry.ghost.style.transform = `translate(${event.clientX + carry.dx}px, ${event.clientY + carry.dy}px)`;
    aim();
  }

  function aim() {
    const under = document.elementFromPoint(carry.at.x, carry.at.y);
    const column = under?.closest("[data-column]") ?? null;
    if (column === carry.over) return;
    carry.over?.classList.remove("is-over");
    carry.over = column;
    if (column && column !== carry.from.closest("[data-column]")) column.classList.add("is-over");
  }

  /* Near a side of the board, the board comes along, under a pointer that may hold still. */
  function scroll() {
    if (!carry?.ghost) return;
    const board = document.querySelector(".board");
    const box = board.getBoundingClientRect();
    if (carry.at) {
      const [left, right] = [Math.max(box.left, 0), Math.min(box.right, window.innerWidth)];
      if (carry.at.x < left + EDGE) board.scrollLeft -= 10;
      if (carry.at.x > right - EDGE) board.scrollLeft += 10;
      if (carry.at.y < EDGE * 2) window.scrollBy(0, -10);
      if (carry.at.y > window.innerHeight - EDGE) window.scrollBy(0, 10);
      aim();
    }
    carry.frame = requestAnimationFrame(scroll);
  }

  function drop(accepted) {
    if (!carry) return;
    const { from, ghost, over, frame } = carry;
    carry = null;
    if (!ghost) return;
    cancelAnimationFrame(frame);
    ghost.remove();
    from.classList.remove("is-carried");
    over?.classList.remove("is-over");
    document.documentElement.classList.remove("board-carrying");
    carried = true;
    setTimeout(() => (carried = false));
    if (accepted && over && over !== from.closest("[data-column]")) ask(from, over.dataset.column);
  }

  document.addEventListener("pointerdown", start);
  document.addEventListener("pointermove", (event) => {
    if (!carry || event.pointerId !== carry.id) return;
    const way = Math.hypot(event.clientX - carry.x, event.clientY - carry.y);
    if (!carry.ghost && way >= FAR_ENOUGH) lift(event);
    else if (carry.ghost) place(event);
  });
  document.addEventListener("pointerup", (event) => {
    if (carry?.id === event.pointerId) drop(true);
  });
  document.addEventListener("pointercancel", () => drop(false));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && carry?.ghost) drop(false);
  });
  document.addEventListener(
    "click",
    (event) => {
      if (carried) {
        event.preventDefault();
        event.stopPropagation();
        return;
      }
      const button = event.target.closest("[data-move-card]");
      if (button) ask(button.closest("[data-card]"));
    },
    true,
  );
})();
