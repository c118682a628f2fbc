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
function number(node, cell, filled) {
  if (typeof node === "number") return node;
  if (typeof node === "string") return filled[node];
  const [kind, parts, first, second, third] = node;
  const of = (k) => number(parts[k], cell, filled);
  switch (kind) {
    case "cell": return cell(first, second, third);
    case "value": return first;
    case "omitted": return second;
    case "negative": return -of(0);
    case "sum": return added(parts.length, of);
    case "product": {
      let product = of(0);
      for (let k = 1; k < parts.length; k++) product *= of(k);
      return product;
    }
    case "quotient": return of(0) / of(1);
    case "power": return of(0) ** first;
    case "exp": return Math.exp(of(0));
    case "log": return Math.log(of(0));
    case "tanh": return Math.tanh(of(0));
    case "absolute": return Math.abs(of(0));
    case "maximum": return largest(parts.length, of);
    case "where": return RELATIONS[first](of(0), of(1)) ? of(2) : of(3);
    case "round": return roundHalfAway(of(0), first);
    case "stable": return of(1);
    case "fold": {
      const places = { ...filled }; // one for all terms
      const each = (k) => {
        for (const [name, block] of second) places[name] = cell(...placeOf(block, k));
        return number(parts[0], cell, places);
      };
      return first === "sum" ? added(count(node), each) : largest(count(node), each);
    }
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
