// The chain of a weight: its gradient as a sum, over samples and paths, of products of fractions, then of numbers.
// A gradient's rule holds another gradient and local derivatives; put in again and again, the rules give the whole
// chain. A factor without a derivative of its own, such as a weight on the way back, is the one that is missing
// between its neighbours: (∂L/∂u)·(∂u/∂v) = ∂L/∂v. Numbers and the learning rate (a mean, a change) scale the whole.

const RATE = "learning_rate";
const MOST_PATHS = 4; // of one sample; where it would be more, the sum over them stays one factor

class Chain {
  /** `labels` are the names, `lowered(cell)` what a cell is made of, `valueOf(cell)` its number. */
  constructor(labels, lowered, valueOf) {
    this.labels = labels;
    this.lowered = lowered;
    this.valueOf = valueOf;
  }

  /** The products that a gradient is the sum of, in groups of one sample each; null where it is no such sum. */
  groups(gradient) {
    const first = this.step({ head: gradient, factors: [] });
    if (!first) return null;
    let groups = first.map((path) => [path]);
    for (;;) {
      const longer = groups.map((paths) => this.longer(paths));
      if (longer.some((paths) => !paths || paths.length > MOST_PATHS)) return groups;
      if (longer.some((paths) => paths.length > 1) && longer.flat().length > MOST_TERMS) return groups;
      groups = longer;
    }
  }

  /** Paths one link longer, or null where they end or would be too many. */
  longer(paths) {
    const found = paths.map((path) => this.step(path));
    return found.every(Boolean) ? found.flat() : null;
  }

  /** The paths that a path's head, a gradient, is made of; null where it holds no gradient further on. */
  step({ head, factors }) {
    const goal = this.labels.derivative(head).by;
    const links = products(this.lowered(head)).map((product) => this.link(product, goal));
    return links.every(Boolean) ? links.map((link) => ({ ...link, factors: [...link.factors, ...factors] })) : null;
  }

  /** One product as a path: the gradient in it, then its other factors in the order in which they link up. */
  link(product, goal) {
    const numbers = product.filter(isScale), parts = product.filter((factor) => !isScale(factor));
    if (!parts.every((factor) => kindOf(factor) === "cell")) return null;
    const every = parts.map((factor) => factor.slice(2)), cells = every.filter(([matrix]) => matrix !== RATE);
    const heads = cells.filter((cell) => this.isGradient(cell));
    if (heads.length !== 1) return null;
    const rest = cells.filter((cell) => cell !== heads[0]), factors = [];
    let at = this.labels.derivative(heads[0]).by;
    for (const cell of [...rest]) {
      const found = this.labels.derivative(cell);
      if (!found || !same(found.of, at)) continue;
      factors.push({ cell, ...found });
      rest.splice(rest.indexOf(cell), 1);
      at = found.by;
    }
    if (!same(at, goal) && rest.length > 1) return null;
    if (!same(at, goal)) factors.push({ cell: rest.pop() ?? null, of: at, by: goal }); // no factor is the factor 1
    const scale = [...every.filter((cell) => !cells.includes(cell)).map((cell) => ({ cell })),
      ...numbers.map((number) => ({ number }))];
    return { head: heads[0], factors: [...factors, ...rest.map((cell) => ({ cell })), ...scale] };
  }

  isGradient(cell) {
    const found = this.labels.derivative(cell);
    return found !== null && !found.of;
  }

  /** The numbers of a path: every factor as it is shown; one that no cell holds is 1. */
  numbers({ head, factors }) {
    return ["product", [{ cell: head }, ...factors].map(({ cell, number }) => number ?? (cell ? this.valueOf(cell) : 1))];
  }

  /** The path as a product of fractions. */
  fractions({ head, factors }, style, writer) {
    const written = (cell, name) => {
      const markup = name.negative ? brackets(nameMathml(name)) : nameMathml(name);
      return writer.ties && cell ? tied(cell, markup) : markup;
    };
    const others = factors.map(({ cell, of, by, number }) =>
      number !== undefined ? writer.write(number, POWER)
        : written(cell, of ? this.labels.quotient(of, by, style) : this.labels.cell(cell, style)));
    return mrow([written(head, this.labels.fraction(head, style)), ...others].join(operator("·")));
  }

  /** As worked lines, with the cells of each path; `value` and `decimals` are of the gradient. */
  written(gradient, writer, style, value, decimals) {
    const groups = this.groups(gradient);
    if (!groups) return null;
    const paths = groups.flatMap((paths, group) => paths.map((path) => ({ path, group })));
    const products = paths.map(({ path }) => this.numbers(path));
    const terms = withoutMiddle(paths.length, (k) => products[k], "sum", noCell);
    const worked = reckoned(terms.length > 1 ? sum(terms) : terms[0], value, decimals);
    const kept = terms.map((term) => paths[products.indexOf(term)]);
    const pieces = kept.map((one, k) => one ? this.fractions(one.path, style, writer) : omission(terms[k][2]));
    const signed = pieces.map((piece, k) => k ? mrow('<mo form="infix">+</mo>', piece) : piece);
    return {
      lines: [{ sign: "=", terms: signed }, ...workedLines(worked, writer)],
      exact: worked.exact,
      paths: kept.map((one) => one
        ? { group: one.group, cells: [{ cell: one.path.head }, ...one.path.factors].filter(isNoScale).map(({ cell }) => asCell(cell)),
            numbers: one.path.factors.filter((each) => !isNoScale(each)).map(({ number }) => number) }
        : { group: null, cells: [] }),
    };
  }
}

const same = (one, other) => String(one) === String(other);
const asCell = (cell) => cell && { matrix: cell[0], row: cell[1], column: cell[2] };
const isNoScale = ({ number }) => number === undefined;
const isScale = (node) => typeof node === "number" || (kindOf(node) === "quotient" && node[1].every(isScale));

/** An expression multiplied out: a list of terms, each a list of factors. */
function products(node) {
  switch (kindOf(node)) {
    case "round": case "stable": return products(node[1][0]);
    case "fold": return node[2] === "sum" ? range(count(node)).flatMap((k) => products(term(node, k))) : [[node]];
    case "sum": return node[1].flatMap(products);
    case "quotient":
      return isScale(node) || !isScale(node[1][1]) ? [[node]]
        : products(node[1][0]).map((factors) => [...factors, ["quotient", [1, node[1][1]]]]);
    case "product":
      return node[1].map(products).reduce((lefts, rights) =>
        lefts.flatMap((left) => rights.map((right) => [...left, ...right])));
    default: return [[node]];
  }
}
