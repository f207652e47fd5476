/* Images by button, paste and drop: uploaded one after the other, then inserted as Markdown. */

import { replaceRange } from "./text.js";

const MOST_ATTEMPTS = 10;

function makeButton(text, act, className = "quiet") {
  const button = document.createElement("button");
  Object.assign(button, { type: "button", textContent: text, className, onclick: act });
  return button;
}

class Uploads {
  constructor(form) {
    Object.assign(this, { form, area: form.elements.body_markdown, queue: [], stored: [], running: false });
    const input = document.getElementById("image-files"), button = makeButton("Image", () => input.click(), "");
    button.tabIndex = -1;
    document.getElementById("toolbar").append(button);
    input.addEventListener("change", () => { this.add(input.files); input.value = ""; });
    form.addEventListener("studio:files", (event) => this.add(event.detail.files));
    for (const name of ["dragover", "drop"]) this.area.addEventListener(name, (event) => {
      if (!event.dataTransfer.types.includes("Files")) return;
      event.preventDefault();
      this.add(event.dataTransfer.files); // there are none before the drop
    });
  }

  add(files) {
    for (const file of files) this.queue.push({ file, row: this.addRow(file) });
    if (!this.running) this.run();
  }

  async run() {
    this.running = true;
    const { value } = this.area;
    while (this.queue.length) {
      const { file, row } = this.queue.shift();
      const problem = await this.upload(file, row.firstChild);
      if (problem) this.show(row, file, problem);
      else row.remove();
    }
    this.running = false;
    if (this.stored.length) insert(this.area, this.stored.splice(0), this.area.value === value);
  }

  addRow(file) {
    const row = document.createElement("p"), progress = document.createElement("progress");
    progress.value = 0;
    progress.ariaLabel = `Upload of ${file.name}`;
    row.append(progress);
    document.getElementById("uploads").append(row);
    return row;
  }

  /** Upload a file; resolves to a sentence if it is not stored. */
  async upload(file, progress) {
    for (let attempt = 1; ; attempt += 1) {
      const request = await this.send(file, progress), { status, response } = request;
      if (status === 201) {
        this.stored.push(...response.images);
        return "";
      }
      if (status !== 503 || attempt === MOST_ATTEMPTS) return explain(status, response ?? {});
      const seconds = Number(request.getResponseHeader("Retry-After")) || 2;
      await new Promise((resolve) => { setTimeout(resolve, seconds * 1000); });
    }
  }

  /* Only this interface of browsers reports the progress of an upload over HTTP/1.1. */
  send(file, progress) {
    const request = new XMLHttpRequest(), data = new FormData();
    data.append("files", file);
    request.open("POST", this.form.dataset.upload);
    request.responseType = "json";
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-CSRF-Token", this.form.elements.csrf.value);
    request.upload.onprogress = (event) => { progress.value = event.loaded / event.total; };
    // From here on the server makes the smaller copies; how long that takes is not known.
    request.upload.onload = () => progress.removeAttribute("value");
    return new Promise((resolve) => {
      request.onloadend = () => resolve(request);
      request.send(data);
    });
  }

  show(row, file, problem) {
    const again = makeButton("Try again", () => { row.remove(); this.add([file]); });
    row.className = "problem";
    row.replaceChildren(`${file.name} was not uploaded. ${problem} `, again, makeButton("Close", () => row.remove()));
  }
}

function explain(status, body) {
  if (!status) return "There is no connection.";
  if (status === 413) return "An image may have at most 20 MiB. Scale it down.";
  return body.refused?.[0].message ?? body.message ?? `The server answered ${status}.`;
}

/* Inside a line, images are part of it; elsewhere they are paragraphs of their own. */
function insert(area, images, isUnchanged) {
  const { selectionEnd: at, value } = area;
  const before = value.slice(0, at), after = value.slice(at);
  const isInside = /.$/.test(before) && /^./.test(after);
  const gap = (text, line) => (isInside || !text ? "" : "\n".repeat(2 - line.length));
  const head = gap(before, /\n{0,2}$/.exec(before)[0]), tail = gap(after, /^\n{0,2}/.exec(after)[0]);
  replaceRange(area, at, at, head + images.map((image) => image.markdown).join(isInside ? " " : "\n\n") + tail);
  if (!isUnchanged) return; // somebody is typing: the words must not replace the alternative text
  const start = at + head.length + 2;
  area.setSelectionRange(start, start + images[0].markdown.indexOf("](") - 2);
}

const editor = document.getElementById("editor");
if (editor) new Uploads(editor);
