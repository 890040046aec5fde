/* The offline map that every map of the site is drawn on: land and borders from Natural Earth, in
   the colours of the element that holds it (--map-land, --map-line, --map-place). It comes in pieces
   (oegen/core/basemap.py), of which a map loads those in sight, in the detail of its zoom. */
"use strict";

window.oegenBasemap = (() => {
  const HOME = { centre: [54.5, -3.5], zoom: 5 };
  const NEAR = 7; // the coast stays in sight
  const TILE = 512; // pixels; a piece is never smaller
  const loaded = new Map(); // URL -> the promise of its shapes

  function detailOf(zoom) {
    if (zoom < 4) return "110m";
    return zoom < 7 ? "50m" : "10m";
  }

  /* The URLs by the names of the pieces, which are their file names up to the fingerprint. */
  function piecesOf(urls) {
    const named = urls.split(" ").map((url) => [/([^/.]+)[^/]*$/.exec(url)[1], url]);
    return new Map(named);
  }

  /* Where the tile is in the tree of pieces. */
  function pathOf({ x, y, z }) {
    let path = "";
    for (let bit = z - 2; bit >= 0; bit -= 1) path += 2 * ((y >> bit) & 1) + ((x >> bit) & 1);
    return path;
  }

  /* The shapes are worked out once a page, whatever number of maps it has. */
  function load(url) {
    if (!loaded.has(url)) {
      const shapes = fetch(url)
        .then((response) => {
          if (!response.ok) throw new Error(`The map could not be loaded (${response.status}).`);
          return response.json();
        })
        .then(({ width, land, borders }) => ({
          width,
          land: pathThrough(land, true),
          borders: pathThrough(borders, false),
        }));
      loaded.set(url, shapes);
    }
    return loaded.get(url);
  }

  function pathThrough(lines, areClosed) {
    const path = new Path2D();
    for (const steps of lines) {
      let [x, y] = [0, 0];
      for (let place = 0; place < steps.length; place += 2) {
        x += steps[place];
        y += steps[place + 1];
        if (place) path.lineTo(x, y);
        else path.moveTo(x, y);
      }
      if (areClosed) path.closePath();
    }
    return path;
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

  /* The land in tiles: a tile paints the piece that it lies in. Leaflet's own shapes would work out
     every point anew at each zoom. */
  const Land = L.GridLayer.extend({
    initialize(urls, holder) {
      L.GridLayer.prototype.initialize.call(this, { tileSize: TILE });
      Object.assign(this, { pieces: piecesOf(urls), holder });
    },
    createTile(coords, done) {
      const tile = document.createElement("canvas");
      tile.width = tile.height = TILE * window.devicePixelRatio;
      const path = pathOf(coords);
      const detail = detailOf(coords.z);
      for (let depth = 0; depth <= path.length; depth += 1) {
        const url = this.pieces.get(`${detail}-w${path.slice(0, depth)}`);
        if (url) {
          load(url)
            .then((shapes) => this.paint(tile, shapes, coords, path.length - depth))
            .then(() => done(null, tile), done);
          return tile;
        }
      }
      setTimeout(done, 0, null, tile); // nothing but sea
      return tile;
    },
    /* ``depth``: how often the piece would have to be cut to be the tile. */
    paint(tile, { width, land, borders }, { x, y }, depth) {
      const brush = tile.getContext("2d");
      const { land: fill, line } = colours(this.holder);
      const lineWidth = window.devicePixelRatio;
      Object.assign(brush, { fillStyle: fill, strokeStyle: line, lineWidth });
      const across = 2 ** depth; // tiles in the piece
      const scale = (tile.width * across) / width;
      const [left, top] = [(x % across) * tile.width, (y % across) * tile.width];
      const place = new DOMMatrix([scale, 0, 0, scale, -left, -top]);
      const placed = (path) => {
        const there = new Path2D();
        there.addPath(path, place);
        return there;
      };
      const coast = placed(land);
      brush.fill(coast, "evenodd");
      brush.stroke(coast);
      brush.stroke(placed(borders));
    },
  });

  /* A map with its land; its holder has the class has-land from when it is painted. ``failed`` is
     called with a sentence when the shapes can't be read. */
  function draw(holder, urls, failed, options) {
    const map = L.map(holder, {
      preferCanvas: true,
      worldCopyJump: true,
      minZoom: 2,
      maxZoom: 13,
      ...options,
    });
    map.attributionControl.setPrefix(false).addAttribution("Natural Earth");
    const layer = new Land(urls, holder);
    let isWhole = true;
    layer.on("tileerror", ({ error }) => {
      if (isWhole) failed(error.message);
      isWhole = false;
    });
    layer.once("load", () => holder.classList.toggle("has-land", isWhole));
    layer.addTo(map);
    document.addEventListener("oegen:theme", () => layer.redraw());
    return map;
  }

  function styleOfPlace(holder) {
    const { place } = colours(holder);
    return { color: place, fillColor: place, fillOpacity: 0.4, weight: 3 };
  }

  return { HOME, NEAR, draw, styleOfPlace };
})();
