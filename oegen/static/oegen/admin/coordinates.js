/* Beside every pair of latitude and longitude boxes: a small map to click the place on.
   Typing moves the marker; clicking fills the boxes. */
(() => {
  "use strict";
  const DECIMALS = 5; // about a metre
  function read(pair) {
    const [lat, lng] = [pair.latitude, pair.longitude].map((box) =>
      box.value.trim() === "" ? NaN : Number(box.value),
    );
    const possible = Math.abs(lat) <= 90 && Math.abs(lng) <= 180;
    return possible ? L.latLng(lat, lng) : null;
  }

  function write(pair, place) {
    const wrapped = place.wrap();
    pair.latitude.value = wrapped.lat.toFixed(DECIMALS);
    pair.longitude.value = wrapped.lng.toFixed(DECIMALS);
    for (const box of [pair.latitude, pair.longitude]) {
      box.dispatchEvent(new Event("input", { bubbles: true }));
      box.dispatchEvent(new Event("change", { bubbles: true }));
    }
  }

  function draw(pair, holder) {
    const { HOME, NEAR } = oegenBasemap;
    const map = oegenBasemap.draw(
      holder,
      document.getElementById("basemap").dataset.urls,
      (sentence) => {
        holder.insertAdjacentText("beforebegin", `${sentence} Type the coordinates instead.`);
      },
    );
    const marker = L.circleMarker([0, 0], { radius: 8, className: "place" });
    marker.setStyle(oegenBasemap.styleOfPlace(holder));
    const place = read(pair);
    map.setView(place ?? HOME.centre, place ? NEAR : HOME.zoom);

    const show = () => {
      const typed = read(pair);
      if (typed) {
        marker.setLatLng(typed).addTo(map);
        if (!map.getBounds().contains(typed)) map.setView(typed, NEAR);
      } else {
        marker.remove();
      }
    };
    map.on("click", (event) => write(pair, event.latlng));
    pair.latitude.addEventListener("input", show);
    pair.longitude.addEventListener("input", show);
    show();
  }

  function equip(latitude) {
    const longitude = document.getElementById(latitude.id.replace(/latitude$/, "longitude"));
    if (!longitude || latitude.dataset.map || latitude.name.includes("__prefix__")) return;
    latitude.dataset.map = "yes";
    const pair = { latitude, longitude };
    const row = longitude.closest(".form-row");
    const holder = document.createElement("div");
    holder.className = "map surface place-map";
    holder.hidden = true;
    holder.setAttribute("role", "application");
    holder.setAttribute("aria-label", "Map: click the place of the facility");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button place-button";
    button.textContent = "Pick on the map";
    button.setAttribute("aria-expanded", "false");
    row.append(button, holder);
    const toggle = () => {
      holder.hidden = !holder.hidden;
      button.textContent = holder.hidden ? "Pick on the map" : "Hide the map";
      button.setAttribute("aria-expanded", String(!holder.hidden));
      if (!holder.hidden && !holder.dataset.drawn) {
        holder.dataset.drawn = "yes";
        draw(pair, holder);
      }
    };
    button.addEventListener("click", toggle);
    if (latitude.closest("fieldset.coordinates")) toggle();
  }

  function equipAll(root) {
    root.querySelectorAll("input[name$=latitude]").forEach(equip);
  }

  document.addEventListener("DOMContentLoaded", () => equipAll(document));
  document.addEventListener("formset:added", (event) => equipAll(event.target));
})();
