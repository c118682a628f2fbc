// mathml.py: cells' expressions as MathML, without <math> around it

const [SUM, , PRODUCT, POWER, ATOM] = range(5);
const SIGNS = { ">": "&gt;", ">=": "≥", "=": "=" };
const mrow = (...parts) => `<mrow>${parts.join("")}</mrow>`;
/** notation.py: what differs from language to language. */
const notation = { decimal: ".", otherwise: "else", more: "{count} more", rounded: "round" };
const withMark = (text) => text.replace(".", notation.decimal);
const operator = (sign) => `<mo>${sign}</mo>`;
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
    const [inner] = kindOf(node) === "round" ? node[1] : [];
    if (kindOf(inner) === "sum" && inner[1].length > 1) return this.rounded(this.pieces(inner), node[2]);
    if (kindOf(node) !== "sum") return [this.write(node)];
    const parts = this.sumParts(node[1]), pieces = [parts[0]];
    for (let k = 1; k < parts.length; k += 2) // the sign is spaced as between terms, though it comes first
      pieces.push(mrow(parts[k].replace("<mo>", '<mo form="infix">'), parts[k + 1]));
    return pieces;
  }

  /** round( before the first of several pieces and ) behind the last. */
  rounded([first, ...others], decimals) {
    const [open, close] = ["(", ")"].map((bracket) => `<mo stretchy="false">${bracket}</mo>`);
    const last = mrow(others.pop(), close);
    return [mrow(rounding(decimals), open, first), ...others, last];
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
