/* Save the form while it is written: one request at a time, each on the version of the last one. */

import * as backup from "./backup.js";
import { adoptText } from "./text.js";

const KEEP_AFTER = 300, SAVE_AFTER = 1500, SAVE_AT_LATEST = 10000;
const MOST_WAIT = 60000, KEEPALIVE = 60000;
const NAMES = ["title", "slug", "summary", "body_markdown", "language", "authors", "topics", "cover_id", "cover_alt", "menu_position"];

/** Two changes of one text: what was typed since `sent` put into `merged`; null if they overlap. */
export function carryOver(sent, merged, current) {
  if (current === sent) return merged;
  if (merged === sent) return current;
  const mine = difference(sent, current), theirs = difference(sent, merged);
  if (mine.start === theirs.start && mine.end === theirs.end && mine.start === mine.end) return null;
  if (mine.end <= theirs.start) return current.slice(0, mine.start + mine.text.length) + merged.slice(mine.end);
  if (mine.start >= theirs.end) {
    const shift = merged.length - sent.length;
    return merged.slice(0, mine.start + shift) + mine.text + merged.slice(mine.end + shift);
  }
  return null;
}

function difference(old, text) {
  const most = Math.min(old.length, text.length);
  let start = 0;
  while (start < most && old[start] === text[start]) start += 1;
  let tail = 0;
  while (tail < most - start && old[old.length - 1 - tail] === text[text.length - 1 - tail]) tail += 1;
  return { start, end: old.length - tail, text: text.slice(start, text.length - tail) };
}

export class Autosave {
  constructor(form, report) {
    this.form = form;
    this.report = report;
    this.user = form.dataset.user;
    this.copy = form.dataset.copy;
    this.acknowledged = JSON.stringify(this.fields());
    this.flight = null;
    this.failures = 0;
    this.expired = false;
    this.ended = false;
    this.timers = {};
    form.addEventListener("input", () => this.changed());
    form.addEventListener("change", () => this.changed());
    window.addEventListener("online", () => this.save());
    window.addEventListener("pagehide", () => this.leave());
  }

  get version() { return Number(this.form.elements.version.value); }

  set version(value) {
    for (const field of document.querySelectorAll('input[name="version"]')) field.value = value;
  }

  get tab() { return this.form.elements.tab.value; }

  get unsaved() { return JSON.stringify(this.fields()) !== this.acknowledged; }

  fields() {
    const fields = {};
    for (const name of NAMES) if (this.form.elements[name]) fields[name] = this.form.elements[name].value;
    return fields;
  }

  changed() {
    const typed = JSON.stringify(this.fields());
    // Leaving a field is a change event, too: a message with a button must not vanish under a click.
    if (typed === this.acknowledged || typed === this.typed) return;
    this.typed = typed;
    if (this.ended) return void this.keep();
    this.report("unsaved", "Not saved yet");
    clearTimeout(this.timers.keep);
    this.timers.keep = setTimeout(() => this.keep(), KEEP_AFTER);
    this.schedule(SAVE_AFTER);
  }

  schedule(delay) {
    clearTimeout(this.timers.save);
    const latest = this.timers.since ?? (this.timers.since = Date.now());
    const wait = Math.max(0, Math.min(delay, latest + SAVE_AT_LATEST - Date.now()));
    this.timers.save = setTimeout(() => this.save(), delay > SAVE_AFTER ? delay : wait);
  }

  keep() {
    const entry = { fields: this.fields(), version: this.version, at: Date.now() };
    return backup.put(this.user, this.copy, entry).catch(() => {});
  }

  /** Save now; resolves to whether the server has everything that stands in the form. */
  async save() {
    if (this.flight) {
      await this.flight;
      return this.unsaved ? this.save() : true;
    }
    clearTimeout(this.timers.save);
    this.timers.since = null;
    if (!this.unsaved || this.ended) return !this.unsaved;
    this.flight = this.send(this.fields(), this.version);
    const saved = await this.flight;
    this.flight = null;
    if (saved && this.unsaved) this.schedule(SAVE_AFTER);
    return saved && !this.unsaved;
  }

  /** Send a text that was kept before the tab was closed; resolves to where both texts are. */
  async deliver(entry) {
    if (this.unsaved && !(await this.save())) return "";
    const body = { ...entry.fields, version: entry.version, tab: `${this.tab}-kept` };
    const response = await this.request(body).catch(() => null);
    if (!response || (!response.ok && response.status !== 409)) return "";
    this.ended = true;
    await backup.remove(this.user, this.copy);
    return (await response.json()).compare ?? location.pathname;
  }

