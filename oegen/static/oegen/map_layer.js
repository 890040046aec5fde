/* What stands beside our facilities on the map while its switch is on: squares under our marks,
   read for what the map shows. A click says what it is and which facility of ours is nearest. */
(() => {
  "use strict";
  if (!window.oegenMap) return;
  const { Group, Mark, PAUSE_MS, added, boxOf, isCovered, map, titleOf, view } = window.oegenMap;
  const { capacityOf, exact, make, past } = oegenDrawing;
  const holder = document.querySelector("[data-map]");
  const PANE = "beside";
  const SMALLEST = 10; // pixels across
  const LARGEST = 40;
  map.createPane(PANE).style.zIndex = 590; // under our marks

  let clusters = null;
  let source = null;
  let shown = null;
  let loading = null;
  let pause = null;

  /* Smaller than that of our facilities: how many there are. */
  function face({ number }) {
    const text = exact.format(number);
    const size = [12 + 8 * text.length, 24];
    const html = make("span", "", text);
    return L.divIcon({ className: "map-cluster rounded-1 text-secondary", html, iconSize: size });
  }

  const Project = Mark.extend({
    initialize(row) {
      const [id, name, lat, lng, mw, unit, technology, status, operator, register] = row;
      const one = { id, name, lat, lng, mw, unit, technology, status, operator, register };
      Mark.prototype.initialize.call(this, { ...one, isDc: unit === "MWp" });
      this.options.pane = PANE;
    },
    dress() {
      const { name, technology, status, mw, register } = this.one;
      const size = Math.round(
        Math.min(LARGEST, Math.max(SMALLEST, 2 * Math.sqrt(1.6 * (mw ?? 0)))),
      );
      const words = [name, technology, capacityOf(this.one), status, register];
      this.options.title = words.filter(Boolean).join(", ");
      this.options.icon = L.divIcon({
        className: "map-dot rag-none rounded-1",
        iconSize: [size, size],
      });
    },
    open() {
      this.say(popup(this.one));
    },
  });

  const Projects = Group.extend({
    initialize(row) {
      Group.prototype.initialize.call(this, row);
      this.options.pane = PANE;
    },
    dress() {
      this.options.title = titleOf(this.sum, "projects of registers");
      this.options.icon = face(this.sum);
    },
  });

  function popup(one) {
    const box = make("div");
    const address = note()?.dataset.layerProject;
    const name = make(address ? "a" : "b", "fw-semibold", one.name);
    if (address) name.href = `${address}${one.id}/${past}`;
    const facts = [one.technology, capacityOf(one), one.status].filter(Boolean).join(", ");
    const from = [one.operator, one.register].filter(Boolean).join(", ");
    const near = make("p", "mt-1 mb-0", "Looking for our nearest facility…");
    box.append(name, make("p", "mt-1 mb-0", facts), make("p", "mt-1 mb-0", from), near);
    tellNearest(one, near);
    return box;
  }

  function tellNearest(one, line) {
    const address = new URL(source, window.location.href);
    address.searchParams.set("at", `${one.lat},${one.lng}`);
    fetch(address)
      .then((response) => {
        if (!response.ok) throw new Error(String(response.status));
        return response.json();
      })
      .then(
        ({ id, name, km }) => {
          if (!id) {
            line.textContent = "No facility of ours has coordinates.";
            return;
          }
          const link = make("a", "", name);
          link.href = `${holder.dataset.facility}${id}/${past}`;
          line.replaceChildren(`${exact.format(km)} km from our `, link);
        },
        () => (line.textContent = "How far our nearest facility is could not be loaded."),
      );
  }

  const note = () => document.querySelector("[data-map-layer]");

  function clear() {
    loading?.abort();
    if (clusters) map.removeLayer(clusters);
    clusters = shown = null;
    delete holder.dataset.beside;
  }

  function show({ sites, groups, bounds }, zoom) {
    if (clusters) map.removeLayer(clusters);
    shown = { bounds: boxOf(bounds), zoom: groups.length ? zoom : Infinity };
    clusters = L.markerClusterGroup({
      maxClusterRadius: 50,
      showCoverageOnHover: false,
      animate: false,
      clusterPane: PANE,
      iconCreateFunction(cluster) {
        const sum = added(cluster.getAllChildMarkers());
        cluster.options.title = titleOf(sum, "projects of registers");
        return face(sum);
      },
    });
    clusters.addLayers([
      ...sites.map((row) => new Project(row)),
      ...groups.map((row) => new Projects(row)),
    ]);
    clusters.addTo(map);
    holder.dataset.beside = String(sites.length + groups.length);
  }

  function ask() {
    if (!source || (shown && isCovered(shown))) return;
    loading?.abort();
    loading = new AbortController();
    const { signal } = loading;
    const zoom = map.getZoom();
    const address = new URL(source, window.location.href);
    address.searchParams.set("bounds", view().join());
    fetch(address, { signal })
      .then((response) => {
        if (!response.ok) throw new Error(String(response.status));
        return response.json();
      })
      .then(
        (answer) => signal.aborted || show(answer, zoom),
        (error) => {
          if (signal.aborted) return;
          clear();
          const text = `The projects of registers could not be loaded (${error.message}).`;
          note()?.before(make("p", "field-wrong", text));
        },
      );
  }

  map.on("moveend", () => {
    clearTimeout(pause);
    pause = setTimeout(ask, PAUSE_MS);
  });

  /* The address of the data stands under the map while the layer is on. */
  function load() {
    const asked = note()?.dataset.mapLayer ?? null;
    if (asked === source) return;
    source = asked;
    clear();
    if (source) map.whenReady(ask);
  }

  for (const fields of document.querySelectorAll("[data-beside]")) {
    const box = fields.querySelector("[name=beside]");
    const reveal = () => {
      for (const filter of fields.querySelectorAll("[data-beside-filter]")) {
        filter.hidden = !box.checked;
        // So that the address has none of a layer that is off.
        filter.querySelector("select").disabled = !box.checked;
      }
    };
    box.addEventListener("input", reveal);
    reveal();
  }
  load();
  document.addEventListener("htmx:afterSettle", load);
})();
