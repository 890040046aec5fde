/* What the scripts that draw many pipelines or facilities share: the map and the timeline. */
(() => {
  "use strict";
  const RATINGS = {
    R: ["red", "Red"],
    A: ["amber", "Amber"],
    G: ["green", "Green"],
    "": ["none", "Not rated"],
  };
  const exact = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 1 });
  const whole = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });
  const asOf = new URLSearchParams(window.location.search).get("as_of");
  /* What addresses of records end in, so that they stay in the past. */
  const past = asOf ? `?as_of=${encodeURIComponent(asOf)}` : "";

  function make(tag, className, text) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  }

  function capacityOf({ mw, unit }) {
    return mw === null ? "MW not known" : `${exact.format(mw)} ${unit}`;
  }

  window.oegenDrawing = { RATINGS, capacityOf, exact, make, past, whole };
})();
