/* The facilities as marks whose area is their capacity, gathered in clusters where they are close.
   The list beside the map has the largest of them for those who would rather read. */
(() => {
  "use strict";
  const holder = document.querySelector("[data-map]");
  if (!holder) return;

  const SMALLEST = 18; // pixels across, so that its letter can be read
  const LARGEST = 64;
  const SLICE_MS = 12; // of gathering marks, before the page has its turn
  const NEAREST = 9; // the zoom that a lone facility is shown at
  const RATINGS = {
    R: ["red", "Red"],
    A: ["amber", "Amber"],
    G: ["green", "Green"],
    "": ["none", "Not rated"],
  };
  const exact = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 1 });
  const whole = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });
  const asOf = new URLSearchParams(window.location.search).get("as_of");
  const day = asOf ? `?as_of=${encodeURIComponent(asOf)}` : "";
  const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;

  function make(tag, className, text) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  }

  function fail(text) {
    holder.before(make("p", "map-failed field-wrong", `${text} The list has the same facilities.`));
  }

  function site(row, technologies) {
    const [id, name, lat, lng, mw, technology, rag, pipelines] = row;
    const [technologyName, unit, isDc] = technologies[technology];
    return { id, name, lat, lng, mw, technology: technologyName, unit, isDc, rag, pipelines };
  }

  function capacity({ mw, unit }) {
    return mw === null ? "MW not known" : `${exact.format(mw)} ${unit}`;
  }

  function icon(one) {
    const area = 1.6 * (one.mw ?? 0);
    const size = Math.round(Math.min(LARGEST, Math.max(SMALLEST, 2 * Math.sqrt(area))));
    return L.divIcon({
      className: `map-dot rag-${RATINGS[one.rag][0]}`,
      html: one.rag || "–",
      iconSize: [size, size],
    });
  }

  /* Its look and words are made when it first comes into view: most of ten thousand never do. */
  const Mark = L.Marker.extend({
    initialize(one) {
      L.Marker.prototype.initialize.call(this, [one.lat, one.lng]);
      this.site = one;
    },
    onAdd(map) {
      if (!this.getPopup()) {
        const one = this.site;
        this.options.title = `${one.name}, ${one.technology}, ${capacity(one)}, ${RATINGS[one.rag][1]}`;
        this.options.icon = icon(one);
        this.bindPopup(() => popup(one));
      }
      L.Marker.prototype.onAdd.call(this, map);
      this.getElement().setAttribute("aria-label", this.options.title);
    },
  });

  function popup(one) {
    const box = make("div");
    const name = make("a", "fw-semibold", one.name);
    name.href = `${holder.dataset.facility}${one.id}/${day}`;
    const facts = make("p", "mt-1 mb-0", `${one.technology}, ${capacity(one)}`);
    const [colour, word] = RATINGS[one.rag];
    const rating = make("p", "mt-1 mb-0");
    const badge = make("span", `rag rag-${colour}`);
    if (one.rag) badge.append(make("span", "rag-letter", one.rag));
    badge.append(word);
    rating.append(badge);
    box.append(name, facts, rating);
    for (let place = 0; place < one.pipelines.length; place += 2) {
      const line = make("p", "mt-1 mb-0", "In ");
      const link = make("a", "", one.pipelines[place + 1]);
      link.href = `${holder.dataset.pipeline}${one.pipelines[place]}/${day}`;
      line.append(link);
      box.append(line);
    }
    return box;
  }

  /* The cluster's count and MW; a sum over both bases says that it is mixed. */
  function clusterMark(cluster) {
    let [dc, ac] = [0, 0];
    for (const marker of cluster.getAllChildMarkers()) {
      if (marker.site.isDc) dc += marker.site.mw ?? 0;
      else ac += marker.site.mw ?? 0;
    }
    const count = cluster.getChildCount();
    const unit = dc && ac ? "MW, mixed" : dc ? "MWp" : "MW";
    const figure = `${whole.format(dc + ac)} ${dc && !ac ? "MWp" : "MW"}`;
    const size = Math.round(Math.max(46 + 8 * Math.log10(count), 14 + 6 * figure.length));
    const face = make("div");
    face.append(make("span", "", whole.format(count)));
    face.append(make("small", "d-block mt-1 fs-6 fw-medium text-nowrap", figure));
    cluster.options.title = `${whole.format(count)} facilities, ${exact.format(dc + ac)} ${unit}`;
    return L.divIcon({ className: "map-cluster", html: face, iconSize: [size, size] });
  }

  const map = window.oegenBasemap.draw(holder, holder.dataset.land, fail, {
    zoomAnimation: !still,
    fadeAnimation: !still,
    markerZoomAnimation: !still,
    // On a page that is longer than the map, the wheel moves the page.
    scrollWheelZoom: holder.dataset.wheel !== "off",
  });
  map.setView(window.oegenBasemap.HOME.centre, window.oegenBasemap.HOME.zoom);

  let clusters = null;
  let source = null;
  let loading = null;

  function clear() {
    delete holder.dataset.ready;
    loading?.abort();
    map.closePopup();
    if (clusters) map.removeLayer(clusters);
    clusters = null;
  }

  /* The view stays when filters change, unless nothing of what they pick would be in sight. */
  function bringIntoSight(points, isFirst) {
    const seen = map.getBounds();
    if (!points.length || (!isFirst && points.some((point) => seen.contains(point)))) return;
    map.fitBounds(L.latLngBounds(points).pad(0.05), { maxZoom: NEAREST, animate: false });
  }

  function show(answer, isFirst) {
    const markers = answer.sites.map((row) => new Mark(site(row, answer.technologies)));
    const group = L.markerClusterGroup({
      chunkedLoading: true,
      chunkInterval: SLICE_MS,
      chunkDelay: 0,
      chunkProgress(done, total) {
        if (group !== clusters || done !== markers.length) return;
        holder.dataset.ready = String(total);
      },
      maxClusterRadius: 70,
      showCoverageOnHover: false,
      spiderfyDistanceMultiplier: 1.8,
      animate: !still,
      iconCreateFunction: clusterMark,
    });
    bringIntoSight(
      markers.map((marker) => marker.getLatLng()),
      isFirst,
    );
    clusters = group;
    map.addLayer(group);
    group.addLayers(markers);
  }

  /* The address of the data is beside the map and changes with the filters; the map stays. */
  function load() {
    const asked = document.querySelector("[data-map-source]").dataset.mapSource;
    if (asked === source) return;
    const isFirst = source === null;
    source = asked;
    clear();
    loading = new AbortController();
    const { signal } = loading;
    fetch(asked, { signal })
      .then((response) => {
        if (!response.ok)
          throw new Error(`The facilities could not be loaded (${response.status}).`);
        return response.json();
      })
      .then(
        (answer) => signal.aborted || show(answer, isFirst),
        (error) => signal.aborted || fail(error.message),
      );
  }

  load();
  document.addEventListener("htmx:afterSettle", load);
})();
