/* The toolbar: one tab stop, arrow keys between the buttons. */

import { makeLink, replaceRange, toggleMarks, togglePrefix } from "./text.js";

const TOOLS = [
  ["B", "Bold (Ctrl+B)", (area) => toggleMarks(area, "**")],
  ["I", "Italic (Ctrl+I)", (area) => toggleMarks(area, "*")],
  ["Link", "Link (Ctrl+K)", (area) => makeLink(area)],
  ["H2", "Heading", (area) => togglePrefix(area, () => "## ", /^#{1,6}\s+/)],
  ["“”", "Quotation", (area) => togglePrefix(area, () => "> ", /^>\s?/)],
  ["•", "List", (area) => togglePrefix(area, () => "- ", /^\s*[-*+]\s+/)],
  ["1.", "Numbered list", (area) => togglePrefix(area, (n) => `${n + 1}. `, /^\s*\d+[.)]\s+/)],
  ["</>", "Code", (area) => toggleCode(area)],
];

function toggleCode(area) {
  const { selectionStart: start, selectionEnd: end, value } = area;
  const words = value.slice(start, end);
  if (!words.includes("\n")) toggleMarks(area, "`");
  else replaceRange(area, start, end, `\`\`\`\n${words.replace(/\n?$/, "\n")}\`\`\``);
}

/** Fill the toolbar and show it. */
export function show(bar, area) {
  const buttons = TOOLS.map(([label, title, act]) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = label;
    button.title = title;
    button.setAttribute("aria-label", title);
    button.tabIndex = -1;
    button.addEventListener("click", () => act(area));
    return button;
  });
  bar.append(...buttons);
  buttons[0].tabIndex = 0;
  bar.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const rtl = getComputedStyle(bar).direction === "rtl";
    const buttons = [...bar.children]; // other modules may have added some
    const place = buttons.indexOf(document.activeElement);
    if (!step || place < 0) return;
    event.preventDefault();
    const next = (place + (rtl ? -step : step) + buttons.length) % buttons.length;
    buttons.forEach((button, index) => { button.tabIndex = index === next ? 0 : -1; });
    buttons[next].focus();
  });
  bar.hidden = false;
}
