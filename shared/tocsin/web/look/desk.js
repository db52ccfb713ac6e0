// The keys of every page, and the numbers beside its links. Every page works without this script.
// Single keys are off in text fields, and can be switched off for good in the list that ? opens (WCAG 2.1.4).
(() => {
  "use strict";
  const base = document.body.dataset.base;
  if (base === undefined) return;
  const COUNT_EVERY_MS = 15000, AFTER_G_MS = 1500;
  const help = document.getElementById("all-keys");
  const isOn = () => { try { return localStorage.getItem("tocsin-keys") !== "off"; } catch { return true; } };
  const rows = () => [...document.querySelectorAll("[data-row]")].filter((one) => one.offsetParent !== null);
  let goUntil = 0;

  const inText = (target) => target.closest("input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]");

  const move = (by) => {
    const all = rows();
    if (!all.length) return;
    const at = all.findIndex((one) => one.contains(document.activeElement));
    const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1)];
    const target = next.matches("a, button, input") ? next : next.querySelector("a, button, input") || next;
    target.focus();
    next.scrollIntoView({ block: "nearest" });
  };

  const click = (key) => {
    const own = document.activeElement?.closest("[data-row]")?.querySelector(`[data-key="${key}"]`);
    const target = own || document.querySelector(`[data-key="${key}"]`);
    if (!target) return false;
    if (target.dataset.ask && !window.confirm(target.dataset.ask)) return true;
    if ("focus" in target.dataset) { target.focus(); return true; }
    if (target.matches("input:not([type=radio], [type=checkbox]), textarea, select")) target.focus(); else target.click();
    return true;
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !isOn() || event.isComposing) return;
    if (event.key === "Escape" && inText(event.target)) { event.target.blur(); return; }
    if (inText(event.target) || help.open) return;
    const key = event.key.length === 1 ? event.key.toUpperCase() : event.key;
    if (performance.now() < goUntil) {
      goUntil = 0;
      const link = document.querySelector(`[data-go="${key}"]`);
      if (link) { event.preventDefault(); link.click(); }
      return;
    }
    if (key === "G") { goUntil = performance.now() + AFTER_G_MS; return; }
    if (key === "J" || key === "K") { event.preventDefault(); move(key === "J" ? 1 : -1); return; }
    if (key === "?") { event.preventDefault(); help.showModal(); return; }
    if (key === "/") { const found = document.querySelector("[data-search]"); if (found) { event.preventDefault(); found.focus(); } return; }
    if (key === "Escape") { const back = document.querySelector("[data-back]"); if (back) back.click(); return; }
    if (key === "Enter" && event.target.closest("a, button, summary, input")) return;
    if (click(key)) event.preventDefault();
  });

  const on = document.getElementById("keys-on");
  on.checked = isOn();
  on.addEventListener("change", () => { try { localStorage.setItem("tocsin-keys", on.checked ? "on" : "off"); } catch { /* not kept */ } });
  help.querySelector("[data-close]").addEventListener("click", () => help.close());
  for (const one of document.querySelectorAll("[data-print]")) one.addEventListener("click", () => window.print());
  for (const one of document.querySelectorAll("[data-open-keys]")) one.addEventListener("click", () => help.showModal());

  // A form that is on its way is not sent twice by an impatient thumb.
  document.addEventListener("submit", (event) => {
    if (event.target.method !== "post") return;
    if (event.target.dataset.sent) event.preventDefault();
    event.target.dataset.sent = "yes";
  });
  window.addEventListener("pageshow", () => { for (const one of document.forms) delete one.dataset.sent; });

  const counted = [...document.querySelectorAll(".nav [data-count]")].filter((one) => one.dataset.count);
  const show = (link, number) => {
    let badge = link.querySelector(".n");
    if (!number) { badge?.remove(); return; }
    if (!badge) { badge = document.createElement("span"); badge.className = "n hot"; link.append(badge); }
    badge.textContent = number;
    badge.setAttribute("aria-label", `${number} ${link.dataset.count}`);
  };
  const count = async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(`${base}/desk/now`, { credentials: "same-origin", cache: "no-store", signal: AbortSignal.timeout(5000) });
      if (!answer.ok) return;
      const now = await answer.json();
      for (const one of counted) show(one, now[one.dataset.count]);
    } catch { /* the page itself says when it is stale */ }
  };
  if (counted.length) { count(); setInterval(count, COUNT_EVERY_MS); }
})();
