// Keeps the open board as it is: the stream says when it changed, and then the page is fetched and its content replaced.
// Focus, scrolling and what is unfolded stay. A new alarm is announced once; a clock is not announced every minute.
// After two beats that did not come the page says since when it is stale, and every time on it says as of when it was.
(() => {
  "use strict";
  const MISSED_MS = 9000, LOOK_EVERY_MS = 1000, PATIENCE_MS = 8000;
  const main = document.getElementById("main");
  const root = () => document.getElementById("board");
  if (!root() || !window.EventSource) return;
  const stale = document.getElementById("stale"), news = document.getElementById("news");
  let heardAt = performance.now(), seenAt = root().dataset.at, isFetching = false, isWanted = false, isTold = false;

  const alarms = (from) => new Map([...from.querySelectorAll("[data-alarm]")].map((one) => [one.dataset.alarm, one.getAttribute("aria-label")]));

  const replaceWith = (found) => {
    const before = alarms(main);
    const active = main.contains(document.activeElement) ? document.activeElement : null;
    const focused = active && (active.id ? `#${CSS.escape(active.id)}` : active.getAttribute("href") ? `a[href="${CSS.escape(active.getAttribute("href"))}"]` : "");
    const open = [...main.querySelectorAll("details[open]")].map((one) => one.id);
    const scrolled = [...main.querySelectorAll(".scroll")].map((one) => [one.id, one.scrollLeft]);
    const { scrollX, scrollY } = window;
    const cards = [...(document.getElementById("dose-cards")?.childNodes ?? [])];
    main.replaceChildren(...found.getElementById("main").childNodes);
    document.getElementById("dose-cards")?.replaceChildren(...cards); // as they were, until they are read anew
    document.getElementById("health").replaceWith(found.getElementById("health"));
    document.title = found.title;
    const clock = found.querySelector(".now time");
    if (clock) document.querySelector(".now time")?.replaceWith(clock);
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    for (const [id, left] of scrolled) if (left) document.getElementById(id)?.scrollTo(left, 0);
    if (focused) main.querySelector(focused)?.focus({ preventScroll: true });
    window.scrollTo(scrollX, scrollY);
    const added = [...alarms(main)].filter(([id]) => !before.has(id)).map(([, said]) => said);
    if (added.length) news.textContent = `New: ${added.join(". ")}.`;
    coding();
    doses();
  };

  const refresh = async () => {
    isWanted = true;
    if (isFetching) return;
    isFetching = true;
    try {
      while (isWanted) {
        isWanted = false;
        const answer = await fetch(location.href, { credentials: "same-origin", cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
        if (answer.status === 401) { say("Your login has ended: reload this page to sign in."); return; }
        if (!answer.ok) return;
        const found = new DOMParser().parseFromString(await answer.text(), "text/html");
        if (!found.getElementById("board")) return;
        replaceWith(found);
        seenAt = root().dataset.at;
        heard();
      }
    } catch {
      heardAt -= MISSED_MS; // It changed, and what it is now could not be read.
      isWanted = false;
    } finally {
      isFetching = false;
    }
  };

  const heard = () => {
    heardAt = performance.now();
    if (!isTold) return;
    isTold = false;
    stale.textContent = "";
    stale.hidden = true;
  };

  // What is left of a limit is no longer true: it says as of when it was.
  const date = () => {
    for (const one of main.querySelectorAll(".clock .left, .rail span, .meta")) {
      if (!one.dataset.dated) { one.append(` · as of ${seenAt}`); one.dataset.dated = "yes"; }
    }
  };

  const say = (what) => {
    const text = `This page stopped updating at ${seenAt}. ${what}`;
    if (stale.textContent !== text) stale.textContent = text;
    stale.hidden = false;
    isTold = true;
    root().dataset.stamp = ""; // The next word brings the page anew.
    date();
  };

  const source = new EventSource(root().dataset.stream);
  const told = (event) => {
    const { stamp } = JSON.parse(event.data);
    if (stamp !== root().dataset.stamp || isTold) refresh(); else heard();
  };
  source.addEventListener("board", told);
  source.addEventListener("beat", told);
  setInterval(() => {
    if (performance.now() - heardAt > MISSED_MS) say("Alarms after that are not shown here. Phones may ring; if in doubt call the site and whoever is on call.");
  }, LOOK_EVERY_MS);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });

  // The coder knows its own queue.
  const coding = async () => {
    const panel = document.getElementById("coding-counts");
    if (!panel) return;
    try {
      const answer = await fetch(panel.dataset.ask, { credentials: "same-origin", cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
      if (!answer.ok) throw new Error("no answer");
      const now = await answer.json();
      for (const [name, value] of Object.entries(now)) { const slot = panel.querySelector(`[data-slot="${name}"]`); if (slot) slot.textContent = value; }
      panel.hidden = false;
    } catch {
      panel.hidden = true;
    }
  };
  // The doses take longer to work out than the alarms may wait.
  const doses = async () => {
    const panel = document.getElementById("dose-cards");
    if (!panel) return;
    try {
      const answer = await fetch(panel.dataset.ask, { credentials: "same-origin", cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
      const found = new DOMParser().parseFromString(answer.ok ? await answer.text() : "", "text/html").getElementById("dose-cards");
      if (!found) throw new Error("no answer");
      panel.replaceChildren(...found.childNodes);
    } catch {
      panel.textContent = "The doses could not be read. Alarms and clocks stand. Open the dose board, or reload this page.";
    }
  };
  coding();
  doses();
})();
