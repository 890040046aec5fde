/* Draws every chart of the page from its json_script block. What the data means is decided in
   charts.py; the table beside each chart holds the same figures. */
(function () {
  "use strict";
  const numbers = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 1 });
  const drawn = [];

  function colourOf(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }

  function isDark() {
    return document.documentElement.dataset.bsTheme === "dark";
  }

  /* Writes each bar's words at its end, so that nobody has to measure against an axis. */
  const endNotes = {
    id: "endNotes",
    afterDatasetsDraw(chart, args, options) {
      const context = chart.ctx;
      context.save();
      context.font = `${options.size}px ${Chart.defaults.font.family}`;
      context.fillStyle = colourOf("--oegen-ink-2");
      const stacked = chart.options.indexAxis !== "y";
      options.notes.forEach(function (note, index) {
        let far = null;
        chart.data.datasets.forEach(function (dataset, number) {
          const bar = chart.isDatasetVisible(number) && chart.getDatasetMeta(number).data[index];
          if (bar && (far === null || (stacked ? bar.y < far.y : bar.x > far.x))) far = bar;
        });
        if (!far || chart.data.datasets.some((_, number) => !chart.isDatasetVisible(number))) return;
        if (stacked) {
          context.textAlign = "center";
          context.textBaseline = "bottom";
          context.fillText(note, far.x, far.y - 4);
        } else {
          context.textAlign = "left";
          context.textBaseline = "middle";
          context.fillText(note, far.x + 6, far.y);
        }
      });
      context.restore();
    },
  };

  function datasets(data) {
    return data.series.map(function (series) {
      return {
        label: series.name,
        unit: series.unit || "",
        data: series.values,
        backgroundColor: isDark() ? series.dark : series.light,
        borderColor: colourOf("--oegen-surface"),
        borderWidth: data.kind === "stack" ? 1 : 0,
        borderRadius: 2,
        maxBarThickness: data.kind === "stack" ? 64 : 22,
        minBarLength: data.kind === "stack" ? 0 : 2,
      };
    });
  }

  function options(data, narrow) {
    const horizontal = data.kind === "bars";
    const ink = colourOf("--oegen-ink-2");
    const values = {
      beginAtZero: true,
      stacked: !horizontal,
      display: !horizontal,
      border: { display: false },
      grid: { color: colourOf("--oegen-line") },
      ticks: { color: ink, maxTicksLimit: 8, callback: (value) => numbers.format(value) },
      title: { display: !horizontal, text: data.axis, color: ink },
    };
    const groups = {
      stacked: !horizontal,
      grid: { display: false },
      border: { color: colourOf("--oegen-line") },
      ticks: { color: ink, autoSkip: !horizontal },
    };
    return {
      animation: false,
      maintainAspectRatio: false,
      indexAxis: horizontal ? "y" : "x",
      layout: { padding: horizontal ? { right: narrow ? 130 : 150 } : { top: 20 } },
      scales: horizontal ? { x: values, y: groups } : { x: groups, y: values },
      onClick(event, hits) {
        if (hits.length) window.location.assign(data.links[hits[0].index]);
      },
      onHover(event, hits) {
        event.native.target.classList.toggle("leads-on", hits.length > 0);
      },
      plugins: {
        legend: {
          display: !horizontal,
          position: "bottom",
          labels: { color: ink, boxWidth: 12, boxHeight: 12 },
        },
        endNotes: { notes: data.notes, size: narrow ? 11 : 12 },
        tooltip: {
          displayColors: !horizontal,
          callbacks: {
            label(item) {
              if (horizontal) return data.notes[item.dataIndex];
              return `${item.dataset.label}: ${numbers.format(item.raw)} ${item.dataset.unit}`;
            },
          },
        },
      },
    };
  }

  function draw(card) {
    const data = JSON.parse(document.getElementById(card.dataset.chart).textContent);
    const box = card.querySelector("[data-chart-canvas]");
    const button = card.querySelector("[data-chart-switch]");
    box.classList.add(data.kind === "bars" ? `rows-${Math.min(data.labels.length, 12)}` : "rows-10");
    const chart = new Chart(box.querySelector("canvas"), {
      type: "bar",
      data: { labels: data.labels, datasets: datasets(data) },
      options: options(data, box.clientWidth < 480),
      plugins: [endNotes],
    });
    button.addEventListener("click", function () {
      const asTable = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(asTable));
      card.classList.toggle("as-table", asTable);
      if (!asTable) chart.resize();
    });
    drawn.push({ chart, data, box });
  }

  function redraw() {
    drawn.forEach(function ({ chart, data, box }) {
      const next = datasets(data);
      chart.data.datasets.forEach((dataset, index) => Object.assign(dataset, next[index]));
      chart.options = options(data, box.clientWidth < 480);
      chart.update("none");
    });
  }

  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  document.querySelectorAll("[data-chart]").forEach(function (card) {
    if (document.getElementById(card.dataset.chart)) draw(card);
  });
  document.addEventListener("oegen:theme", redraw);
})();
