// mathml.py: cells' expressions as MathML, without <math> around it

const [SUM, , PRODUCT, POWER, ATOM] = range(5);
const SHORT = 3; // terms of a sum that need no line of their own under a fraction bar (mathml.py)
const SIGNS = { ">": "&gt;", ">=": "≥", "=": "=" };
const mrow = (...parts) => `<mrow>${parts.join("")}</mrow>`;
/** notation.py: what differs from language to language. */
const notation = { decimal: ".", otherwise: "else", more: "{count} more", rounded: "round" };
const withMark = (text) => text.replace(".", notation.decimal);
const operator = (sign) => `<mo>${sign}</mo>`;
const lone = (bracket) => operator(bracket).replace("mo", 'mo stretchy="false"');
const brackets = (markup) => mrow(operator("("), markup, operator(")"));
const numeral = (number) => {
  const text = withMark(number);
  return text[0] === "−" ? mrow(operator("−"), `<mn>${text.slice(1)}</mn>`) : `<mn>${text}</mn>`;
};
const omission = (count) => mrow(operator("⋯"), `<mtext>(${escaped(notation.more.replace("{count}", count))})</mtext>`);

/** Ties a factor to the cell that holds it, for the page. */
const tied = ([matrix, row, column], markup) =>
  `<mrow data-matrix="${matrix}" data-row="${row}" data-column="${column}">${markup}</mrow>`;

/** "round" with its decimals as an index. */
const rounding = (decimals) => `<msub><mi>${escaped(notation.rounded)}</mi><mn>${decimals}</mn></msub>`;

class Writer {
  /** `name(matrix, row, column)` gives the markup of a cell; `ties` ties letters and numbers to their cells. */
  constructor(name, ties = false) {
    this.name = name;
    this.ties = ties;
  }

  write(node, least = SUM) {
    const [markup, binds] = this.read(node);
    return binds >= least ? markup : brackets(markup);
  }

  /** In pieces between which a line may break: a sum's terms, each but the first with its sign in front. */
  pieces(node) {
    const [lead, total = node] = this.aroundASum(node);
    if (kindOf(total) !== "sum") return [this.write(node)];
    const parts = this.sumParts(total[1]), pieces = [parts[0]];
    for (let k = 1; k < parts.length; k += 2) // the sign is spaced as between terms, though it comes first
      pieces.push(mrow(parts[k].replace("<mo>", '<mo form="infix">'), parts[k + 1]));
    if (lead) [pieces[0], pieces[parts.length >> 1]] = [lead + lone("(") + pieces[0], pieces.at(-1) + lone(")")];
    return pieces;
  }

  /** What stands before a sum in parentheses that is the rest of the line, and the sum; nothing of other lines. */
  aroundASum(node) {
    const kind = kindOf(node), parts = node[1], total = kind === "product" ? parts.at(-1) : parts?.[0];
    const many = kindOf(total) === "sum" && total[1].length;
    if (kind === "round" && many > 1) return [rounding(node[2]), total];
    if (kind === "product" && many > 2) return [this.lead(parts.slice(0, -1)), total];
    if (kind !== "quotient" || many <= SHORT || total[1].every((term) => !inside(term)[0])) return [];
    return [this.lead([["quotient", [1, parts[1]]]]), total]; // no fraction can be broken
  }

  /** Factors before one in parentheses, side by side with it. */
  lead(factors) {
    const bracketed = factors.some((factor) => kindOf(factor) === "value");
    return this.product(factors) + (bracketed ? "" : operator("·"));
  }

  read(node) {
    if (typeof node === "number") return [numeral(asTyped(node)), node >= 0 ? ATOM : SUM];
    if (typeof node === "string") return [`<mi>${node}</mi>`, ATOM];
    const [kind, parts, first, second, third] = node;
    const of = (k, least) => this.write(parts[k], least);
    switch (kind) {
      case "value": return [this.tie(third, numeral(shownAs(first, second))), first >= 0 ? ATOM : SUM];
      case "omitted": return [omission(first), ATOM];
      case "cell": return [this.tie([first, second, third], this.name(first, second, third)), POWER];
      case "negative": return [mrow(operator("−"), of(0, POWER)), SUM];
      case "sum": return [mrow(...this.sumParts(parts)), SUM];
      case "product": return [this.product(parts), PRODUCT];
      case "quotient": return [`<mfrac>${of(0)}${of(1)}</mfrac>`, POWER];
      case "power": return [`<msup>${of(0, ATOM)}<mn>${first}</mn></msup>`, POWER];
      case "raised": return [`<msup>${numeral(asTyped(first))}${of(0)}</msup>`, POWER];
      case "exp": return [`<msup><mi>e</mi>${of(0)}</msup>`, POWER];
      case "log": return [mrow("<mi>ln</mi>", brackets(of(0))), ATOM];
      case "function":
        if (first === "sqrt") return [`<msqrt>${of(0)}</msqrt>`, ATOM];
        return [mrow(`<mi>${first === "normal_cdf" ? "Φ" : first}</mi>`, brackets(of(0))), ATOM];
      case "tanh": return [mrow("<mi>tanh</mi>", brackets(of(0))), ATOM];
      case "absolute": return [mrow(operator("|"), of(0), operator("|")), ATOM];
      case "maximum": return [mrow("<mi>max</mi>", brackets(parts.map((_, k) => of(k)).join(operator(notation.decimal === "," ? ";" : ",")))), ATOM];
      case "round": return [mrow(rounding(first), brackets(of(0))), ATOM];
      case "where": return [this.cases(of, first), ATOM];
      case "stable": return this.read(parts[0]);
      case "fold": return this.read(expanded(node));
      default: throw new TypeError(`no such scalar expression: ${kind}`);
    }
  }

  tie(cell, markup) {
    return this.ties && cell ? tied(cell, markup) : markup;
  }

  cases(of, relation) {
    const condition = mrow(of(0), operator(SIGNS[relation]), of(1));
    const lines = [[of(2), condition], [of(3), `<mtext>${escaped(notation.otherwise)}</mtext>`]];
    const cells = lines.map(([value, when]) => `<mtr><mtd>${value}</mtd><mtd>${when}</mtd></mtr>`);
    return mrow(operator("{"), `<mtable columnalign='left'>${cells.join("")}</mtable>`);
  }

  /** Terms and the signs between them; + (−0.107) reads − 0.107. */
  sumParts(terms) {
    const parts = [this.write(terms[0], SUM)];
    for (const term of terms.slice(1)) {
      const below = kindOf(term) === "value" && term[2] < 0;
      const minus = below || kindOf(term) === "negative";
      const taken = below ? ["value", [], -term[2], ...term.slice(3)] : minus ? term[1][0] : term;
      parts.push(operator(minus ? "−" : "+"), this.write(taken, PRODUCT));
    }
    return parts;
  }

  product(factors) {
    if (factors.some((factor) => kindOf(factor) === "value"))
      return mrow(...factors.map((factor) => brackets(this.write(factor))));
    return mrow(...factors.map((factor, k) => (k ? operator("·") : "") + this.write(factor, k ? POWER : PRODUCT)));
  }
}

/** The stages and the result, each in pieces between which a line may break. */
function workedLines({ stages, result, exact }, writer) {
  return [...stages.map((stage) => ({ sign: "=", terms: writer.pieces(stage) })),
    { sign: exact ? "=" : "≈", terms: writer.pieces(result) }];
}
