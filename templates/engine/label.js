// label.py: a name is [base, sub, sup, hat] or {top, bottom, negative, factor}

const SUPERSCRIPTS = [..."⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿ"];
const RAISED = Object.fromEntries([..."0123456789+-−=()n"].map((character, k) => [character, SUPERSCRIPTS[k]]));
const ESCAPED = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;" };
const escaped = (text) => text.replace(/[&<>"']/g, (character) => ESCAPED[character]);

function nameText(name) {
  if (!Array.isArray(name)) {
    const before = (name.negative ? "−" : "") + (name.factor ? `${nameText(name.factor)}·` : "");
    return `${before}∂${nameText(name.top)}/∂${nameText(name.bottom)}`;
  }
  const [base, sub = "", sup = "", hat = false] = name;
  const [first, ...others] = base;
  const raised = [...sup].every((character) => character in RAISED);
  return (hat ? (first + "\u0302" + others.join("")).normalize("NFC") : base) + subText([...base].length, sub)
    + (raised ? [...sup].map((character) => RAISED[character]).join("") : `^${sup}`);
}

function subText(length, sub) {
  if (sub.includes(",") || (/^[0-9]+$/.test(sub) && length > 1)) return `[${sub}]`;
  return sub === "" || /^[0-9]/.test(sub) ? sub : `_${sub}`;
}

function nameMathml(name) {
  if (!Array.isArray(name)) {
    const [over, under] = [name.top, name.bottom].map((part) => `<mrow><mo>∂</mo>${nameMathml(part)}</mrow>`);
    const before = (name.negative ? "<mo>−</mo>" : "") + (name.factor ? `${nameMathml(name.factor)}<mo>·</mo>` : "");
    const fraction = `<mfrac>${over}${under}</mfrac>`;
    return before ? `<mrow>${before}${fraction}</mrow>` : fraction;
  }
  const [base, sub = "", sup = "", hat = false] = name;
  const letter = `<mi>${escaped(base)}</mi>`;
  const inside = (hat ? `<mover accent="true">${letter}<mo>^</mo></mover>` : letter) + script(sub) + script(sup);
  const element = { sub: "msub", sup: "msup", subsup: "msubsup" }[(sub && "sub") + (sup && "sup")];
  return element ? `<${element}>${inside}</${element}>` : inside;
}

function script(text) {
  const parts = (text.match(/[\p{L}\p{N}_]+|[^\p{L}\p{N}_\s]/gu) ?? []).map(scriptToken);
  return parts.length > 1 ? `<mrow>${parts.join("")}</mrow>` : parts.join("");
}

function scriptToken(part) {
  const element = /^[0-9]+$/.test(part) ? "mn" : /^[\p{L}_]/u.test(part) ? "mi" : "mo";
  return `<${element}>${escaped(part)}</${element}>`;
}

// names.py: what is called how, from the data. A cell is [matrix, row, column]; of a whole matrix only [matrix].

class Labels {
  constructor({ labels, derivatives, style }) {
    this.labels = labels;
    this.derivatives = derivatives;
    this.style = style;
  }

  /** Which cell a backward one is the derivative of (null: of the loss) and by; null for a forward one. */
  derivative([matrix, row, column]) {
    const found = this.derivatives[matrix];
    if (!found) return null;
    return { ...found, of: found.of ? placed(found.of, row, column) : null, by: placed(found.by, row, column) };
  }

  /** The name of a cell or of a whole matrix. */
  cell(cell, style = this.style) {
    const [matrix, row, column] = cell, known = this.labels[style].names[matrix];
    if (!known) return this.fraction(cell, style);
    return row === undefined ? known[0] : known[1].map((part) => filledIn(part, row, column));
  }

  /** The derivative that a backward cell or matrix is, or null. */
  fraction(cell, style = this.style) {
    const found = this.derivative(cell), { loss, rate, negative, fractions } = this.labels[style];
    if (!found) return null;
    if (cell.length === 1 && fractions[cell[0]]) return fractions[cell[0]];
    if (found.of) return this.quotient(found.of, found.by, style);
    return { top: loss, bottom: this.cell(found.by, style), negative: negative || Boolean(found.minus), factor: found.rate ? rate : null };
  }

  /** ∂of/∂by */
  quotient(of, by, style) {
    return { top: this.cell(of, style), bottom: this.cell(by, style) };
  }
}

/** The cell that a derivative is of or by: of the same place, or at [a, b, c] = a·row + b·column + c. */
function placed(part, row, column) {
  if (typeof part === "string") return row === undefined ? [part] : [part, row, column];
  return row === undefined ? [part[0]] : [part[0], line(part[1], row, column), line(part[2], row, column)];
}

const line = ([a, b, c], row, column) => a * row + b * column + c;

/** A part of a cell's label: a text, or pieces of text and lines. */
function filledIn(part, row, column) {
  if (!Array.isArray(part)) return part;
  return part.map((piece) => typeof piece === "string" ? piece : line(piece, row, column)).join("");
}
