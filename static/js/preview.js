/* The preview beside the text: the public page in a frame, whose main part is replaced. */

const PAUSE = 500, VISIBLE_FROM = 120;

export class Preview {
  constructor(place, toggle, autosave, area) {
    Object.assign(this, { place, toggle, autosave, area, frame: null, shown: null });
    this.problem = place.querySelector("#preview-problem");
    this.address = autosave.form.dataset.preview;
    toggle.hidden = false;
    toggle.addEventListener("click", () => this.flip());
    autosave.form.addEventListener("input", () => this.changed());
    area.addEventListener("scroll", () => this.follow(), { passive: true });
    area.addEventListener("keyup", () => this.follow());
    window.addEventListener("scroll", () => this.follow(), { passive: true });
  }

  get isOpen() { return !this.place.hidden; }

  flip() {
    this.place.hidden = this.isOpen;
    this.toggle.setAttribute("aria-pressed", String(this.isOpen));
    if (!this.isOpen) return;
    if (!this.frame) this.load();
    else this.refresh();
  }

  load() {
    this.frame = document.createElement("iframe");
    this.frame.title = "Preview";
    this.frame.setAttribute("sandbox", "allow-same-origin");
    this.frame.addEventListener("load", () => this.loaded());
    this.frame.src = this.address;
    this.place.append(this.frame);
  }

  get page() { return this.frame?.contentDocument ?? null; }

  loaded() {
    // No script runs in the frame: the parent opens its links, in a tab of their own.
    this.page?.addEventListener("click", (event) => {
      const link = event.target.closest?.("a[href]");
      if (!link) return;
      const target = new URL(link.href);
      const isHere = target.pathname === this.page.location.pathname && target.hash;
      event.preventDefault();
      if (isHere) this.page.getElementById(decodeURIComponent(target.hash.slice(1)))?.scrollIntoView();
      else window.open(target.href, "_blank", "noopener");
    });
    this.refresh();
  }

  changed() {
    clearTimeout(this.timer);
    if (this.isOpen) this.timer = setTimeout(() => this.refresh(), PAUSE);
  }

  async refresh() {
    const fields = JSON.stringify(this.autosave.fields());
    if (!this.page || fields === this.shown) return;
    this.controller?.abort();
    this.controller = new AbortController();
    try {
      const response = await fetch(this.address, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-CSRF-Token": this.autosave.form.elements.csrf.value },
        body: fields,
        signal: this.controller.signal,
      });
      const text = await response.text();
      if (!response.ok) return this.report(JSON.parse(text).message ?? "The preview can’t be shown.");
      const next = new DOMParser().parseFromString(text, "text/html");
      const main = this.page.adoptNode(next.querySelector("main"));
      this.page.querySelector("main").replaceWith(main);
      this.page.title = next.title;
      this.shown = fields;
      this.report("");
    } catch (error) {
      if (error.name !== "AbortError") this.report("The preview can’t be loaded now.");
    }
  }

  report(sentence) {
    this.problem.textContent = sentence;
    this.problem.hidden = !sentence;
  }

  /** Show the part of the page that belongs to the lines at the top of the text's window. */
  follow() {
    if (!this.isOpen || !this.page) return;
    const before = this.area.value.slice(0, this.topOffset());
    const heading = (before.match(/^#{1,6}\s/gm) ?? []).length;
    const headings = [...this.page.querySelectorAll(".prose :is(h2,h3,h4,h5,h6)")];
    const start = heading ? headings[heading - 1] : this.page.querySelector(".prose");
    const end = headings[heading];
    if (!start) return;
    const begin = before.search(/^#{1,6}\s(?![\s\S]*^#{1,6}\s)/m);
    const from = Math.max(0, begin);
    const next = this.area.value.slice(before.length).search(/^#{1,6}\s/m);
    const to = next < 0 ? this.area.value.length : before.length + next;
    const share = to > from ? (before.length - from) / (to - from) : 0;
    const view = this.page.defaultView;
    const top = start.getBoundingClientRect().top + view.scrollY;
    const bottom = end ? end.getBoundingClientRect().top + view.scrollY : this.page.documentElement.scrollHeight;
    view.scrollTo({ top: top + share * (bottom - top) - 40 });
  }

  topOffset() {
    const { value, scrollTop, scrollHeight, clientHeight } = this.area;
    const box = this.area.getBoundingClientRect();
    const hidden = scrollHeight > clientHeight + 4 ? scrollTop / scrollHeight : (VISIBLE_FROM - box.top) / box.height;
    return Math.round(Math.min(1, Math.max(0, hidden)) * value.length);
  }
}
