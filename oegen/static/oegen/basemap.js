/* The offline map that every map of the site is drawn on: countries from Natural Earth, in the
   colours of the element that holds it (--map-land, --map-line, --map-place). */
"use strict";

window.oegenBasemap = (() => {
  const HOME = { centre: [54.5, -3.5], zoom: 5 };
  const NEAR = 7; // the coast stays in sight
  const SLICE_MS = 12; // of work, before the page has its turn
  const EDGE = 85.0511287798; // degrees: as far as the map's projection goes
  let land = null;

  /* The shapes are worked out once a page, whatever number of maps it has. */
  function loadLand(url) {
    land ??= fetch(url)
      .then((response) => {
        if (!response.ok) throw new Error(`The map could not be loaded (${response.status}).`);
        return response.json();
      })
      .then(shapesOf);
    return land;
  }

  async function shapesOf(topology) {
    const shapes = [];
    let until = performance.now() + SLICE_MS;
    for (const country of topology.objects.countries.geometries) {
      const { geometry } = topojson.feature(topology, country);
      const polygons = geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates;
      shapes.push(...polygons.map(shapeOf));
      if (performance.now() > until) {
        await new Promise((resume) => setTimeout(resume));
        until = performance.now() + SLICE_MS;
      }
    }
    return shapes;
  }

  /* A path over a world that is 1 wide and 1 high, and the box it lies in. */
  function shapeOf(rings) {
    const shape = { path: new Path2D(), left: 2, right: -2, top: 2, bottom: -2 };
    for (const ring of rings) {
      goOnPastTheDateLine(ring);
      ring.forEach(([lng, lat], place) => {
        const x = lng / 360 + 0.5;
        const sine = Math.sin((Math.max(-EDGE, Math.min(EDGE, lat)) * Math.PI) / 180);
        const y = 0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI);
        if (place) shape.path.lineTo(x, y);
        else shape.path.moveTo(x, y);
        shape.left = Math.min(shape.left, x);
        shape.right = Math.max(shape.right, x);
        shape.top = Math.min(shape.top, y);
        shape.bottom = Math.max(shape.bottom, y);
      });
      shape.path.closePath();
    }
    return shape;
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
    longitudes.forEach((lng, place) => {
      ring[place] = [lng, ring[place][1]];
    });
  }

  /* The colours of tokens.css are pairs, for light and for dark: an element shows those in use. */
  function colours(holder) {
    const probe = holder.appendChild(document.createElement("i"));
    Object.assign(probe.style, {
      color: "var(--map-land)",
      outlineColor: "var(--map-line)",
      backgroundColor: "var(--map-place)",
    });
    const { color: land, outlineColor: line, backgroundColor: place } = getComputedStyle(probe);
    probe.remove();
    return { land, line, place };
  }

  /* The land in tiles: a tile paints the shapes that lie in it. Leaflet's own shapes would work out
     every point of the world anew at each zoom. */
  const Land = L.GridLayer.extend({
    initialize(shapes, holder) {
      L.GridLayer.prototype.initialize.call(this, { tileSize: 512 });
      Object.assign(this, { shapes, holder });
    },
    createTile({ x, y, z }) {
      const size = this.getTileSize().x;
      const ratio = window.devicePixelRatio;
      const world = 256 * 2 ** z;
      const tile = document.createElement("canvas");
      tile.width = tile.height = size * ratio;
      const brush = tile.getContext("2d");
      const { land: fill, line } = colours(this.holder);
      Object.assign(brush, { fillStyle: fill, strokeStyle: line, lineWidth: ratio });
      const [top, bottom] = [(y * size) / world, ((y + 1) * size) / world];
      /* What goes on past the date line is also in the world beside. */
      for (const turn of [-1, 0, 1]) {
        const [left, right] = [(x * size) / world - turn, ((x + 1) * size) / world - turn];
        const scale = world * ratio;
        const place = new DOMMatrix([scale, 0, 0, scale, -left * scale, -top * scale]);
        for (const shape of this.shapes) {
          if (shape.right < left || shape.left > right) continue;
          if (shape.bottom < top || shape.top > bottom) continue;
          const placed = new Path2D();
          placed.addPath(shape.path, place);
          brush.fill(placed);
          brush.stroke(placed);
        }
      }
      return tile;
    },
  });

  /* A map with its land; its holder has the class has-land from when it is painted. ``failed`` is
     called with a sentence when the shapes can't be read. */
  function draw(holder, url, failed, options) {
    const map = L.map(holder, {
      preferCanvas: true,
      worldCopyJump: true,
      minZoom: 2,
      maxZoom: 13,
      ...options,
    });
    map.attributionControl.setPrefix(false).addAttribution("Natural Earth");
    loadLand(url).then(
      (shapes) => {
        const layer = new Land(shapes, holder);
        layer.once("load", () => holder.classList.add("has-land"));
        layer.addTo(map);
        document.addEventListener("oegen:theme", () => layer.redraw());
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
