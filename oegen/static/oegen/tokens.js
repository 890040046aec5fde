/* A token's last day and "Until a day" go together; the form works without this file too. */
(() => {
  "use strict";
  const day = document.getElementById("token_last_day");
  const choices = document.querySelectorAll("[name=lifetime]");

  day.addEventListener("input", () => {
    for (const one of choices) one.checked = one.value === "day";
  });
  for (const one of choices) {
    one.addEventListener("change", () => {
      if (one.value !== "day") day.value = "";
    });
  }
})();
