/* Edit a textarea so that the browser's undo still works: only `insertText` keeps it. */

/** Replace the characters from start to end; the smallest part that differs is written. */
export function replaceRange(area, start, end, text) {
  const old = area.value.slice(start, end);
  let head = 0;
  while (head < Math.min(old.length, text.length) && old[head] === text[head]) head += 1;
  let tail = 0;
  const most = Math.min(old.length, text.length) - head;
  while (tail < most && old[old.length - 1 - tail] === text[text.length - 1 - tail]) tail += 1;
  insert(area, start + head, end - tail, text.slice(head, text.length - tail));
}

function insert(area, start, end, text) {
  if (start === end && !text) return;
  area.focus();
  area.setSelectionRange(start, end);
  const done = text
    ? document.execCommand("insertText", false, text)
    : document.execCommand("delete", false);
  if (!done) {
    area.setRangeText(text, start, end, "end");
    area.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

/** Put another text into the field, as a merge has made it; the caret stays where it was. */
export function adoptText(area, text) {
  if (area.value === text) return;
  const focused = document.activeElement;
  const { selectionStart, selectionEnd, scrollTop, value } = area;
  replaceRange(area, 0, value.length, text);
  area.setSelectionRange(
    moveCaret(value, text, selectionStart),
    moveCaret(value, text, selectionEnd),
  );
  area.scrollTop = scrollTop;
  if (focused !== area) focused?.focus();
}

/** Where a caret is after a text was replaced by another one: after the same beginning or end. */
export function moveCaret(old, text, place) {
  let head = 0;
  while (head < Math.min(old.length, text.length) && old[head] === text[head]) head += 1;
  return place <= head ? place : Math.max(head, place + text.length - old.length);
}

/** The lines that the selection touches: their start, their end and their text. */
export function selectedLines(area) {
  const start = area.value.lastIndexOf("\n", area.selectionStart - 1) + 1;
  const last = area.selectionEnd > area.selectionStart && area.value[area.selectionEnd - 1] === "\n"
    ? area.selectionEnd - 1
    : area.selectionEnd;
  const next = area.value.indexOf("\n", last);
  const end = next < 0 ? area.value.length : next;
  return { start, end, text: area.value.slice(start, end) };
}

/** Put marks around the selection, or take them off. */
export function toggleMarks(area, mark) {
  const { selectionStart: start, selectionEnd: end, value } = area;
  const size = mark.length;
  const inner = value.slice(start, end);
  if (value.slice(start - size, start) === mark && value.slice(end, end + size) === mark) {
    replaceRange(area, start - size, end + size, inner);
    area.setSelectionRange(start - size, end - size);
  } else {
    replaceRange(area, start, end, mark + inner + mark);
    area.setSelectionRange(start + size, end + size);
  }
}

/** Put a prefix before each selected line, or take it off; `number` counts the lines. */
export function togglePrefix(area, prefix, pattern) {
  const lines = selectedLines(area);
  const all = lines.text.split("\n");
  const has = all.every((line) => pattern.test(line) || !line.trim());
  const changed = all.map((line, index) => {
    if (!line.trim() && all.length > 1) return line;
    const bare = line.replace(pattern, "");
    return has && line.trim() ? bare : prefix(index) + bare;
  }).join("\n");
  replaceRange(area, lines.start, lines.end, changed);
  area.setSelectionRange(lines.start, lines.start + changed.length);
}

/** Make a link of the selection; the caret stands where the address goes. */
export function makeLink(area) {
  const { selectionStart: start, selectionEnd: end, value } = area;
  const words = value.slice(start, end);
  const isAddress = /^https?:\/\/\S+$/.test(words);
  replaceRange(area, start, end, isAddress ? `[](${words})` : `[${words}](https://)`);
  if (isAddress) area.setSelectionRange(start + 1, start + 1);
  else area.setSelectionRange(start + words.length + 3, start + words.length + 11);
}
