// scalar.py: what one cell is made of; evaluate.py: its value

const MOST_PLAIN = 50; // terms; a longer sum carries its rounding error along
const FORMS = ["shown", "computed"];
const RELATIONS = { ">": (a, b) => a > b, ">=": (a, b) => a >= b, "=": (a, b) => a === b };
const isLeaf = (node) => typeof node !== "object";
const kindOf = (node) => isLeaf(node) ? typeof node : node[0];
const inside = (node) => isLeaf(node) ? [] : node[1];
const rebuilt = (node, parts) => isLeaf(node) || !parts.length ? node : [node[0], parts, ...node.slice(2)];
const sum = (terms) => ["sum", terms];

/** Variables that `values` names are filled, but for those that a fold binds. */
function substituted(node, values) {
  if (typeof node === "string") return values[node] ?? node;
  if (kindOf(node) === "fold") {
    const bound = node[3].map(([name]) => name);
    values = Object.fromEntries(Object.entries(values).filter(([name]) => !bound.includes(name)));
  }
  return rebuilt(node, inside(node).map((part) => substituted(part, values)));
}

/** The opposite, written as one would by hand: −(a − y) is y − a. */
function negative(node) {
  if (typeof node === "number") return -node;
  const parts = inside(node), last = parts[parts.length - 1];
  if (kindOf(node) === "negative") return last;
  if (kindOf(node) === "sum") return sum([...parts].reverse().map(negative));
  if (kindOf(node) === "product" && kindOf(last) === "sum") return ["product", [...parts.slice(0, -1), negative(last)]];
  return ["negative", [node]];
}

// A block is [matrix, row, column, rows, columns, transposed]; rows and columns count before the transposition.
const readShape = ([, , , rows, columns, transposed]) => transposed ? [columns, rows] : [rows, columns];
const turned = (block) => [...block.slice(0, 5), !block[5]];

function place([matrix, row, column, , , transposed], down, right) {
  return transposed ? [matrix, row + right, column + down] : [matrix, row + down, column + right];
}

function part(block, row, column, rows, columns) {
  const size = block[5] ? [columns, rows] : [rows, columns];
  return [...place(block, row, column), ...size, block[5]];
}

function count(fold) {
  const [rows, columns] = readShape(fold[3][0][1]);
  return rows * columns;
}

/** The cell of a block that the k-th term of a fold takes. */
const placeOf = (block, k) => place(block, Math.floor(k / readShape(block)[1]), k % readShape(block)[1]);

function term(fold, k) {
  const cells = fold[3].map(([name, block]) => {
    const [matrix, row, column] = placeOf(block, k);
    return [name, ["cell", [], matrix, row, column]];
  });
  return substituted(fold[1][0], Object.fromEntries(cells));
}

const range = (count) => Array.from({ length: count }, (_, k) => k);
const expanded = (fold) => [fold[2] === "sum" ? "sum" : "maximum", range(count(fold)).map((k) => term(fold, k))];

/** The value of a cell's expression; `cell(matrix, row, column)` gives numbers, `filled` those of variables. */
const number = (node, cell, filled) => reader(node)(cell, filled);

/** The expression as a function that is quick to call again and again. */
function reader(node) {
  if (typeof node === "number") return () => node;
  if (typeof node === "string") return (cell, filled) => filled[node];
  const [kind, parts, first, second, third] = node, inner = parts.map(reader), [a, b, c, d] = inner;
  switch (kind) {
    case "cell": return (cell) => cell(first, second, third);
    case "value": return () => first;
    case "omitted": return () => second;
    case "negative": return (cell, filled) => -a(cell, filled);
    case "sum": return (cell, filled) => added(inner.length, (k) => inner[k](cell, filled));
    case "product": return (cell, filled) => inner.reduce((product, each) => product * each(cell, filled), 1);
    case "quotient": return (cell, filled) => a(cell, filled) / b(cell, filled);
    case "power": return (cell, filled) => a(cell, filled) ** first;
    case "raised": return (cell, filled) => first ** a(cell, filled);
    case "exp": return (cell, filled) => Math.exp(a(cell, filled));
    case "log": return (cell, filled) => Math.log(a(cell, filled));
    case "tanh": return (cell, filled) => Math.tanh(a(cell, filled));
    case "function": return (cell, filled) => FUNCTIONS[first](a(cell, filled));
    case "absolute": return (cell, filled) => Math.abs(a(cell, filled));
    case "maximum": return (cell, filled) => largest(inner.length, (k) => inner[k](cell, filled));
    case "where": {
      const holds = RELATIONS[first];
      return (cell, filled) => (holds(a(cell, filled), b(cell, filled)) ? c : d)(cell, filled);
    }
    case "round": return (cell, filled) => roundHalfAway(a(cell, filled), first);
    case "stable": return b;
    case "fold": return (cell, filled) => {
      const places = { ...filled }; // one for all terms
      return (first === "sum" ? added : largest)(count(node), (k) => {
        for (const [name, block] of second) places[name] = cell(...placeOf(block, k));
        return a(cell, places);
      });
    };
    default: throw new TypeError(`no such scalar expression: ${kind}`);
  }
}

function largest(count, each) {
  let found = each(0);
  for (let k = 1; k < count; k++) found = Math.max(found, each(k));
  return found;
}

function added(count, each) {
  let total = each(0), lost = 0;
  for (let k = 1; k < count; k++) {
    const next = each(k), sum = total + next;
    if (count > MOST_PLAIN) lost += Math.abs(total) >= Math.abs(next) ? total - sum + next : next - sum + total;
    total = sum;
  }
  return Number.isFinite(total) ? total + lost : total;
}
