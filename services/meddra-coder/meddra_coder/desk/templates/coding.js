// The keys of the coding page beside those of every page. It works without this script.
(() => {
  "use strict";
  const steps = { j: document.querySelector("[data-next]"), k: document.querySelector("[data-previous]") };
  let before = "";
  // The common keys have taken J and K where single keys are on, and only there; after G a letter names a page.
  document.addEventListener("keydown", (event) => {
    const key = event.key.toLowerCase();
    if (event.defaultPrevented && steps[key] && before !== "g") steps[key].click();
    before = key;
  });

  // What opens by its key is written in at once.
  for (const one of document.querySelectorAll(".foot-acts details")) {
    one.addEventListener("toggle", () => { if (one.open) one.querySelector("textarea, input:not([type=hidden])")?.focus(); });
  }

  // The button says which term it accepts.
  const says = document.querySelector("[data-says]");
  if (!says) return;
  const say = () => {
    const picked = document.querySelector("[name=llt_code]:checked");
    if (picked) says.textContent = `Accept ${picked.dataset.key ? `${picked.dataset.key}: ` : ""}${picked.dataset.term}`;
  };
  for (const one of document.querySelectorAll("[name=llt_code]")) one.addEventListener("change", say);
  window.addEventListener("pageshow", say);
  say();
})();
