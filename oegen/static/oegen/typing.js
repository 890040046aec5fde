/* What is asked of the server while somebody types: once they pause, and only the newest answer
   counts. */
(() => {
  "use strict";
  const WAIT_MS = 150;

  /* A function that calls ``act`` when it was not called again for a moment. */
  function later(act, wait = WAIT_MS) {
    let timer = 0;
    return (...what) => {
      clearTimeout(timer);
      timer = setTimeout(() => act(...what), wait);
    };
  }

  /* A function that asks an address with some parameters, and gives up what it asked before. Its
     answer, by the method ``read`` of a response, is undefined if it was given up itself, and null
     if it failed or was the sign-in page. */
  function asker(read) {
    let running = new AbortController();
    return async (place, parameters) => {
      running.abort();
      running = new AbortController();
      const { signal } = running;
      const address = new URL(place, window.location.href);
      for (const [name, value] of parameters) address.searchParams.append(name, value);
      try {
        const response = await fetch(address, { signal });
        return response.ok && !response.redirected ? await response[read]() : null;
      } catch {
        return signal.aborted ? undefined : null;
      }
    };
  }

  window.oegenTyping = { asker, later, WAIT_MS };
})();
