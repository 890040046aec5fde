/* The facilities as marks whose area is their capacity, gathered in clusters where they are close.
   Of a large portfolio the server adds up neighbours; what the map shows is then asked for each
   time that it has moved. The list beside the map has the largest facilities for those who would
   rather read. */
(() => {
  "use strict";
  const holder = document.querySelector("[data-map]");
  if (!holder) return;

  const SMALLEST = 18; // pixels across, so that its letter can be read
  const LARGEST = 64;
  const PAUSE_MS = 150; // without a move, before what the map shows is asked for
  const BESIDE = 0.25; // how much more is asked for, as a share of what the map shows
  const NEAREST = 9; // the zoom that a lone facility is shown at
  const { RATINGS, capacityOf, exact, make, past, whole } = oegenDrawing;
  const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;

  let failure = null; // the warning that the facilities could not be loaded

  function warn(text) {
    const warning = make(
      "p",
      "map-failed field-wrong",
      `${text} The list has the same facilities.`,
    );
    holder.before(warning);
    return warning;
  }

  function settle() {
    holder.setAttribute("aria-busy", "false");
    failure?.remove();
    failure = null;
  }

  function fail(text) {
    settle();
    failure = warn(text);
  }

  function site(row, technologies) {
    const [id, name, lat, lng, mw, technology, rag, pipelines] = row;
    const [technologyName, unit, isDc] = technologies[technology];
    return { id, name, lat, lng, mw, technology: technologyName, unit, isDc, rag, pipelines };
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

  /* A facility. Its look and words are made when it first comes into view: most never do. */
  const Mark = L.Marker.extend({
    initialize(one) {
      L.Marker.prototype.initialize.call(this, [one.lat, one.lng]);
      this.one = one;
      this.sum = { number: 1, dc: one.isDc ? one.mw : 0, ac: one.isDc ? 0 : one.mw };
      this.box = L.latLngBounds([[one.lat, one.lng]]);
      this.on("click", this.open);
      this.on("keypress", ({ originalEvent }) => originalEvent.key === "Enter" && this.open());
    },
    onAdd(map) {
      if (!this.options.title) this.dress();
      L.Marker.prototype.onAdd.call(this, map);
      this.getElement().setAttribute("aria-label", this.options.title);
    },
    dress() {
      const { one } = this;
      this.options.title = `${one.name}, ${one.technology}, ${capacityOf(one)}, ${RATINGS[one.rag][1]}`;
      this.options.icon = icon(one);
    },
    open() {
      this.say(popup(this.one));
    },
    /* The popup is the map's: it stays when the marks are read anew. */
    say(content) {
      map.openPopup(L.popup().setLatLng(this.getLatLng()).setContent(content));
    },
  });

  /* Facilities that the server has added up; it looks like a cluster and opens like one. */
  const Group = Mark.extend({
    initialize([lat, lng, number, dc, ac, west, south, east, north]) {
      Mark.prototype.initialize.call(this, { lat, lng });
      this.sum = { number, dc, ac };
      this.box = boxOf([west, south, east, north]);
    },
    dress() {
      this.options.title = titleOf(this.sum);
      this.options.icon = face(this.sum);
    },
    open() {
      const most = map.getMaxZoom();
      if (map.getZoom() === most) {
        this.say(`${titleOf(this.sum)}: too close together to be shown one by one.`);
        return;
      }
      const zoom = Math.min(most, Math.max(map.getZoom() + 1, map.getBoundsZoom(this.box)));
      map.setView(this.box.getCenter(), zoom);
    },
  });

  function popup(one) {
    const box = make("div");
    const name = make("a", "fw-semibold", one.name);
    name.href = `${holder.dataset.facility}${one.id}/${past}`;
    const facts = make("p", "mt-1 mb-0", `${one.technology}, ${capacityOf(one)}`);
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
      link.href = `${holder.dataset.pipeline}${one.pipelines[place]}/${past}`;
      line.append(link);
      box.append(line);
    }
    return box;
  }

  function titleOf({ number, dc, ac }, noun = "facilities") {
    const unit = dc && ac ? "MW, mixed" : dc ? "MWp" : "MW";
    return `${whole.format(number)} ${noun}, ${exact.format(dc + ac)} ${unit}`;
  }

  function face({ number, dc, ac }) {
    const figure = `${whole.format(dc + ac)} ${dc && !ac ? "MWp" : "MW"}`;
    const size = Math.round(Math.max(46 + 8 * Math.log10(number), 14 + 6 * figure.length));
    const html = make("div");
    html.append(make("span", "", whole.format(number)));
    html.append(make("small", "d-block mt-1 fs-6 fw-medium text-nowrap", figure));
    return L.divIcon({ className: "map-cluster", html, iconSize: [size, size] });
  }

  function added(marks) {
    const sum = { number: 0, dc: 0, ac: 0 };
    for (const mark of marks) for (const part in sum) sum[part] += mark.sum[part];
    return sum;
  }

  /* The cluster's count and MW; a sum over both bases says that it is mixed. */
  function clusterMark(cluster) {
    const sum = added(cluster.getAllChildMarkers());
    cluster.options.title = titleOf(sum);
    return face(sum);
  }

  const map = window.oegenBasemap.draw(holder, holder.dataset.basemap, warn, {
    zoomAnimation: !still,
    fadeAnimation: !still,
    markerZoomAnimation: !still,
    // On a page that is longer than the map, the wheel moves the page.
    scrollWheelZoom: holder.dataset.wheel !== "off",
  });

  let clusters = null;
  let source = null;
  let loading = null;
  let pause = null;
  let shown = null; // the bounds that the marks are complete in (null: everywhere), up to a zoom
  let mayMove = false;
  /* The view waits for the first facilities, so that no land is loaded which they are not on. */
  let hasView = false;
  map.once("load", () => (hasView = true));

  function clear() {
    delete holder.dataset.ready;
    map.closePopup();
    if (clusters) map.removeLayer(clusters);
    clusters = shown = null;
  }

  function goHome() {
    map.setView(window.oegenBasemap.HOME.centre, window.oegenBasemap.HOME.zoom);
  }

  /* The view stays when filters change, unless nothing of what they pick would be in sight. */
  function bringIntoSight(marks) {
    if (hasView && marks.some((mark) => map.getBounds().intersects(mark.box))) return;
    map.fitBounds(shown.extent.pad(0.05), { maxZoom: NEAREST, animate: false });
  }

  /* What the map shows of the world, and a little more. */
  function view() {
    const around = map.getBounds().pad(BESIDE);
    const within = (degrees, most) => Math.max(-most, Math.min(most, degrees)).toFixed(4);
    return [
      within(around.getWest(), 180),
      within(around.getSouth(), 90),
      within(around.getEast(), 180),
      within(around.getNorth(), 90),
    ];
  }

  /* Whether marks that are complete in the bounds (null: everywhere) up to the zoom will do. */
  function isCovered({ bounds, zoom }) {
    const [west, south, east, north] = view();
    if (west === east) return true; // beside the world
    const seen = L.latLngBounds([south, west], [north, east]).pad(-BESIDE / (1 + 2 * BESIDE));
    return map.getZoom() <= zoom && (!bounds || bounds.contains(seen));
  }

  const isShown = () => isCovered(shown);

  const boxOf = ([west, south, east, north]) => L.latLngBounds([south, west], [north, east]);

  function show({ sites, groups, technologies, bounds }, zoom) {
    const marks = [
      ...sites.map((row) => new Mark(site(row, technologies))),
      ...groups.map((row) => new Group(row)),
    ];
    if (!bounds) {
      const extent = L.latLngBounds([]);
      for (const mark of marks) extent.extend(mark.box);
      shown = { extent, total: added(marks).number };
    }
    const isWhole = groups.length === 0;
    shown.bounds = bounds && boxOf(bounds);
    shown.zoom = isWhole ? Infinity : (zoom ?? map.getBoundsZoom(shown.extent));
    if (mayMove && shown.total) bringIntoSight(marks);
    if (!hasView) goHome();
    mayMove &&= !isShown();
    put(marks);
    holder.dataset.ready = String(shown.total);
    if (isShown()) settle();
    else ask();
  }

  /* The keyboard stays where it was, if that mark is there again. */
  function put(marks) {
    const focused = holder.contains(document.activeElement) && document.activeElement.title;
    if (clusters) map.removeLayer(clusters);
    clusters = L.markerClusterGroup({
      maxClusterRadius: 70,
      showCoverageOnHover: false,
      spiderfyDistanceMultiplier: 1.8,
      animate: !still,
      iconCreateFunction: clusterMark,
    });
    clusters.addLayers(marks).addTo(map);
    if (!focused) return;
    const icons = [...holder.querySelectorAll(".leaflet-marker-icon")];
    icons.find((icon) => icon.title === focused)?.focus({ preventScroll: true });
  }

  function fetchMarks(address, zoom) {
    loading?.abort();
    loading = new AbortController();
    const { signal } = loading;
    holder.setAttribute("aria-busy", "true");
    fetch(address, { signal })
      .then((response) => {
        if (!response.ok)
          throw new Error(`The facilities could not be loaded (${response.status}).`);
        return response.json();
      })
      .then(
        (answer) => signal.aborted || show(answer, zoom),
        (error) => {
          if (signal.aborted) return;
          if (!hasView) goHome();
          fail(error.message);
        },
      );
  }

  /* What the map shows, in more detail than all of the facilities at once. */
  function ask() {
    const address = new URL(source, window.location.href);
    address.searchParams.set("bounds", view().join());
    fetchMarks(address, map.getZoom());
  }

  map.on("moveend", () => {
    clearTimeout(pause);
    pause = setTimeout(() => shown && !isShown() && ask(), PAUSE_MS);
  });

  /* The address of the data is beside the map and changes with the filters; the map stays. */
  function load() {
    const asked = document.querySelector("[data-map-source]").dataset.mapSource;
    if (asked === source) return;
    source = asked;
    clear();
    mayMove = true;
    fetchMarks(source, null);
  }

  window.oegenMap = { Group, Mark, PAUSE_MS, added, boxOf, isCovered, map, titleOf, view };
  load();
  document.addEventListener("htmx:afterSettle", load);
})();
