/* The editor: it adds to a form that works without it. */

import { Autosave } from "./autosave.js";
import * as backup from "./backup.js";
import * as keys from "./keys.js";
import * as paste from "./paste.js";
import { announce } from "./presence.js";
import { Preview } from "./preview.js";
import * as recovery from "./recovery.js";
import * as toolbar from "./toolbar.js";

const WORDS_A_MINUTE = 230;

const form = document.getElementById("editor");
if (form) start(form);

function start(form) {
  const area = form.elements.body_markdown;
  const state = document.getElementById("save-state");
  const autosave = new Autosave(form, (name, sentence, action) => report(state, name, sentence, action));
  toolbar.show(document.getElementById("toolbar"), area);
  const publish = form.querySelector('button[value="publish"]');
  keys.listen(area, { save: () => autosave.save(), publish: publish && (() => publish.click()) });
  paste.listen(area, { files: takesFiles(form) ? (files) => offerFiles(form, files) : null });
  countWords(area, document.getElementById("words"));
  for (const plain of form.querySelectorAll("[data-plain]")) plain.hidden = true;
  new Preview(document.getElementById("preview"), document.getElementById("toggle-preview"), autosave, area);
  announce(autosave, document.getElementById("others"));
  recovery.offer(autosave, form);
  form.addEventListener("submit", (event) => submit(event, form, autosave));
  form.elements.title.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    area.focus();
  });
  for (const other of document.querySelectorAll('form[action$="/logout"]')) other.addEventListener("submit", (event) => logOut(event, other, autosave));
  for (const other of document.querySelectorAll(".beside form")) other.addEventListener("submit", (event) => saveFirst(event, other, autosave));
}

function report(state, name, sentence, action) {
  state.dataset.state = name;
  state.textContent = sentence;
  if (!action) return;
  const element = document.createElement(action.href ? "a" : "button");
  element.textContent = action.text;
  if (action.href) Object.assign(element, { href: action.href, target: action.blank ? "_blank" : "" });
  else Object.assign(element, { type: "button", className: "quiet", onclick: action.act });
  state.append(element);
}

/* Buttons of the form save by script first, so that nothing typed since is lost on the way. */
async function submit(event, form, autosave) {
  const button = event.submitter;
  if (button?.dataset.save === undefined && button?.value !== "publish") return;
  event.preventDefault();
  const saved = await autosave.save();
  if (saved && button.value === "publish") location.assign(`${form.getAttribute("action")}/publish`);
}

async function saveFirst(event, other, autosave) {
  if (!autosave.unsaved || other.action.endsWith("/discard")) return;
  event.preventDefault();
  if (await autosave.save()) other.submit();
}

async function logOut(event, other, autosave) {
  event.preventDefault();
  const saved = await autosave.save();
  if (!saved && !confirm("Your last changes are not saved. Log out and delete them from this browser?")) return;
  await backup.clear(autosave.user).catch(() => {});
  other.submit();
}

function countWords(area, place) {
  const count = () => {
    const words = area.value.trim() ? area.value.trim().split(/\s+/).length : 0;
    place.textContent = `${words} ${words === 1 ? "word" : "words"}, ${Math.max(1, Math.ceil(words / WORDS_A_MINUTE))} min`;
  };
  area.addEventListener("input", count);
  count();
}

/* The upload of files is a module of its own: it listens for this event and inserts the images. */
function takesFiles(form) { return "upload" in form.dataset; }

function offerFiles(form, files) {
  form.dispatchEvent(new CustomEvent("studio:files", { detail: { files }, bubbles: true }));
}
