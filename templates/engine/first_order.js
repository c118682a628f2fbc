// first_order.py: how far a cell moves, to the first order, when the cells that it is made from do

const SLOPES = {
  sqrt: (x) => 0.5 / Math.sqrt(x), sin: Math.cos, cos: (x) => -Math.sin(x),
  arctan: (x) => 1 / (1 + x * x),
  normal_cdf: (x) => Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI),
};
const exactly = (value) => ({ value, parts: new Map(), rest: 0 });
const reachOf = ({ parts, rest }) => [...parts.values()].reduce((sum, part) => sum + Math.abs(part), rest);

/** The same, and off by so much besides, which nothing else shares: `source` is the cell that it comes from. */
function offBy({ value, parts, rest }, source, half) {
  return half === 0 ? { value, parts, rest } : { value, parts: new Map([...parts, [source, half]]), rest };
}

/** A function of one number, with its value and its slope there. */
const through = ({ parts, rest }, value, slope) =>
  ({ value, parts: new Map([...parts].map(([source, part]) => [source, part * slope])), rest: rest * Math.abs(slope) });

function plus(a, b) {
  const parts = new Map(a.parts);
  for (const [source, part] of b.parts) parts.set(source, (parts.get(source) ?? 0) + part);
  return { value: a.value + b.value, parts, rest: a.rest + b.rest };
}

const opposite = (a) => through(a, -a.value, -1);
const times = (a, b) =>
  ({ ...plus(through(a, 0, b.value), through(b, 0, a.value)), value: a.value * b.value });

/** The branch that counts; where it could be either, the one that moves further, and the jump between them. */
function branched(left, relation, right, then, otherwise, jumps) {
  const apart = plus(left, opposite(right)), reach = reachOf(apart);
  const holds = RELATIONS[relation](apart.value, 0), open = reach > 0 && reach >= Math.abs(apart.value);
  const first = open ? reachOf(then) >= reachOf(otherwise) : holds, { parts, rest } = first ? then : otherwise;
  const jump = open && jumps ? Math.abs(then.value - otherwise.value) : 0;
  return { value: (holds ? then : otherwise).value, parts, rest: rest + jump };
}

/** A cell's expression moved; `cell(matrix, row, column)` gives its cells moved, `filled` its variables. */
function moved(node, cell, filled) {
  if (typeof node === "number") return exactly(node);
  if (typeof node === "string") return filled[node];
  const [kind, parts, first, second, third] = node;
  const of = (k) => moved(parts[k], cell, filled), all = () => parts.map((_, k) => of(k));
  switch (kind) {
    case "cell": return cell(first, second, third);
    case "value": return exactly(first);
    case "omitted": return exactly(second);
    case "negative": return opposite(of(0));
    case "sum": return all().reduce(plus);
    case "product": return all().reduce(times);
    case "quotient": {
      const below = of(1);
      return times(of(0), through(below, 1 / below.value, -1 / below.value ** 2));
    }
    case "maximum":
      return all().reduce((one, other) => branched(one, ">=", other, one, other, false));
    case "where": {
      const [left, right, then, otherwise] = all();
      return branched(left, first, right, then, otherwise, true);
    }
    case "round": {
      const inner = of(0), step = reachOf(inner) > 0 ? 10 ** -first : 0;
      return { ...inner, value: roundHalfAway(inner.value, first), rest: inner.rest + step };
    }
    case "stable": return of(1);
    case "fold": return moved(expanded(node), cell, filled);
    default: return ofOneNumber(kind, of(0), first);
  }
}

function ofOneNumber(kind, a, which) {
  const x = a.value;
  switch (kind) {
    case "power": return through(a, x ** which, which * x ** (which - 1));
    case "raised": return through(a, which ** x, Math.log(which) * which ** x);
    case "exp": return through(a, Math.exp(x), Math.exp(x));
    case "log": return through(a, Math.log(x), 1 / x);
    case "tanh": return through(a, Math.tanh(x), 1 - Math.tanh(x) ** 2);
    case "function": return through(a, FUNCTIONS[which](x), SLOPES[which](x));
    case "absolute": return through(a, Math.abs(x), Math.sign(x));
    default: throw new TypeError(`no such scalar expression: ${kind}`);
  }
}
