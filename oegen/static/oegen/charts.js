/* Draws every chart of the page from its json_script block, and those that filters and answers bring.
   What the data means is decided in dashboard/charts; the table behind each chart holds the same
   figures. */
(() => {
  "use strict";
  const NARROW = 480; // pixels
  const PAPER = 680; // pixels: what A4 has between its margins
  const DAY = 86400000;
  const YEARS_DRAWN = 15; // before and after today
  const numbers = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 1 });
  const dates = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeZone: "UTC" });
  let drawn = [];

  /* A colour of tokens.css is a pair, for light and for dark: an element shows the one in use. */
  function colourOf(name) {
    const probe = document.body.appendChild(document.createElement("i"));
    probe.style.color = `var(${name})`;
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  }

  function tone({ light, dark }) {
    return document.documentElement.dataset.bsTheme === "dark" ? dark : light;
  }

  function short(text, length) {
    const signs = Array.from(text);
    return signs.length > length ? `${signs.slice(0, length - 1).join("")}…` : text;
  }

  /* Writes each bar's words at its end, so that nobody has to measure against an axis. */
  const endNotes = {
    id: "endNotes",
    afterDatasetsDraw(chart, _args, options) {
      if (!options.notes) return;
      const context = chart.ctx;
      context.save();
      context.font = `${options.size}px ${Chart.defaults.font.family}`;
      context.fillStyle = colourOf("--oegen-ink-2");
      const stacked = chart.options.indexAxis !== "y";
      const shown = chart.data.datasets
        .map((set, number) => [set, number])
        .filter(([set]) => !set.apart);
      const isWhole = shown.every(([, number]) => chart.isDatasetVisible(number));
      if (isWhole) {
        options.notes.forEach((note, index) => {
          let far = null;
          shown.forEach(([, number]) => {
            const bar = chart.getDatasetMeta(number).data[index];
            if (bar && (far === null || (stacked ? bar.y < far.y : bar.x > far.x))) far = bar;
          });
          if (!far) return;
          if (stacked) {
            context.textAlign = "center";
            context.textBaseline = "bottom";
            context.fillText(note, far.x, far.y - 4);
          } else {
            context.textAlign = "left";
            context.textBaseline = "middle";
            context.fillText(note, Math.max(far.x, far.base) + 6, far.y);
          }
        });
      }
      context.restore();
    },
  };

  function widthIn(size) {
    const brush = document.createElement("canvas").getContext("2d");
    brush.font = `${size}px ${Chart.defaults.font.family}`;
    return (text) => brush.measureText(text).width;
  }

  /* Room for the widest of the words at the bars' ends. */
  function roomFor(notes, size) {
    return 12 + Math.max(...notes.map(widthIn(size)));
  }

  /* As much of the text as there is room for, in pixels. */
  function fitting(text, room, size) {
    const width = widthIn(size);
    let length = Array.from(text).length;
    while (length > 1 && width(short(text, length)) > room) length -= 1;
    return short(text, length);
  }

  function follow(address) {
    if (address) window.location.assign(address);
  }

  function common(link) {
    return {
      animation: false,
      maintainAspectRatio: false,
      onClick(_event, hits) {
        follow(hits.map(link).find(Boolean));
      },
      onHover(event, hits) {
        event.native.target.classList.toggle("leads-on", hits.some(link));
      },
    };
  }

  function axes() {
    const ink = colourOf("--oegen-ink-2");
    const line = colourOf("--oegen-line");
    return {
      values: (title, show = true) => ({
        beginAtZero: true,
        display: show,
        border: { display: false },
        grid: { color: line },
        ticks: { color: ink, maxTicksLimit: 8, callback: (value) => numbers.format(value) },
        title: { display: show, text: title, color: ink },
      }),
      groups: { grid: { display: false }, border: { color: line }, ticks: { color: ink } },
      legend: { position: "bottom", labels: { color: ink, boxWidth: 12, boxHeight: 12 } },
    };
  }

  /* Lying bars, from zero or from one value to another. */
  function bars(data, narrow) {
    const { values, groups } = axes();
    const [series] = data.series;
    const size = narrow ? 11 : 12;
    const end = roomFor(data.notes, size);
    return {
      type: "bar",
      data: {
        labels: data.labels,
        datasets: [
          {
            data: series.values,
            backgroundColor: tone(series),
            borderRadius: 2,
            maxBarThickness: 22,
            minBarLength: 2,
          },
        ],
      },
      options: {
        ...common((hit) => data.links[hit.index]),
        indexAxis: "y",
        layout: { padding: { right: end } },
        scales: {
          x: { ...values(data.axis, false), min: data.start || undefined },
          y: {
            ...groups,
            ticks: {
              ...groups.ticks,
              autoSkip: false,
              font: { size },
              callback(place) {
                // An axis gets half of the room at most; beyond it the words would be cut off.
                const room = (this.chart.width - end) / 2 - 12;
                return fitting(short(data.labels[place], 34), room, size);
              },
            },
          },
        },
        plugins: {
          legend: { display: false },
          endNotes: { notes: data.notes, size },
          tooltip: {
            displayColors: false,
            callbacks: {
              title: ([item]) => short(data.labels[item.dataIndex], 80),
              label: (item) => data.notes[item.dataIndex],
            },
          },
        },
      },
    };
  }

  /* Standing bars of parts; a series that is apart stands beside them. */
  function stack(data, narrow) {
    const { values, groups, legend } = axes();
    return {
      type: "bar",
      data: {
        labels: data.labels,
        datasets: data.series.map((series) => ({
          label: short(series.name, 40),
          data: series.values,
          apart: series.apart,
          stack: series.apart ? "apart" : "parts",
          backgroundColor: tone(series),
          borderColor: colourOf("--oegen-surface"),
          borderWidth: 1,
          borderRadius: 2,
          maxBarThickness: 64,
        })),
      },
      options: {
        ...common((hit) => (data.series[hit.datasetIndex].links || data.links)[hit.index]),
        layout: { padding: { top: 20 } },
        scales: {
          x: { ...groups, stacked: true },
          y: { ...values(data.axis), stacked: true },
        },
        plugins: {
          legend,
          endNotes: { notes: data.notes, size: narrow ? 11 : 12 },
          tooltip: {
            callbacks: {
              label(item) {
                const { name, unit } = data.series[item.datasetIndex];
                return `${short(name, 80)}: ${numbers.format(item.raw)} ${unit}`;
              },
            },
          },
        },
      },
    };
  }

  const at = (text) => Date.parse(`${text}T00:00:00Z`);
  const isoOf = (moment) => new Date(moment).toISOString().slice(0, 10);
  const point = ([day, mw]) => ({ x: at(day), y: mw });

  /* Steps for what was reached, dashed for what is scheduled, the trend with its interval. */
  function growth(data, narrow, chosen) {
    const { values, groups, legend } = axes();
    const choice = data.choices[chosen];
    const colour = tone(choice);
    const today = at(data.today);
    const reached = choice.reached.map(point);
    const level = reached.length ? reached.at(-1).y : 0;
    const scheduled = choice.scheduled.map(point);
    const trend = choice.trend.map(([day, mw, low, high]) => ({ x: at(day), y: mw, low, high }));
    if (reached.length) reached.unshift({ x: reached[0].x, y: 0 });
    reached.push({ x: today, y: level });
    const all = [...reached, ...scheduled, ...trend].map(({ x }) => x);
    const [first, last] = [Math.min(...all), Math.max(...all)];
    const room = (last - first) / 100;
    const line = {
      borderColor: colour,
      backgroundColor: colour,
      pointRadius: 0,
      pointHitRadius: 8,
      pointStyle: "line",
    };
    const edge = { ...line, borderWidth: 0, pointHitRadius: 0, isEdge: true };
    const datasets = [
      { ...line, label: "Reached", data: reached, stepped: true, borderWidth: 2.5 },
      {
        ...line,
        label: "Scheduled",
        data: scheduled.length ? [{ x: today, y: level }, ...scheduled] : [],
        stepped: true,
        borderWidth: 2,
        borderDash: [7, 4],
      },
      { ...line, label: "Trend", data: trend, borderWidth: 1.5, borderDash: [2, 3] },
      { ...edge, label: "Low", data: trend.map(({ x, low }) => ({ x, y: low })) },
      {
        ...edge,
        label: "95 % interval of the trend",
        data: trend.map(({ x, high }) => ({ x, y: high })),
        fill: "-1",
        pointStyle: "rect",
        backgroundColor: `${colour}2e`,
      },
    ];
    const isShown = ({ label, data: points }) => label !== "Low" && points.length > 0;
    return {
      type: "line",
      data: { datasets },
      options: {
        ...common(({ datasetIndex, index }) => {
          if (datasetIndex > 1) return "";
          return choice.link.replaceAll("PLACE", isoOf(datasets[datasetIndex].data[index].x));
        }),
        interaction: { mode: "nearest", axis: "x", intersect: false },
        scales: {
          x: {
            ...groups,
            type: "linear",
            min: Math.max(first - room, today - YEARS_DRAWN * 365.25 * DAY),
            max: Math.min(last + room, today + YEARS_DRAWN * 365.25 * DAY),
            afterBuildTicks(axis) {
              const from = new Date(axis.min).getUTCFullYear() + 1;
              const to = new Date(axis.max).getUTCFullYear();
              const step = Math.ceil((to - from + 1) / (narrow ? 6 : 14)) || 1;
              axis.ticks = [];
              for (let year = from; year <= to; year += step) {
                axis.ticks.push({ value: Date.UTC(year, 0, 1) });
              }
            },
            ticks: {
              ...groups.ticks,
              callback: (value) => String(new Date(value).getUTCFullYear()),
            },
          },
          y: values(data.axis),
        },
        plugins: {
          legend: {
            ...legend,
            onClick() {},
            labels: {
              ...legend.labels,
              usePointStyle: true,
              pointStyleWidth: 30,
              generateLabels: (chart) =>
                Chart.defaults.plugins.legend.labels
                  .generateLabels(chart)
                  .filter((item) => isShown(datasets[item.datasetIndex]))
                  .map((item) => ({ ...item, lineDash: datasets[item.datasetIndex].borderDash })),
            },
          },
          tooltip: {
            filter: (item) => !item.dataset.isEdge,
            callbacks: {
              title: ([item]) => (item ? dates.format(item.raw.x) : ""),
              label(item) {
                const { low, high, y } = item.raw;
                const between =
                  low === undefined ? "" : ` (${numbers.format(low)} to ${numbers.format(high)})`;
                return `${item.dataset.label}: ${numbers.format(y)} ${choice.unit}${between}`;
              },
            },
          },
        },
      },
    };
  }

  /* A mark for each pair of impact and likelihood; its area is the number of points there. */
  function scatter(data) {
    const { values } = axes();
    const side = (title) => ({
      ...values(title),
      min: 0,
      max: 100,
      ticks: { ...values(title).ticks, stepSize: 20 },
    });
    return {
      type: "bubble",
      data: {
        datasets: [
          {
            data: data.places.map(([impact, likelihood, count]) => ({
              x: likelihood,
              y: impact,
              r: Math.min(4 * Math.sqrt(count), 18),
              count,
            })),
            backgroundColor: `${tone(data)}99`,
            borderColor: colourOf("--oegen-surface"),
            clip: 12,
          },
        ],
      },
      options: {
        ...common(({ index }) => {
          const [impact, likelihood] = data.places[index];
          return data.link
            .replaceAll("PLACE-impact", impact)
            .replaceAll("PLACE-likelihood", likelihood);
        }),
        scales: { x: side("Likelihood"), y: side("Impact") },
        plugins: {
          legend: { display: false },
          tooltip: {
            displayColors: false,
            callbacks: {
              label({ raw }) {
                const words = raw.count === 1 ? "1 point" : `${numbers.format(raw.count)} points`;
                return `${words}: impact ${raw.y}, likelihood ${raw.x}`;
              },
            },
          },
        },
      },
    };
  }

  const KINDS = { bars, stack, growth, scatter };

  function make(card) {
    const data = JSON.parse(document.getElementById(card.dataset.chart).textContent);
    const box = card.querySelector("[data-chart-canvas]");
    if (data.kind === "bars") {
      box.classList.add("has-rows");
      box.style.setProperty("--rows", Math.min(data.labels.length, 12));
    }
    const one = { card, data, box, chosen: 0 };
    one.config = () => KINDS[data.kind](data, box.clientWidth < NARROW, one.chosen);
    one.chart = new Chart(box.querySelector("canvas"), { ...one.config(), plugins: [endNotes] });
    one.redraw = () => {
      Object.assign(one.chart.config, { data: one.config().data, options: one.config().options });
      one.chart.update("none");
    };
    return one;
  }

  function choose(button) {
    const one = drawn.find(({ card }) => card.contains(button));
    one.chosen = Number(button.dataset.chartChoice);
    one.card.querySelectorAll("[data-chart-choice]").forEach((other) => {
      other.setAttribute("aria-pressed", String(other === button));
    });
    const { finding } = one.data.choices[one.chosen];
    one.card.querySelector("[data-chart-finding]").textContent = finding;
    one.box.querySelector("canvas").setAttribute("aria-label", finding);
    one.redraw();
  }

  function turn(button) {
    const card = button.closest(".card");
    const asTable = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(asTable));
    card.classList.toggle("as-table", asTable);
    const one = drawn.find((other) => other.card === card);
    if (one && !asTable) one.chart.resize();
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-chart-choice], [data-chart-switch]");
    if (!button) return;
    if (button.matches("[data-chart-choice]")) choose(button);
    else turn(button);
  });

  function drawAll() {
    drawn = drawn.filter(({ card, chart }) => {
      if (!card.isConnected) chart.destroy();
      return card.isConnected;
    });
    document.querySelectorAll("[data-chart]").forEach((card) => {
      if (!drawn.some((one) => one.card === card)) drawn.push(make(card));
    });
  }

  /* What a map needs is fetched when the map is about to come into view. */
  function fetchMapWhenSeen() {
    const map = document.querySelector("[data-map][data-files]");
    if (!map) return;
    const watch = new IntersectionObserver(
      (entries) => {
        if (!entries.some((entry) => entry.isIntersecting)) return;
        watch.disconnect();
        map.dataset.files.split(" ").forEach((file) => {
          const script = document.createElement("script");
          script.src = file;
          script.async = false; // in their order
          document.body.append(script);
        });
      },
      { rootMargin: "200px" },
    );
    watch.observe(map);
  }

  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  drawAll();
  fetchMapWhenSeen();
  document.addEventListener("htmx:afterSettle", drawAll);
  document.addEventListener("oegen:charts", drawAll);
  document.addEventListener("oegen:theme", () => {
    for (const one of drawn) one.redraw();
  });
  // Paper is narrower than most windows: drawn for it, words keep their size.
  window.addEventListener("beforeprint", () => {
    for (const { chart } of drawn) chart.resize(Math.min(chart.width, PAPER), chart.height);
  });
  window.addEventListener("afterprint", () => {
    for (const { chart } of drawn) chart.resize();
  });
})();
