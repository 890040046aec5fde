/* Following a notice marks it as read; without this file its button does. */
(() => {
  "use strict";
  function markRead(event) {
    const form = event.target.closest("[data-notice]")?.closest("li").querySelector("form");
    if (!form || event.button > 1) return;
    /* Should it fail, the notice stays unread, which is seen the next time. */
    fetch(form.action, { method: "POST", body: new FormData(form), keepalive: true }).catch(
      () => {},
    );
  }
  document.addEventListener("click", markRead);
  document.addEventListener("auxclick", markRead);
})();
