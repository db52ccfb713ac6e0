// Keeps the open dose page as the board is: asks for its stamp every moment and, when it differs, fetches the page and
// replaces its content, at first without its what-if, which takes longer. Focus, scrolling and what is unfolded stay;
// what changed is said in a polite live region.
(() => {
  "use strict";
  const EVERY_MS = 400, TOLD_AFTER_MS = 2000, PATIENCE_MS = { stamp: 2000, board: 5000, whole: 30000 }, MOST_SAID = 6, MISSED_BEFORE_TOLD = 2;
  const main = document.getElementById("main");
  const news = document.getElementById("news");
  const stale = document.getElementById("stale");
  const board = () => document.getElementById("dose");
  if (!board()) return;
  let seenAt = board().dataset.at, missed = 0, answeredAt = performance.now(), isAsking = false, isFinishing = false;

  const fetched = async (address, patience) => {
    const answer = await fetch(address, { credentials: "same-origin", cache: "no-store", signal: AbortSignal.timeout(patience) });
    if (answer.status === 401) throw new Error("signed out");
    if (!answer.ok) throw new Error("no answer");
    return answer;
  };

  const page = async (isWhole) => {
    const address = new URL(location.href);
    if (!isWhole) address.searchParams.set("what_if", "false");
    const found = new DOMParser().parseFromString(await (await fetched(address, isWhole ? PATIENCE_MS.whole : PATIENCE_MS.board)).text(), "text/html");
    if (!found.getElementById("dose")) throw new Error("no answer");
    return found;
  };

  const said = (root) => new Map([...root.querySelectorAll("#said > li")].map((one) => [one.dataset.key, one.textContent]));

  const tell = (before, after) => {
    const changed = [...after].filter(([key, sentence]) => before.get(key) !== sentence).map(([, sentence]) => sentence);
    for (const [key, sentence] of before) if (!after.has(key)) changed.push(`No longer: ${sentence}`);
    if (!changed.length) return;
    const more = changed.length - MOST_SAID;
    news.textContent = `${seenAt} ${changed.slice(0, MOST_SAID).join(". ")}.${more > 0 ? ` And ${more} more.` : ""}`;
  };

  // Until the what-if is there anew, the page keeps its height and shows what stood before.
  const keepAnswers = (busy) => {
    for (const one of [...main.querySelector("#answers").children]) if (one.id !== "busy") busy.append(one);
  };

  const replaceWith = (found) => {
    const next = found.getElementById("main");
    const before = said(main);
    const focused = main.contains(document.activeElement) ? document.activeElement.id : "";
    const open = [...main.querySelectorAll("details[open]")].map((one) => one.id);
    const scrolled = [...main.querySelectorAll(".scroll")].map((one) => [one.id, one.scrollLeft]);
    const { scrollX, scrollY } = window;
    if ("unfinished" in found.getElementById("dose").dataset) keepAnswers(found.getElementById("answers"));
    main.replaceChildren(...next.childNodes);
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    for (const [id, left] of scrolled) if (left) document.getElementById(id)?.scrollTo(left, 0);
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
    window.scrollTo(scrollX, scrollY);
    tell(before, said(main));
  };

  const fresh = () => {
    missed = 0;
    answeredAt = performance.now();
    stale.hidden = true;
  };

  // What is left of a limit is no longer true: it says as of when it was.
  const date = () => {
    const texts = document.createTreeWalker(main, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      texts.currentNode.data = texts.currentNode.data.replace(/(\d+ d \d+ h|\d+ h \d+ min|\d+ min) left\b/g, `$& as of ${seenAt}`);
    }
  };

  const old = (why) => {
    missed += 1;
    const isShort = missed < MISSED_BEFORE_TOLD || performance.now() - answeredAt < TOLD_AFTER_MS;
    if (isShort && why !== "signed out") return;
    const what = why === "signed out" ? "Your login has ended: reload this page to sign in." : "The house does not answer. Phones may ring; if in doubt call the site and the cell lab.";
    const text = `Not updated since ${seenAt}. ${what}`;
    if (stale.textContent !== text) stale.textContent = text;
    if (stale.hidden) date();
    stale.hidden = false;
    board().dataset.stamp = ""; // The next answer brings the page anew.
  };

  const finish = async () => {
    if (isFinishing) return;
    isFinishing = true;
    try {
      const found = await page(true);
      if (found.getElementById("dose").dataset.stamp === board().dataset.stamp) replaceWith(found);
    } catch {
      // The next question to the house says so.
    } finally {
      isFinishing = false;
    }
  };

  const ask = async () => {
    if (isAsking) return;
    isAsking = true;
    try {
      const { stamp, at } = await (await fetched(board().dataset.ask, PATIENCE_MS.stamp)).json();
      if (stamp !== board().dataset.stamp) {
        const found = await page(false);
        seenAt = found.getElementById("dose").dataset.at;
        replaceWith(found);
      } else {
        seenAt = at;
      }
      fresh();
      if ("unfinished" in board().dataset) finish();
    } catch (problem) {
      old(problem.message);
    } finally {
      isAsking = false;
    }
  };

  setInterval(ask, EVERY_MS);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) ask(); });
})();
