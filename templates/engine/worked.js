// worked.py: letters, numbers, each term's value, result

const NOISE = 1e-12, MOST_TERMS = 12, KEPT_FIRST = 3, KEPT_LAST = 1;
const noCell = (matrix) => { throw new TypeError(`a cell of ${matrix} has no number yet`); };
const isNumber = (node) => typeof node === "number" || kindOf(node) === "value" || kindOf(node) === "omitted"
  || (kindOf(node) === "negative" && isNumber(node[1][0]));

/** One cell worked out; `valueOf(cell)` gives the number that is put in, `decimals` are those of the result. */
function work(expression, valueOf, decimals) {
  const cell = (matrix, row, column) => valueOf(matrix, row, column)[2];
  let shown = chosen(expression, "shown");
  if (!Number.isFinite(number(shown, cell))) shown = chosen(expression, "computed");
  const letters = cut(shown, cell);
  return { letters, ...reckoned(putIn(letters, valueOf), number(expression, cell), decimals) };
}

/** The stages from the numbers to a result, and whether the shown digits give the shown result. */
function reckoned(numbers, value, decimals) {
  const stages = [numbers];
  for (let stage = reduce(numbers, decimals); !isNumber(stage); stage = reduce(stage, decimals)) stages.push(stage);
  const result = ["value", [], value, decimals];
  return { stages, result, exact: stages.every((stage) => holds(stage, value, decimals)) };
}

function holds(stage, value, decimals) {
  const off = roundHalfAway(number(asShown(stage), noCell), decimals) - roundHalfAway(value, decimals);
  return Math.abs(off) < 0.5 * 10 ** -decimals;
}

/** The expression with one form of every "stable" in its place. */
function chosen(node, form) {
  if (kindOf(node) === "stable") return chosen(node[1][FORMS.indexOf(form)], form);
  return rebuilt(node, inside(node).map((part) => chosen(part, form)));
}

/** Every fold written out, the middle of a long sum or maximum left out. */
function cut(node, cell) {
  const kind = kindOf(node);
  if (kind === "fold") {
    const terms = withoutMiddle(count(node), (k) => term(node, k), node[2], cell).map((each) => cut(each, cell));
    return terms.length === 1 ? terms[0] : [node[2] === "sum" ? "sum" : "maximum", terms];
  }
  const parts = inside(node).map((part) => cut(part, cell));
  if (kind !== "sum") return rebuilt(node, parts);
  const flat = parts.flatMap(termsOf);
  // a bias or two beside a sum of the most terms does not make it too long
  return sum(flat.length <= MOST_TERMS + 2 ? flat : withoutMiddle(flat.length, (k) => flat[k], "sum", cell));
}

function withoutMiddle(count, term, operation, cell) {
  if (count <= MOST_TERMS) return range(count).map(term);
  const left = count - KEPT_FIRST - KEPT_LAST, middle = (k) => term(KEPT_FIRST + k);
  const omitted = range(left).map(middle).reduce((sum, each) => sum + (kindOf(each) === "omitted" ? each[2] : 1), 0);
  const value = (operation === "sum" ? added : largest)(left, (k) => number(middle(k), cell));
  return [...range(KEPT_FIRST).map(term), ["omitted", [], omitted, value],
    ...range(KEPT_LAST).map((k) => term(count - KEPT_LAST + k))];
}

function putIn(node, valueOf) {
  if (kindOf(node) === "cell") return valueOf(node[2], node[3], node[4]);
  return rebuilt(node, inside(node).map((part) => putIn(part, valueOf)));
}

/** The arithmetic with every number rounded to the digits that are shown. */
function asShown(node) {
  if (kindOf(node) === "value") return node[3] === null ? node : ["round", [node], node[3]];
  return rebuilt(node, inside(node).map(asShown));
}

/** Whatever holds only numbers becomes its value; the rest waits for the next stage. */
function reduce(node, decimals) {
  if (isNumber(node)) return node;
  const kind = kindOf(node), parts = inside(node);
  if (kind === "where" && isNumber(parts[0]) && isNumber(parts[1]))
    return number(["where", [parts[0], parts[1], 1, 0], node[2]], noCell) ? parts[2] : parts[3];
  if (kind === "round") decimals = node[2] + 2; // enough to see which way it goes
  if (!parts.every(isNumber)) return rebuilt(node, parts.map((part) => reduce(part, decimals)));
  const value = number(node, noCell);
  if (kind === "sum") { // it has no more decimals than its terms
    decimals = Math.max(...parts.map(decimalsOf));
    const most = Math.max(...parts.map((part) => Math.abs(number(part, noCell))));
    // what float64 left where the terms cancel: it has no digits to show
    if (Math.abs(value) <= NOISE * most) return ["value", [], value, decimals];
  }
  return ["value", [], value, enough(value, decimals)];
}

function decimalsOf(node) {
  if (kindOf(node) === "negative") return decimalsOf(node[1][0]);
  if (kindOf(node) === "value") return node[3] ?? typedDecimals(node[2]);
  return typeof node === "number" ? typedDecimals(node) : 0;
}

/** At least three digits of a small number, so that a term does not read 0.000. */
function enough(value, decimals) {
  if (value === 0 || !Number.isFinite(value)) return decimals;
  return Math.min(Math.max(decimals, 2 - Math.floor(Math.log10(Math.abs(value)))), 15);
}
