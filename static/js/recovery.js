/* A text of this browser that the server never acknowledged is shown, and never put over a newer one. */

import * as backup from "./backup.js";

const words = (text) => (text.trim() ? text.trim().split(/\s+/).length : 0);

/** Offer the kept text above the form; the server merges it, or keeps it as a second text. */
export async function offer(autosave, place) {
  const entry = await backup.get(autosave.user, autosave.copy).catch(() => undefined);
  if (!entry) return;
  if (JSON.stringify({ ...autosave.fields(), ...entry.fields }) === autosave.acknowledged) {
    await backup.remove(autosave.user, autosave.copy);
    return;
  }
  const box = document.createElement("section");
  box.className = "notice";
  box.setAttribute("aria-label", "A text that was not saved");
  const text = document.createElement("p");
  const saved = new Date(autosave.form.dataset.updated);
  text.textContent = `This browser has a text of ${new Date(entry.at).toLocaleString()} (${words(entry.fields.body_markdown)} words) that was not saved. The working copy is of ${saved.toLocaleString()} (${words(autosave.fields().body_markdown)} words).`;
  const details = document.createElement("details");
  const summary = document.createElement("summary");
  summary.textContent = "Look at the text of this browser";
  const area = document.createElement("textarea");
  area.readOnly = true;
  area.rows = 10;
  area.value = entry.fields.body_markdown;
  area.setAttribute("aria-label", "The text of this browser");
  details.append(summary, area);
  const actions = document.createElement("div");
  actions.className = "actions";
  const close = () => box.remove();
  actions.append(
    button("Merge it into the working copy", async () => {
      const address = await autosave.deliver(entry);
      if (address) location.assign(address);
    }),
    button("Delete it", async () => {
      await backup.remove(autosave.user, autosave.copy);
      close();
    }),
  );
  box.append(text, details, actions);
  place.before(box);
}

function button(label, act) {
  const element = document.createElement("button");
  element.type = "button";
  element.className = "second";
  element.textContent = label;
  element.addEventListener("click", act);
  return element;
}
