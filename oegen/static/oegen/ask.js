/* The panel of questions. An answer comes as lines of JSON, each a part of it that the server drew,
   for one place of the answer. The conversation stays in this tab (sessionStorage), for its person,
   until somebody clears it or signs out. Without this file, links to questions open their page. */
(() => {
  "use strict";
  const PREFIX = "oegen:ask:";
  const MOST_KEPT = 20; // answers
  const CUT_OFF = "The answer broke off. Ask again.";
  const panel = document.getElementById("ask");
  const person = document.querySelector("meta[name=oegen-person]")?.content;
  if (!panel || !person) return;

  const find = (name) => panel.querySelector(`[data-ask-${name}]`);
  const [turns, list, start, said, form] = ["turns", "list", "start", "said", "form"].map(find);
  const [box, send, stop, clear] = ["text", "send", "stop", "clear"].map(find);
  const ownBox = document.getElementById("ask-page-text"); // of the page of questions
  const home = document.querySelector("[data-ask-open]").pathname;
  const page = window.location.pathname + window.location.search;
  const key = `${PREFIX}${person}`;
  let kept = load();
  let running = null; // what ends the answer that is under way

  /* Storage, which a browser may refuse or limit ------------------------------------------------ */

  function load() {
    try {
      return JSON.parse(sessionStorage.getItem(key)) ?? { conversation: "", turns: [] };
    } catch {
      return { conversation: "", turns: [] };
    }
  }

  function keep() {
    kept.turns = kept.turns.slice(-MOST_KEPT);
    try {
      sessionStorage.setItem(key, JSON.stringify(kept));
    } catch {
      sessionStorage.removeItem(key);
    }
  }

  /* Answers on the page ------------------------------------------------------------------------- */

  function addTurn(question) {
    const turn = find("turn-template").content.firstElementChild.cloneNode(true);
    turn.querySelector("[data-ask-question]").textContent = question;
    list.append(turn);
    return turn;
  }

  /* What a part says is its server's own HTML, except for the words about what is being done. */
  function show(turn, part) {
    const place = turn.querySelector(`[data-ask-place="${part.place}"]`);
    const status = turn.querySelector("[data-ask-place='status']");
    if (part.place === "status") status.innerHTML = part.html;
    else {
      status.textContent = "";
      place.insertAdjacentHTML("beforeend", part.html);
      if (place.querySelector("[data-chart]")) drawCharts();
    }
    if (part.asked) turn.dataset.asked = part.asked;
  }

  function drawCharts() {
    if (window.Chart) {
      document.dispatchEvent(new Event("oegen:charts"));
      return;
    }
    if (document.querySelector("script[data-ask-chart]")) return;
    for (const file of panel.dataset.askCharts.split(" ")) {
      const script = document.createElement("script");
      Object.assign(script, { src: file, async: false }); // in their order
      script.dataset.askChart = "";
      document.body.append(script);
    }
  }

  function refuse(turn, text) {
    const words = document.createElement("p");
    words.className = "ask-refused text-secondary";
    words.textContent = text;
    turn.querySelector("[data-ask-place='status']").textContent = "";
    turn.querySelector("[data-ask-place='body']").append(words);
    said.textContent = text;
  }

  /* Asking -------------------------------------------------------------------------------------- */

  async function* lines(body) {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      const parts = (rest + value).split("\n");
      rest = parts.pop();
      yield* parts;
    }
    if (rest) throw new Error(CUT_OFF);
  }

  function problem(status) {
    if (status === 403) return "You were signed out. Load the page again and sign in.";
    if (status === 503) return "The database is busy. Ask again in a moment.";
    return `The server could not answer (${status}). Ask again in a moment.`;
  }

  async function read(question, reading, turn, signal) {
    const values = { q: question, reading, on: page, conversation: kept.conversation };
    const body = new URLSearchParams({ ...values, turn: turn.dataset.turn });
    const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
    const options = { method: "POST", body, signal, headers: { "X-CSRFToken": token } };
    const answer = await fetch(`${home}answer/`, options);
    if (!answer.ok || answer.redirected)
      throw new Error(problem(answer.redirected ? 403 : answer.status));
    const parts = [];
    for await (const line of lines(answer.body)) {
      const part = JSON.parse(line);
      show(turn, part);
      if (part.place === "status") continue;
      parts.push(part);
      if (parts.length === 1 || part.place === "foot") scrollTo(turn);
    }
    if (parts.at(-1)?.place !== "foot") throw new Error(CUT_OFF);
    return parts;
  }

  async function ask(question, reading = "") {
    running?.abort();
    const own = new AbortController();
    running = own;
    const turn = addTurn(question);
    turn.dataset.turn = Date.now().toString(36);
    setBusy(true);
    said.textContent = "Looking it up";
    scrollTo(turn);
    try {
      const parts = await read(question, reading, turn, own.signal);
      kept.turns.push({ question, parts });
      kept.conversation = parts.at(-1).conversation || kept.conversation;
      keep();
      said.textContent = wordsOf(parts).join(" ");
    } catch (error) {
      if (own.signal.aborted) refuse(turn, "Stopped.");
      else if (error instanceof TypeError) refuse(turn, "The server can’t be reached.");
      else refuse(turn, error.message);
    } finally {
      if (running === own) setBusy(false);
    }
  }

  function wordsOf(parts) {
    return parts.map((part) => part.copy).filter(Boolean);
  }

  function setBusy(isBusy) {
    send.hidden = isBusy;
    stop.hidden = !isBusy;
    clear.hidden = isBusy || !list.childElementCount;
    if (!isBusy) running = null;
  }

  function scrollTo(turn) {
    turns.scrollTop = turn.offsetTop - turns.offsetTop - 8;
  }

  /* Opening ------------------------------------------------------------------------------------- */

  const askStart = oegenTyping.asker("text");

  async function open() {
    if (panel.open || document.querySelector("dialog[open]")) return;
    panel.showModal();
    box.focus();
    if (!list.childElementCount) restore();
    if (!start.childElementCount)
      start.innerHTML = (await askStart(`${home}start/`, [["on", page]])) ?? "";
  }

  function restore() {
    kept = load();
    for (const { question, parts } of kept.turns) {
      const turn = addTurn(question);
      for (const part of parts) show(turn, part);
    }
    setBusy(false);
    turns.scrollTop = kept.turns.length ? turns.scrollHeight : 0;
  }

  document.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.defaultPrevented) return;
    const link = event.target.closest("a");
    if (event.target.closest("[data-ask-open]")) {
      event.preventDefault();
      if (ownBox) ownBox.focus();
      else open();
    } else if (link?.pathname === home && link.origin === window.location.origin) {
      const query = new URLSearchParams(link.search);
      if (!query.get("q") || window.location.pathname.startsWith(home)) return;
      event.preventDefault();
      link.closest("details")?.removeAttribute("open");
      open();
      box.focus();
      ask(query.get("q"), query.get("reading") ?? "");
    }
  });

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const question = box.value.trim();
    if (!question) return;
    box.value = "";
    ask(question);
  });
  stop.addEventListener("click", () => running?.abort());
  find("close").addEventListener("click", () => panel.close());
  clear.addEventListener("click", () => {
    kept = { conversation: "", turns: [] };
    sessionStorage.removeItem(key);
    list.replaceChildren();
    setBusy(false);
    box.focus();
  });
  /* Escape closes the menu of a chip first. */
  panel.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && panel.querySelector("details[open]")) event.preventDefault();
  });
  panel.addEventListener("click", (event) => {
    if (event.target === panel) panel.close();
  });
  document.addEventListener("submit", (event) => {
    if (event.target.querySelector("[data-signs-out]")) sessionStorage.removeItem(key);
  });

  /* What can be done with an answer, in the panel and on its page --------------------------------- */

  function textOf(turn) {
    const body = turn.querySelector("[data-ask-place='body']");
    const words = [...body.querySelectorAll(":scope > p, :scope > h4")].map(
      (one) => one.textContent,
    );
    const link = turn.querySelector("[data-ask-link]").href;
    return [turn.querySelector("[data-ask-question]").textContent, ...words, link].join("\n");
  }

  async function copy(button) {
    const words = button.lastChild;
    const before = words.textContent;
    try {
      await navigator.clipboard.writeText(textOf(button.closest("[data-ask-turn]")));
      words.textContent = " Copied";
    } catch {
      words.textContent = " Can’t copy here";
    }
    setTimeout(() => (words.textContent = before), 3000);
  }

  async function rate(button) {
    const both = button.parentElement.querySelectorAll("[data-ask-thumb]");
    const thumb = button.getAttribute("aria-pressed") === "true" ? "" : button.dataset.askThumb;
    const { href } = button.parentElement.querySelector("[data-ask-link]");
    const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
    const options = {
      method: "POST",
      body: new URLSearchParams({ thumb }),
      headers: { "X-CSRFToken": token },
    };
    const answer = await fetch(`${new URL(href).pathname}thumb/`, options);
    if (!answer.ok) return;
    for (const one of both)
      one.setAttribute("aria-pressed", String(one.dataset.askThumb === thumb));
  }

  document.addEventListener("click", (event) => {
    const copied = event.target.closest("[data-ask-copy]");
    const rated = event.target.closest("[data-ask-thumb]");
    if (copied) copy(copied);
    else if (rated) rate(rated);
  });
})();