  async send(fields, version) {
    this.report("saving", "Saving …");
    let response;
    try {
      if (this.expired) await this.renewToken();
      response = await this.request({ ...fields, version, tab: this.tab });
    } catch {
      return this.failed("Not saved: no connection. Your text is kept in this browser.");
    }
    return this.answer(response, fields);
  }

  request(body, options = {}) {
    return fetch(this.form.action, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRF-Token": this.form.elements.csrf.value },
      body: JSON.stringify(body),
      ...options,
    });
  }

  async answer(response, fields) {
    const body = await response.json().catch(() => ({}));
    switch (response.status) {
      case 200: return this.adopt(body, fields);
      case 409: return this.conflict(body, fields);
      case 410: return this.gone(body);
      case 401: case 403:
        this.expired = true;
        return this.failed("Not saved: your session has ended. ", { href: "/studio/login", text: "Log in in another tab", blank: true });
      case 413: case 422:
        this.report("failed", `Not saved: ${body.message ?? "the text is too large."}`);
        return false;
      default: return this.failed("Not saved: the server can’t answer now. Your text is kept in this browser.");
    }
  }

  adopt(body, sent) {
    this.failures = 0;
    this.expired = false;
    if (body.fields) {
      const merged = this.merge(sent, body.fields);
      if (!merged) {
        this.report("unsaved", "Another editor changed these words too.");
        this.acknowledged = "";
        return true;
      }
      this.version = body.version;
      this.acknowledged = JSON.stringify({ ...sent, ...this.clean(body.fields) });
      this.fill(merged);
      this.report("saved", "Saved, together with the changes of another editor");
    } else {
      this.version = body.version;
      this.acknowledged = JSON.stringify(sent);
      this.report("saved", `Saved at ${new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}`);
    }
    if (!this.unsaved) backup.remove(this.user, this.copy).catch(() => {});
    this.onversion?.();
    return true;
  }

  clean(fields) {
    const clean = {};
    for (const name of NAMES) if (this.form.elements[name]) clean[name] = fields[name] === null || fields[name] === undefined ? "" : String(fields[name]);
    return clean;
  }

  merge(sent, theirs) {
    const current = this.fields(), merged = this.clean(theirs);
    for (const name of Object.keys(current)) {
      const value = carryOver(sent[name], merged[name], current[name]);
      if (value === null) return null;
      merged[name] = value;
    }
    return merged;
  }

  fill(fields) {
    for (const [name, value] of Object.entries(fields)) {
      const field = this.form.elements[name];
      if (!field || field.value === value) continue;
      if (field.tagName === "SELECT" || document.activeElement !== field && name !== "body_markdown") field.value = value;
      else adoptText(field, value);
    }
  }

  conflict(body, sent) {
    this.failures = 0;
    this.acknowledged = JSON.stringify(sent);
    backup.remove(this.user, this.copy).catch(() => {});
    this.report("failed", "Another editor changed the same words. Your text is kept beside theirs. ", { href: body.compare, text: "Compare the texts" });
    return true;
  }

  gone(body) {
    this.ended = true;
    this.keep();
    const action = body.edit ? { act: () => this.reopen(body.edit), text: "Open the post again with this text" } : null;
    this.report("failed", "This working copy was published or discarded in another window. Your text is kept in this browser. ", action);
    return false;
  }

  async reopen(url) {
    const response = await fetch(url, { method: "POST", headers: { "X-CSRF-Token": this.form.elements.csrf.value } });
    const copy = /\/copies\/(\d+)/.exec(response.url)?.[1];
    if (!copy) return;
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const version = Number(page.querySelector('#editor input[name="version"]')?.value ?? 1);
    await backup.put(this.user, copy, { fields: this.fields(), version, at: Date.now() });
    await backup.remove(this.user, this.copy);
    location.assign(response.url);
  }

  failed(sentence, action) {
    this.failures += 1;
    this.keep();
    this.report("failed", sentence, action);
    this.schedule(Math.min(MOST_WAIT, 2000 * 2 ** (this.failures - 1)));
    return false;
  }

  async renewToken() {
    const response = await fetch(location.pathname, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const token = page.querySelector('#editor input[name="csrf"]')?.value;
    if (token) for (const field of document.querySelectorAll('input[name="csrf"]')) field.value = token;
  }

  /** The tab is closed or hidden: what fits into a request that outlives it is sent. */
  leave() {
    if (!this.unsaved || this.ended) return;
    this.keep();
    const body = { ...this.fields(), version: this.version, tab: this.tab };
    if (!this.flight && new Blob([JSON.stringify(body)]).size < KEEPALIVE) this.request(body, { keepalive: true }).catch(() => {});
  }
}
