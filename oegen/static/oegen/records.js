/* Comforts of a record's page; each works without this file too. */
(() => {
  "use strict";

  /* The stable identifier, to quote elsewhere. The clipboard is there on secure pages only. */
  if (navigator.clipboard) {
    document.querySelectorAll("[data-copy]").forEach((button) => {
      const words = button.textContent;
      button.hidden = false;
      button.addEventListener("click", () => {
        const text = document.getElementById(button.dataset.copy).textContent;
        navigator.clipboard.writeText(text).then(
          () => (button.textContent = "Copied"),
          () => (button.textContent = "Select it to copy"),
        );
        setTimeout(() => (button.textContent = words), 3000);
      });
    });
  }

  /* A comment's form takes the comment's place. A failure or the sign-in page is shown as a page. */
  document.addEventListener("htmx:beforeSwap", (event) => {
    const asked = new URL(event.detail.pathInfo.requestPath, window.location.href);
    const answer = new URL(event.detail.xhr.responseURL, window.location.href);
    if (event.detail.xhr.status === 200 && answer.pathname === asked.pathname) return;
    event.detail.shouldSwap = false;
    window.location.assign(asked);
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    const link = event.target.querySelector(".comment-actions a");
    if (link) link.focus();
  });

  /* Where the facilities are: a marker each, which opens its record. */
  function labelOf(place) {
    const label = document.createElement("span");
    label.textContent = place.size ? `${place.name}, ${place.size}` : place.name;
    return label;
  }

  function styleOf(place, holder) {
    const style = oegenBasemap.styleOfPlace(holder);
    return place.is_hollow ? { ...style, fillOpacity: 0, dashArray: "4 3" } : style;
  }

  document.querySelectorAll("[data-places]").forEach((holder) => {
    const places = JSON.parse(document.getElementById(holder.dataset.places).textContent);
    const map = oegenBasemap.draw(
      holder,
      holder.dataset.basemap,
      (sentence) => holder.insertAdjacentText("beforebegin", sentence),
      { scrollWheelZoom: false },
    );
    const markers = places.map((place) => {
      const marker = L.circleMarker([place.latitude, place.longitude], {
        radius: 8,
        ...styleOf(place, holder),
      });
      if (place.url) marker.on("click", () => window.location.assign(place.url));
      return marker.bindTooltip(labelOf(place)).addTo(map);
    });
    const bounds = L.latLngBounds(markers.map((marker) => marker.getLatLng()));
    const nearest = Number(holder.dataset.nearest ?? oegenBasemap.NEAR);
    map.fitBounds(bounds, { maxZoom: nearest, padding: [24, 24] });
    document.addEventListener("oegen:theme", () => {
      for (const [number, marker] of markers.entries()) {
        marker.setStyle(styleOf(places[number], holder));
      }
    });
  });
})();
