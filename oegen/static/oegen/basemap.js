/* The offline map that every map of the site is drawn on: countries from Natural Earth, in the
   colours of the element that holds it (--map-land, --map-line, --map-place). */
"use strict";

window.oegenBasemap = (function () {
  const HOME = { centre: [54.5, -3.5], zoom: 5 };
  const NEAR = 7; // the coast stays in sight
  let land = null;

  /* The shapes are read once a page, whatever number of maps it has. */
  function loadLand(url) {
    land ??= fetch(url)
      .then((response) => {
        if (!response.ok) throw new Error(`The map could not be loaded (${response.status}).`);
        return response.json();
      })
      .then((topology) => topojson.feature(topology, topology.objects.countries))
      .then((shapes) => {
        for (const { geometry } of shapes.features) {
          const polygons = geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates;
          polygons.forEach((rings) => rings.forEach(goOnPastTheDateLine));
        }
        return shapes;
      });
    return land;
  }

  /* Chukotka and Fiji jump from 180° east to 180° west, which would draw a band round the world.
     Antarctica goes all the way round and stays as it is. */
  function goOnPastTheDateLine(ring) {
    let turns = 0;
    const longitudes = ring.map(([lng], place) => {
      if (place) {
        const step = lng - ring[place - 1][0];
        if (step > 180) turns -= 1;
        if (step < -180) turns += 1;
      }
      return lng + 360 * turns;
    });
    if (turns !== 0) return;
    longitudes.forEach((lng, place) => (ring[place] = [lng, ring[place][1]]));
  }

  function colours(holder) {
    const style = getComputedStyle(holder);
    const read = (name) => style.getPropertyValue(name).trim();
    return { land: read("--map-land"), line: read("--map-line"), place: read("--map-place") };
  }

  /* A map with its land. ``failed`` is called with a sentence when the shapes can't be read. */
  function draw(holder, url, failed, options) {
    const map = L.map(holder, {
      preferCanvas: true,
      worldCopyJump: true,
      minZoom: 2,
      maxZoom: 13,
      ...options,
    });
    map.attributionControl.setPrefix(false).addAttribution("Natural Earth");
    const look = () => {
      const { land: fillColor, line: color } = colours(holder);
      return { color, fillColor, fillOpacity: 1, weight: 1 };
    };
    loadLand(url).then(
      (shapes) => {
        const layer = L.geoJSON(shapes, { interactive: false, style: look }).addTo(map);
        layer.bringToBack();
        document.addEventListener("oegen:theme", () => layer.setStyle(look()).bringToBack());
      },
      (error) => failed(error.message),
    );
    return map;
  }

  function styleOfPlace(holder) {
    const { place } = colours(holder);
    return { color: place, fillColor: place, fillOpacity: 0.4, weight: 3 };
  }

  return { HOME, NEAR, draw, styleOfPlace };
})();
