/* Shortcuts, and lists that continue. Nothing happens while an input method composes a word. */

import { makeLink, replaceRange, toggleMarks } from "./text.js";

const ITEM = /^(\s*)((?:[-*+]|(\d{1,9})([.)]))\s+(?:\[[ xX]\]\s+)?|>\s?)/;

const SHORTCUTS = {
  b: (area) => toggleMarks(area, "**"),
  i: (area) => toggleMarks(area, "*"),
  k: (area) => makeLink(area),
};

/** What the next line of a list begins with; null where there is no list, "" after an empty item. */
export function nextItem(line) {
  const match = ITEM.exec(line);
  if (!match) return null;
  if (!line.slice(match[0].length).trim()) return "";
  const [, indent, marker, number, dot] = match;
  if (number) return `${indent}${Number(number) + 1}${marker.slice(number.length, number.length + 1)}${marker.slice(number.length + dot.length).replace(/\[[xX]\]/, "[ ]")}`;
  return indent + marker.replace(/\[[xX]\]/, "[ ]");
}

function continueList(area, event) {
  const { selectionStart: start, selectionEnd: end, value } = area;
  if (start !== end) return;
  const begin = value.lastIndexOf("\n", start - 1) + 1;
  const item = nextItem(value.slice(begin, start));
  if (item === null) return;
  event.preventDefault();
  if (item) replaceRange(area, start, start, `\n${item}`);
  else replaceRange(area, begin, start, "");
}

/** Listen for the shortcuts of the text, and for those of the page. */
export function listen(area, { save, publish }) {
  area.addEventListener("keydown", (event) => {
    if (event.isComposing || event.altKey) return;
    const shortcut = (event.ctrlKey || event.metaKey) && !event.shiftKey && SHORTCUTS[event.key.toLowerCase()];
    if (shortcut) {
      event.preventDefault();
      shortcut(area);
    } else if (event.key === "Enter" && !event.shiftKey && !event.ctrlKey && !event.metaKey) {
      continueList(area, event);
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.altKey || !(event.ctrlKey || event.metaKey)) return;
    if (event.key.toLowerCase() === "s" && !event.shiftKey) {
      event.preventDefault();
      save();
    } else if (event.key === "Enter" && publish) {
      event.preventDefault();
      publish();
    }
  });
}
