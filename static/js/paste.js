/* Pasted HTML becomes Markdown: headings, emphasis, links, lists, tables, code, images. */

import { replaceRange } from "./text.js";

const BLOCKS = /^(?:P|DIV|SECTION|ARTICLE|MAIN|HEADER|FOOTER|ASIDE|FIGURE|FIGCAPTION|DL|DT|DD|ADDRESS)$/;
const IGNORED = /^(?:STYLE|SCRIPT|META|LINK|TITLE|TEMPLATE|NOSCRIPT|HEAD|SVG|IFRAME|OBJECT)$/i;

const escapeText = (text) => text.replace(/([\\`*_[\]<])/g, "\\$1").replace(/\s+/g, " ");

function inline(node) {
  if (node.nodeType === Node.TEXT_NODE) return escapeText(node.data);
  if (node.nodeType !== Node.ELEMENT_NODE || IGNORED.test(node.tagName)) return "";
  const inner = () => [...node.childNodes].map(inline).join("");
  switch (node.tagName) {
    case "BR": return "  \n";
    case "B": case "STRONG": return wrap(inner(), "data-plain" in node.attributes ? "" : "**");
    case "I": case "EM": return wrap(inner(), "*");
    case "S": case "DEL": return wrap(inner(), "~~");
    case "CODE": case "KBD": case "SAMP": return code(node.textContent);
    case "A": return link(node, inner());
    case "IMG": return image(node);
    default: return inner();
  }
}

function wrap(text, mark) {
  const bare = text.trim();
  if (!bare || !mark) return text;
  return text.replace(bare, () => mark + bare + mark);
}

function code(text) {
  const ticks = "`".repeat(Math.max(0, ...(text.match(/`+/g) ?? []).map((t) => t.length)) + 1);
  const space = text.startsWith("`") || text.endsWith("`") ? " " : "";
  return text.trim() ? ticks + space + text + space + ticks : "";
}

function address(url) {
  if (!/^(?:https?:|mailto:|\/)/i.test(url)) return "";
  return /[\s()<>]/.test(url) ? `<${url.replace(/[<>\s]/g, encodeURIComponent)}>` : url;
}

function link(node, text) {
  const url = address(node.getAttribute("href") ?? "");
  if (!url || !text.trim()) return text;
  return text.trim() === url ? `<${url}>` : `[${text.trim()}](${url})`;
}

function image(node) {
  const url = address(node.getAttribute("src") ?? "");
  return url ? `![${escapeText(node.getAttribute("alt") ?? "")}](${url})` : "";
}

function block(node, indent = "") {
  if (node.nodeType === Node.TEXT_NODE) return node.data.trim() ? escapeText(node.data) : "";
  if (node.nodeType !== Node.ELEMENT_NODE || IGNORED.test(node.tagName)) return "";
  switch (node.tagName) {
    case "H1": case "H2": case "H3": case "H4": case "H5": case "H6":
      return paragraph(`${"#".repeat(Math.max(2, Number(node.tagName[1])))} ${line(node)}`);
    case "UL": case "OL": return paragraph(list(node, indent));
    case "BLOCKQUOTE": return paragraph(blocks(node).trim().replace(/^/gm, "> ").replace(/^> $/gm, ">"));
    case "PRE": return paragraph(fence(node));
    case "TABLE": return paragraph(table(node));
    case "HR": return paragraph("---");
    default:
      if (BLOCKS.test(node.tagName) || hasBlock(node)) return hasBlock(node) ? blocks(node, indent) : paragraph(inline(node).trim());
      return inline(node);
  }
}

const paragraph = (text) => (text.trim() ? `\n\n${text}\n\n` : "");
const line = (node) => [...node.childNodes].map(inline).join("").replace(/\s+/g, " ").trim();
const hasBlock = (node) => node.querySelector("p,div,h1,h2,h3,h4,h5,h6,ul,ol,blockquote,pre,table,hr") !== null;
const blocks = (node, indent) => [...node.childNodes].map((child) => block(child, indent)).join("");

function fence(node) {
  const text = node.textContent.replace(/\n$/, "");
  const ticks = "`".repeat(Math.max(2, ...(text.match(/`+/g) ?? []).map((t) => t.length)) + 1);
  const language = /(?:language|lang|highlight)-([\w+#-]+)/.exec(`${node.className} ${node.firstElementChild?.className ?? ""}`);
  return `${ticks}${language ? language[1] : ""}\n${text}\n${ticks}`;
}

function list(node, indent) {
  const first = Number(node.getAttribute("start") ?? 1);
  return [...node.children].filter((item) => item.tagName === "LI").map((item, index) => {
    const marker = node.tagName === "OL" ? `${first + index}. ` : "- ";
    const inner = blocks(item, "").replace(/\n{2,}/g, hasLoose(item) ? "\n\n" : "\n").trim();
    return indent + marker + inner.replace(/\n(?=.)/g, `\n${indent}${" ".repeat(marker.length)}`);
  }).join("\n");
}

const hasLoose = (item) => item.querySelectorAll(":scope > p").length > 1;

function table(node) {
  const rows = [...node.rows].map((row) => [...row.cells].map((cell) => line(cell).replace(/\|/g, "\\|")));
  if (!rows.length) return "";
  const width = Math.max(...rows.map((row) => row.length));
  if (width === 1) return rows.map((row) => row[0]).join("\n\n");
  const print = (row) => `| ${Array.from({ length: width }, (_, n) => row[n] ?? "").join(" | ")} |`;
  return [print(rows[0]), `|${" --- |".repeat(width)}`, ...rows.slice(1).map(print)].join("\n");
}

/* Google Docs wraps everything in a bold element that is not bold. Attributes with styles and
   handlers are taken off before parsing: they would be violations of the security policy. */
function withoutStyles(html) {
  return html.replace(/<[a-z][^>]*>/gi, (tag) => {
    const plain = /^<b\b[^>]*font-weight:\s*(?:normal|400)/i.test(tag) ? " data-plain" : "";
    return tag.replace(/\s(?:on\w+|style)\s*=\s*(?:"[^"]*"|'[^']*'|[^\s>]+)/gi, "").replace(/^<b\b/i, (start) => start + plain);
  });
}

/** The Markdown of a piece of HTML. It is parsed without running scripts or loading images. */
export function toMarkdown(html) {
  const body = new DOMParser().parseFromString(withoutStyles(html), "text/html").body;
  return blocks(body).replace(/[ \t]+\n(?!\n)/g, (end) => (end.startsWith("  ") ? "  \n" : "\n"))
    .replace(/\n{3,}/g, "\n\n").trim();
}

/** Rows with tabs between their cells, as spreadsheets copy them, as a Markdown table. */
export function tabsToTable(text) {
  const rows = text.replace(/\n$/, "").split("\n").map((row) => row.split("\t"));
  if (rows.length < 2 || rows[0].length < 2 || rows.some((row) => row.length !== rows[0].length)) return "";
  const print = (row) => `| ${row.map((cell) => cell.trim().replace(/\|/g, "\\|")).join(" | ")} |`;
  return [print(rows[0]), `|${" --- |".repeat(rows[0].length)}`, ...rows.slice(1).map(print)].join("\n");
}

/** Convert what is pasted into the text; with Shift the browser pastes plain text itself. */
export function listen(area, { files }) {
  let plain = false;
  area.addEventListener("keydown", (event) => { plain = event.shiftKey; });
  area.addEventListener("paste", (event) => {
    const data = event.clipboardData;
    if (data.files.length && files) {
      event.preventDefault();
      files([...data.files]);
      return;
    }
    const text = data.getData("text/plain").replace(/\r\n?/g, "\n");
    const { selectionStart: start, selectionEnd: end, value } = area;
    const words = value.slice(start, end);
    let made = "";
    if (/^https?:\/\/\S+$/.test(text.trim()) && words && !/[\n\]]/.test(words)) made = `[${words}](${text.trim()})`;
    else if (!plain) {
      const html = data.getData("text/html");
      made = (html && /<(?:p|h\d|ul|ol|table|a|b|strong|i|em|pre|code|blockquote|img)[\s>]/i.test(html) && toMarkdown(html)) || tabsToTable(text);
    }
    if (!made || made === text) return;
    event.preventDefault();
    replaceRange(area, start, end, made);
  });
}
