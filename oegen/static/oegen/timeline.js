/* The timeline: a row for each pipeline, of which only those in sight are in the page. The first
   come with the page, others are asked for when they come into sight. Days are numbers of days
   since 1970; pipelines/timeline/views.py says what is in a row. */
(() => {
  "use strict";
  const BEYOND = 8; // rows drawn above and below what is in sight
  const PAUSE_MS = 80; // between asking for rows that have come into sight
  const SCALES = { fit: 0, years: 160, quarters: 320, months: 800 }; // pixels a year, at least
  const YEAR = 365.25;
  const DAY_MS = 864e5;
  const [EXPECTED, DONE, MISSED] = [0, 1, 2];
  const STATES = { [EXPECTED]: "", [DONE]: "done", [MISSED]: "missed" };
  const { RATINGS, capacityOf, exact, make, past, whole } = oegenDrawing;
  const dates = new Intl.DateTimeFormat("en-GB", {
    day: "numeric",
    month: "short",
    year: "numeric",
    timeZone: "UTC",
  });
  const months = new Intl.DateTimeFormat("en-GB", { month: "short", timeZone: "UTC" });
  const phone = window.matchMedia("(max-width: 767.98px)");

  function dayOf(year, month = 0) {
    return Date.UTC(year, month, 1) / DAY_MS;
  }

  function dateOf(day) {
    return dates.format(new Date(day * DAY_MS)).replace("Sept", "Sep"); // as the pages write it
  }

  function counted(number, noun) {
    return `${whole.format(number)} ${noun}${number === 1 ? "" : "s"}`;
  }

  /* Words ------------------------------------------------------------------------------------- */

  function read([id, name, rag, status, isOver, technology, mw, unit, stays, marks]) {
    return { id, name, rag, status, isOver, technology, mw, unit, stays, marks };
  }

  function movedWords(day, then, since) {
    if (then === undefined) return "";
    if (day === null) return `, ${dateOf(then)} on ${dateOf(since)}`;
    const direction = day > then ? "later" : "earlier";
    return `, ${counted(Math.abs(day - then), "day")} ${direction} than on ${dateOf(since)}`;
  }

  function markWords([kind, day, state, then], data) {
    const date = day === null ? "no date" : dateOf(day);
    const word = STATES[state];
    return `${data.kinds[kind]} ${date}${word && ` (${word})`}${movedWords(day, then, data.since)}`;
  }

  function stayWords([stage, began, until], data) {
    if (until === null) return `${data.stages[stage]} since ${dateOf(began)}`;
    return `${data.stages[stage]} ${dateOf(began)} to ${dateOf(until)}`;
  }

  /* Where it stands: the status, and the stage if that is another. */
  function standing(row, data) {
    const last = row.stays.at(-1);
    if (!last) return row.status;
    const stay = stayWords(last, data);
    return data.stages[last[0]] === row.status ? stay : `${row.status}, ${stay}`;
  }

  function isOwn(mark, data) {
    return mark[0] !== data.rtb && mark[0] !== data.cod;
  }

  /* The milestone to look at first: the earliest that was missed, else that is expected. */
  function nextOf(row, data) {
    const open = row.marks.filter((mark) => isOwn(mark, data) && mark[1] !== null);
    const ofState = (state) => open.filter((mark) => mark[2] === state);
    const earliest = (found) => found.sort((one, other) => one[1] - other[1])[0];
    return earliest(ofState(MISSED)) ?? earliest(ofState(EXPECTED));
  }

  function heading(row, data) {
    const technology =
      row.technology === null ? "no facility" : data.technologies[row.technology][0];
    return `${RATINGS[row.rag][1]}, ${capacityOf(row)}, ${technology}`;
  }

  function words(row, data) {
    const parts = [standing(row, data)];
    for (const kind of [data.rtb, data.cod]) {
      const mark = row.marks.find((one) => one[0] === kind);
      parts.push(mark ? markWords(mark, data) : `no ${data.kinds[kind]} date`);
    }
    const next = row.isOver ? undefined : nextOf(row, data);
    if (next) parts.push(`next: ${markWords(next, data)}`);
    return `${row.name}, ${heading(row, data)}: ${parts.join("; ")}`;
  }

  /* The timeline ------------------------------------------------------------------------------ */

  function draw(holder, data, kept) {
    const sizes = phone.matches
      ? { row: 48, group: 40, left: 152, head: 44 }
      : { row: 36, group: 40, left: 288, head: 44 };
    const rows = [];
    const asked = new Set();
    const drawn = new Map(); // elements by the number of their row, or "group" and its number
    const start = dayOf(data.years[0]);
    const end = dayOf(data.years[1] + 1);
    let level = holder.dataset.zoom;
    let scale = 1; // pixels a day
    let current = 0; // the row that Tab leads to
    let waiting = 0;
    let failure = null;

    const canvas = make("div", "timeline-canvas");
    const head = make("div", "timeline-head");
    const corner = make("div", "timeline-corner");
    const axis = make("div", "timeline-axis");
    const grid = make("div", "timeline-grid");
    const list = make("div", "timeline-rows");
    const tip = make("div", "timeline-tip surface");
    head.setAttribute("aria-hidden", "true");
    grid.setAttribute("aria-hidden", "true");
    tip.setAttribute("aria-hidden", "true");
    tip.hidden = true;
    list.setAttribute("role", "list");
    list.setAttribute("aria-label", "Pipelines, each with its stages and dates");
    head.append(corner, axis);
    canvas.append(head, grid, list);
    holder.replaceChildren(canvas, tip);
    for (const name in sizes) holder.style.setProperty(`--${name}`, `${sizes[name]}px`);

    /* Where each group and its rows are. */
    const groups = [];
    let top = 0;
    let total = 0;
    for (const [label, number, mw, unit, address] of data.groups) {
      const title = label ? sizes.group : 0;
      groups.push({ label, number, mw, unit, address, top, first: total, body: top + title });
      total += number;
      top += title + number * sizes.row;
    }
    list.style.height = `${top}px`;

    function lastWhere(isBefore) {
      let low = 0;
      let high = groups.length - 1;
      while (low < high) {
        const middle = Math.ceil((low + high) / 2);
        if (isBefore(groups[middle])) low = middle;
        else high = middle - 1;
      }
      return low;
    }

    function topOf(number) {
      const group = groups[lastWhere((one) => one.first <= number)];
      return group.body + (number - group.first) * sizes.row;
    }

    function rowAt(height) {
      const group = groups[lastWhere((one) => one.top <= height)];
      const place = Math.floor((height - group.body) / sizes.row);
      return group.first + Math.max(0, Math.min(group.number - 1, place));
    }

    /* Time ---------------------------------------------------------------------------------- */

    function across() {
      return Math.max(120, holder.clientWidth - sizes.left);
    }

    function scaleOf(name) {
      return Math.max(SCALES[name] / YEAR, across() / (end - start));
    }

    function x(day) {
      return (Math.max(start, Math.min(end, day)) - start) * scale;
    }

    function tick(layer, className, from, to, label) {
      const element = make("div", className);
      element.style.left = `${x(from)}px`;
      element.style.width = `${x(to) - x(from)}px`;
      if (label) element.append(make("span", "", label));
      layer.append(element);
    }

    function drawAxis() {
      const year = scale * YEAR;
      const parts = year >= 600 ? 12 : year >= 220 ? 4 : 1;
      const every = [1, 2, 5, 10, 20].find((step) => step * year >= 44) ?? 50;
      axis.replaceChildren();
      grid.replaceChildren();
      for (let at = data.years[0]; at <= data.years[1]; at++) {
        const isNamed = at % every === 0;
        if (isNamed) tick(axis, "timeline-year", dayOf(at), dayOf(at + every), String(at));
        tick(grid, isNamed ? "is-year" : "", dayOf(at), dayOf(at + 1));
        for (let part = 0; parts > 1 && part < parts; part++) {
          const size = 12 / parts;
          const [from, to] = [dayOf(at, part * size), dayOf(at, (part + 1) * size)];
          const label = parts === 4 ? `Q${part + 1}` : months.format(new Date(from * DAY_MS));
          tick(axis, "timeline-part", from, to, label);
          if (part) tick(grid, "", from, to);
        }
      }
      const now = make("div", "timeline-now");
      const flag = make("div", "timeline-flag", past ? dateOf(data.today) : "Today");
      now.style.left = flag.style.left = `${x(data.today)}px`;
      grid.append(now);
      axis.append(flag);
      axis.style.width = grid.style.width = `${(end - start) * scale}px`;
      canvas.style.width = `${sizes.left + (end - start) * scale}px`;
    }

    function middleDay() {
      return start + (holder.scrollLeft + across() / 2) / scale;
    }

    function show(name, day = middleDay()) {
      level = name;
      scale = scaleOf(name);
      drawAxis();
      for (const element of drawn.values()) if (element.row) drawBar(element);
      holder.scrollLeft = (day - start) * scale - across() / 2;
      tellScale();
    }

    function tellScale() {
      for (const button of document.querySelectorAll("[data-timeline-scale]")) {
        button.setAttribute("aria-pressed", String(button.dataset.timelineScale === level));
      }
      const address = new URL(window.location.href);
      if (level === "fit") address.searchParams.delete("zoom");
      else address.searchParams.set("zoom", level);
      if (address.href !== window.location.href) {
        window.history.replaceState(window.history.state, "", address);
      }
      for (const field of document.querySelectorAll("[data-timeline-zoom]")) {
        field.value = level === "fit" ? "" : level;
      }
    }

    function step(direction) {
      const names = Object.keys(SCALES);
      const other = (name) => (scaleOf(name) - scale) * direction > 1e-6;
      const found = direction > 0 ? names.find(other) : names.findLast(other);
      if (found) show(found);
    }

    function showToday() {
      holder.scrollLeft = (data.today - start) * scale - across() * 0.3;
    }

    /* Rows ---------------------------------------------------------------------------------- */

    function piece(track, className, from, to) {
      if (to <= start || from >= end || to <= from) return null;
      const element = make("span", `timeline-bar ${className}`);
      element.style.left = `${x(from)}px`;
      element.style.width = `${Math.max(1, x(to) - x(from))}px`;
      track.append(element);
      return element;
    }

    function diamond(track, className, day) {
      if (day < start || day > end) return;
      const element = make("span", `timeline-mark ${className}`);
      element.style.left = `${x(day)}px`;
      track.append(element);
    }

    function drawBar(element) {
      const { row } = element;
      const track = element.querySelector(".timeline-track");
      track.replaceChildren();
      const colours = row.technology === null ? null : data.technologies[row.technology];
      if (colours) track.style.setProperty("--tone", `light-dark(${colours[1]}, ${colours[2]})`);
      const markOf = (kind) => row.marks.find((one) => one[0] === kind) ?? [kind, null, EXPECTED];
      const [rtb, cod] = [markOf(data.rtb), markOf(data.cod)];
      const began = row.stays[0]?.[1] ?? data.today;

      if (rtb[3] !== undefined || cod[3] !== undefined) {
        const [rtbThen, codThen] = [rtb[3] ?? rtb[1], cod[3] ?? cod[1]];
        if (rtbThen !== null) piece(track, "is-then", Math.min(began, rtbThen - 1), rtbThen);
        if (codThen !== null) piece(track, "is-then is-building", rtbThen ?? began, codThen);
      }
      for (const [stage, from, until] of row.stays) {
        const segment = piece(track, "is-stage", from, until ?? (row.isOver ? from : data.today));
        const depth = 40 + (60 * stage) / Math.max(1, data.stages.length - 2);
        segment?.style.setProperty("--depth", `${Math.min(100, depth)}%`);
      }
      if (!row.isOver) {
        piece(track, "is-ahead", Math.max(data.today, began), cod[1] ?? rtb[1] ?? data.today);
      }
      if (rtb[1] !== null && cod[1] !== null) {
        const isAhead = rtb[2] !== DONE && !row.isOver;
        const from = isAhead ? Math.max(rtb[1], data.today) : rtb[1];
        const [, since, until] = row.stays.at(-1) ?? [0, began, null];
        const to = row.isOver ? Math.min(cod[1], until ?? since) : cod[1];
        piece(track, "is-building", Math.max(from, began), to);
      }
      const days = [];
      for (const mark of row.marks) {
        const [, day, state, then] = mark;
        const size = isOwn(mark, data) ? "" : " is-large";
        if (then !== undefined) diamond(track, "is-then", then);
        if (day === null) continue;
        days.push(day);
        diamond(track, `${STATES[state] && `is-${STATES[state]}`}${size}`, day);
      }
      if (Math.min(began, ...days) < start)
        track.append(make("span", "timeline-off is-before", "‹"));
      if (Math.max(...days) > end) track.append(make("span", "timeline-off is-after", "›"));
    }

    function makeRow(number) {
      const element = make("div", "timeline-row");
      element.setAttribute("role", "listitem");
      element.setAttribute("aria-setsize", String(total));
      element.setAttribute("aria-posinset", String(number + 1));
      element.number = number;
      element.style.transform = `translateY(${topOf(number)}px)`;
      const name = make("div", "timeline-name");
      const link = make("a", "timeline-link");
      const track = make("div", "timeline-track");
      track.setAttribute("aria-hidden", "true");
      link.tabIndex = -1;
      link.setAttribute("aria-label", `Row ${number + 1}, not loaded yet`);
      name.append(link);
      element.append(name, track);
      return element;
    }

    function fill(element) {
      const row = rows[element.number];
      if (element.row || !row) return;
      element.row = row;
      const link = element.querySelector("a");
      link.href = `${holder.dataset.pipeline}${row.id}/${past}`;
      link.setAttribute("aria-label", words(row, data));
      link.append(make("bdi", "timeline-title", row.name));
      const rating = make("span", `timeline-rag rag-${RATINGS[row.rag][0]}`, row.rag || "–");
      const mw = row.mw === null ? "–" : exact.format(row.mw);
      const capacity = make("span", "timeline-mw num", mw);
      if (row.mw !== null) capacity.append(make("small", "", ` ${row.unit.split(",")[0]}`));
      for (const part of [rating, capacity]) part.setAttribute("aria-hidden", "true");
      link.before(rating);
      link.after(capacity);
      drawBar(element);
    }

    function makeGroup(group) {
      const element = make("div", "timeline-group");
      element.setAttribute("role", "listitem");
      element.style.transform = `translateY(${group.top}px)`;
      const title = make("div", "timeline-group-title");
      const figures = `${counted(group.number, "pipeline")}, ${exact.format(group.mw)} ${group.unit}`;
      title.append(make("bdi", "fw-semibold", group.label));
      const number = group.address
        ? make("a", "", figures)
        : make("span", "text-secondary", figures);
      if (group.address) {
        number.href = group.address;
        number.title = "Show these in the list";
      }
      title.append(" ", number);
      element.append(title);
      return element;
    }

    function put(key, made, wanted) {
      wanted.add(key);
      if (drawn.has(key)) return drawn.get(key);
      const element = made();
      drawn.set(key, element);
      return element;
    }

    function render() {
      const [first, last] = inSight();
      const wanted = new Set();
      const shown = [];
      const from = lastWhere((one) => one.first <= first);
      const to = lastWhere((one) => one.first <= last);
      for (let at = from; at <= to; at++) {
        const group = groups[at];
        if (group.label) shown.push(put(`group${at}`, () => makeGroup(group), wanted));
      }
      const numbers = new Set([current]);
      for (let number = first; number <= last; number++) numbers.add(number);
      for (const number of [...numbers].sort((one, other) => one - other)) {
        const element = put(number, () => makeRow(number), wanted);
        fill(element);
        element.querySelector("a").tabIndex = number === current ? 0 : -1;
        shown.push(element);
      }
      for (const [key, element] of drawn) {
        if (wanted.has(key)) continue;
        element.remove();
        drawn.delete(key);
      }
      /* In the order in which they are read; what is there already stays, with its focus. */
      shown.sort((one, other) => placeOf(one) - placeOf(other));
      let before = null;
      for (const element of shown) {
        const next = before ? before.nextSibling : list.firstChild;
        if (next !== element) list.insertBefore(element, next);
        before = element;
      }
      const group = groups[lastWhere((one) => one.top <= holder.scrollTop)];
      corner.textContent = group.label || counted(total, "pipeline");
      ask();
    }

    function placeOf(element) {
      return Number(element.style.transform.slice("translateY(".length, -"px)".length));
    }

    /* Loading ------------------------------------------------------------------------------- */

    /* The rows in sight, with those beyond. */
    function inSight() {
      const space = BEYOND * sizes.row;
      const seen = holder.scrollTop;
      return [rowAt(Math.max(0, seen - space)), rowAt(seen + holder.clientHeight + space)];
    }

    function missing() {
      const [first, last] = inSight();
      const starts = [];
      for (let at = first - (first % data.size); at <= last; at += data.size) {
        if (!asked.has(at)) starts.push(at);
      }
      return starts;
    }

    function ask() {
      const [, last] = inSight();
      const starts = missing();
      holder.dataset.ready = String(starts.length === 0 && rows[last] !== undefined);
      if (!starts.length || waiting) return;
      waiting = setTimeout(() => {
        waiting = 0;
        missing().forEach(load);
      }, PAUSE_MS);
    }

    async function load(from) {
      if (asked.has(from)) return;
      asked.add(from);
      const address = new URL(holder.dataset.source, window.location.href);
      address.searchParams.set("start", from);
      try {
        const answer = await fetch(address);
        if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
        const found = await answer.json();
        if (!holder.isConnected) return;
        if (found.version !== data.version) {
          drawAnew();
          return;
        }
        take(found);
        failure?.remove();
        render();
      } catch {
        asked.delete(from);
        failure ??= make("p", "field-wrong mb-2");
        failure.setAttribute("role", "alert");
        failure.textContent =
          "These rows could not be loaded. Nothing is lost: scroll to try again, or open the list.";
        holder.before(failure);
      }
    }

    function take({ start: from, rows: found }) {
      asked.add(from);
      found.forEach((row, at) => {
        rows[from + at] = read(row);
      });
    }

    /* Tips ---------------------------------------------------------------------------------- */

    function showTip(element, at) {
      const { row } = element;
      if (!row) return;
      const lines = make("ul", "list-unstyled mb-0");
      const stays = row.stays.map((stay) => stayWords(stay, data));
      const marks = [...row.marks].sort(
        (one, other) => (one[1] ?? one[3]) - (other[1] ?? other[3]),
      );
      for (const text of [...stays, ...marks.map((mark) => markWords(mark, data))]) {
        lines.append(make("li", "", text));
      }
      tip.replaceChildren(
        make("b", "d-block text-truncate", row.name),
        make("p", "mb-1 text-secondary", `${heading(row, data)}, ${row.status}`),
        lines,
      );
      tip.hidden = false;
      const box = element.getBoundingClientRect();
      const side = holder.getBoundingClientRect();
      const left = at ?? side.left + sizes.left;
      const below = box.bottom + tip.offsetHeight + 8 < window.innerHeight;
      const height = below ? box.bottom + 4 : Math.max(4, box.top - tip.offsetHeight - 4);
      const most = Math.max(8, document.documentElement.clientWidth - tip.offsetWidth - 8);
      tip.style.top = `${height}px`;
      tip.style.left = `${Math.min(left, most)}px`;
    }

    function hideTip() {
      tip.hidden = true;
    }

    /* Keyboard, pointer, wheel -------------------------------------------------------------- */

    function focusRow(number) {
      current = Math.max(0, Math.min(total - 1, number));
      const at = topOf(current);
      const seen = holder.clientHeight - sizes.head;
      if (at < holder.scrollTop) holder.scrollTop = at - (current ? 0 : sizes.group);
      else if (at + sizes.row > holder.scrollTop + seen) holder.scrollTop = at + sizes.row - seen;
      render();
      drawn.get(current).querySelector("a").focus({ preventScroll: true });
    }

    const keys = {
      ArrowDown: () => focusRow(current + 1),
      ArrowUp: () => focusRow(current - 1),
      PageDown: () => focusRow(current + Math.floor(holder.clientHeight / sizes.row) - 2),
      PageUp: () => focusRow(current - Math.floor(holder.clientHeight / sizes.row) + 2),
      Home: () => focusRow(0),
      End: () => focusRow(total - 1),
      ArrowLeft: () => holder.scrollBy(-across() / 4, 0),
      ArrowRight: () => holder.scrollBy(across() / 4, 0),
      "+": () => step(1),
      "=": () => step(1),
      "-": () => step(-1),
      Escape: hideTip,
    };
    holder.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
      event.preventDefault();
      keys[event.key]();
    });
    holder.addEventListener("focusin", (event) => {
      const element = event.target.closest(".timeline-row");
      if (!element) return;
      current = element.number;
      if (event.target.matches(":focus-visible")) showTip(element);
    });
    holder.addEventListener("focusout", hideTip);
    list.addEventListener("pointerover", (event) => {
      const track = event.target.closest(".timeline-track");
      if (event.pointerType !== "touch") {
        if (track) showTip(track.parentElement, event.clientX + 12);
        else hideTip();
      }
    });
    list.addEventListener("pointerleave", hideTip);
    list.addEventListener("click", (event) => {
      const track = event.target.closest(".timeline-track");
      if (track) showTip(track.parentElement, event.clientX + 12);
    });
    let isDue = false;
    holder.addEventListener("scroll", () => {
      hideTip();
      if (isDue) return;
      isDue = true;
      requestAnimationFrame(() => {
        isDue = false;
        render();
      });
    });
    let width = holder.clientWidth;
    new ResizeObserver(() => {
      if (holder.clientWidth !== width) show(level);
      width = holder.clientWidth;
      render();
    }).observe(holder);

    take(data);
    scale = scaleOf(level);
    show(level, kept?.day ?? data.today + (across() * 0.2) / scale);
    holder.scrollTop = kept?.top ?? 0;
    render();
    return {
      show,
      step,
      showToday,
      state: () => ({ day: middleDay(), top: holder.scrollTop }),
    };
  }

  /* The page ---------------------------------------------------------------------------------- */

  let timeline = null;
  let holder = null;
  let kept = null;

  function begin() {
    const found = document.querySelector("[data-timeline]");
    if (found === holder) return;
    holder = found;
    timeline = null;
    if (!holder) return;
    const data = JSON.parse(document.getElementById("timeline-data").textContent);
    timeline = draw(holder, data, kept);
    kept = null;
  }

  /* The rows have changed since the page was loaded: its results are asked for again. */
  function drawAnew() {
    kept = timeline.state();
    window.htmx.ajax("GET", window.location.href, { target: "#results", swap: "outerHTML" });
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!timeline || !button) return;
    const { timelineScale, timelineStep, timelineToday } = button.dataset;
    if (timelineScale) timeline.show(timelineScale);
    else if (timelineStep) timeline.step(Number(timelineStep));
    else if (timelineToday !== undefined) timeline.showToday();
  });
  document.addEventListener("change", (event) => {
    event.target.closest("[data-timeline-options]")?.requestSubmit();
  });
  document.addEventListener("htmx:beforeSwap", () => {
    if (timeline && !kept) kept = { day: timeline.state().day, top: 0 };
  });
  document.addEventListener("htmx:afterSettle", begin);
  begin();
})();
