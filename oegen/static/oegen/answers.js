/* Forms that scripts send, and what is said when the server did not take them. */
(() => {
  "use strict";

  const SIGNED_OUT =
    "You were signed out. Nothing was saved: load the page again and sign in; what you typed is kept.";

  /* Raises an Error with a sentence for people if the answer is the sign-in page. */
  async function ask(address, options) {
    const answer = await fetch(address, options);
    if (answer.redirected) throw new Error(SIGNED_OUT);
    return answer;
  }

  function send(form, address, body) {
    const token = form.querySelector("[name=csrfmiddlewaretoken]").value;
    return ask(address, { method: "POST", body, headers: { "X-CSRFToken": token } });
  }

  function problem(status) {
    if (status === 403) return "You may not change pipelines, or you were signed out.";
    if (status === 503) return "The database is busy. Nothing was saved; try again in a moment.";
    if (status === 404) return "This pipeline was removed. Load the page again.";
    return `The server could not do it (${status}). Nothing was saved; try again in a moment.`;
  }

  /* What an exception of ``work`` says to people. */
  function sentence(error) {
    return error instanceof TypeError
      ? "The server can't be reached. Nothing was saved."
      : error.message;
  }

  /* A function that runs one piece of work at a time. What fails is said in the dialog's form while
     that is open, else by ``say``. */
  function attempts(dialog, fields, say) {
    let busy = false;
    return async (work) => {
      if (busy) return;
      busy = true;
      try {
        await work();
      } catch (error) {
        if (dialog.open) warn(fields, sentence(error));
        else say(sentence(error));
      } finally {
        busy = false;
      }
    };
  }

  function warn(fields, text) {
    fields.querySelector(".answer-failed")?.remove();
    const box = document.createElement("div");
    box.className = "alert alert-danger answer-failed";
    box.setAttribute("role", "alert");
    box.textContent = text;
    fields.prepend(box);
  }

  /* A button that offers an undo; ``data`` goes into its dataset. */
  function undoButton(data) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "btn btn-sm", textContent: "Undo" });
    Object.assign(button.dataset, data);
    return button;
  }

  window.oegenAnswers = { ask, attempts, problem, send, undoButton };
})();
