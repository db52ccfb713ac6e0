// Keeps what is typed: a draft is saved a few seconds after a change. The form works without this script.
(() => {
  "use strict";
  const AFTER_MS = 3000, PATIENCE_MS = 10000, AGAIN_MS = 15000;
  const form = document.getElementById("report");
  if (!form) return;
  const status = document.getElementById("saved");
  let waits = 0, isSaving = false, isChanged = false, isLeaving = false, hasStopped = false;

  const say = (text) => { status.textContent = text; };
  const later = (ms) => { clearTimeout(waits); waits = setTimeout(save, ms); };

  const save = async () => {
    if (isSaving || isLeaving || hasStopped || !isChanged) return;
    isSaving = true;
    isChanged = false;
    const sent = new URLSearchParams(new FormData(form));
    sent.set("do", "autosave");
    try {
      const answer = await fetch(form.dataset.autosave, {
        method: "POST", body: sent, credentials: "same-origin", headers: { accept: "application/json" },
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      if (isLeaving) return;
      if (answer.ok) {
        const said = await answer.json();
        if (said.version) {
          form.elements.version.value = said.version;
          history.replaceState(history.state, "", form.dataset.at);
          say(form.dataset.saved.replace("{at}", said.at));
        }
      } else if (answer.status === 409) {
        hasStopped = true;
        say(form.dataset.overtaken);
      } else {
        isChanged = true;
        say(answer.status === 401 || answer.status === 403 ? form.dataset.out : form.dataset.unsaved);
        later(AGAIN_MS);
      }
    } catch {
      isChanged = true;
      if (!isLeaving) { say(form.dataset.unsaved); later(AGAIN_MS); }
    } finally {
      isSaving = false;
      if (isChanged && !isLeaving && !hasStopped) later(AFTER_MS);
    }
  };

  const changed = () => { isChanged = true; later(AFTER_MS); };
  form.addEventListener("input", changed);
  form.addEventListener("change", changed);
  form.addEventListener("submit", () => { isLeaving = true; clearTimeout(waits); });
  window.addEventListener("pageshow", () => { isLeaving = false; });
  // Whoever puts the phone away has typed for good.
  document.addEventListener("visibilitychange", () => { if (document.hidden) { clearTimeout(waits); save(); } });
})();
