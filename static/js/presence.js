/* Who else has this working copy open. A hidden tab with unsaved changes goes on telling. */

const EVERY = 30000;

export function announce(autosave, place) {
  const address = autosave.form.dataset.presence;
  const send = (body, options = {}) => fetch(address, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRF-Token": autosave.form.elements.csrf.value },
    body: JSON.stringify({ tab: autosave.tab, ...body }),
    ...options,
  });

  async function tell() {
    if (autosave.ended || (document.hidden && !autosave.unsaved)) return;
    try {
      const response = await send({ unsaved: autosave.unsaved });
      if (response.ok) show(await response.json());
    } catch { /* the save itself says that there is no connection */ }
  }

  function show({ others }) {
    const names = [...new Set(others.map((other) => other.name))];
    const unsaved = others.filter((other) => other.unsaved).map((other) => other.name);
    place.hidden = !names.length;
    const has = names.length === 1 ? "has" : "have";
    const more = unsaved.length ? ` ${[...new Set(unsaved)].join(", ")}: not saved yet.` : "";
    const text = names.length ? `${names.join(", ")} ${has} this open too.${more}` : "";
    if (place.textContent.trim() !== text) place.textContent = text;
  }

  setInterval(tell, EVERY);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) tell(); });
  window.addEventListener("pagehide", () => {
    const body = autosave.unsaved ? { unsaved: true } : { closed: true };
    send(body, { keepalive: true }).catch(() => {});
  });
  tell();
}
