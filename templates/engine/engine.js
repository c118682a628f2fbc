// One pass, open for questions and changes.

const DEFAULT_DECIMALS = 3; // of a result that is shown as it was typed

class Engine {
  constructor(data) {
    const shapes = Object.fromEntries(data.computed.map(({ id, shape }) => [id, shape]));
    for (const [id, rows] of Object.entries(data.given)) shapes[id] = [rows.length, rows[0].length];
    this.rules = new Map(data.computed.map(({ id, rule }) => {
      const node = decoded(rule, shapes, data.rules);
      return [id, { node, symbols: new Set(symbols(node)) }];
    }));
    this.given = data.given;
    this.labels = new Labels(data);
    this.decimals = { ...data.decimals };
    this.lowered = new Map();
    this.values = this.given;
    const shipped = data.computed.every(({ value }) => value);
    this.original = shipped ? { ...this.given } : this.run({});
    if (shipped) for (const { id, value } of data.computed) this.original[id] = value;
    this.values = this.original;
  }

  /** Put a number into a given matrix; `recalculate` lets the others follow. */
  set(id, row, column, number) {
    if (!(id in this.given)) throw new RangeError(`${id} is computed`);
    const rows = this.values[id].map((cells) => [...cells]);
    rows[row][column] = number;
    this.values = { ...this.values, [id]: rows };
  }

  reset() {
    this.values = this.original;
  }

  /** All values with some of the given matrices replaced; the engine's own stay. */
  run(replaced) {
    const values = {};
    for (const id of Object.keys(this.given)) values[id] = replaced[id] ?? this.values[id];
    for (const [id, { node }] of this.rules) values[id] = evaluated(node, values);
    return values;
  }

  /**
   * What depends on a changed number is computed anew. The last bit of a sum is not the same here as where the
   * run was recorded; a cell that comes out as it does from the recorded numbers keeps its recorded number.
   */
  recalculate() {
    const unlike = (id) => this.values[id].some((cells, row) => cells.some((x, k) => x !== this.given[id][row][k]));
    const changed = new Set(Object.keys(this.given).filter(unlike));
    const values = { ...this.original }, here = { ...this.ownRun() };
    for (const id of changed) values[id] = here[id] = this.values[id];
    for (const [id, { node, symbols }] of this.rules) {
      if (![...symbols].some((symbol) => changed.has(symbol))) continue;
      changed.add(id);
      here[id] = evaluated(node, here);
      const kept = (row, k) => here[id][row][k] === this.own[id][row][k];
      values[id] = evaluated(node, values).map((cells, row) =>
        cells.map((x, k) => kept(row, k) ? this.original[id][row][k] : x));
    }
    this.values = values;
  }

  /** The recorded run as it comes out here. */
  ownRun() {
    this.own = this.own ?? this.run(this.given);
    return this.own;
  }

  differs(id, row, column) {
    return this.values[id][row][column] !== this.original[id][row][column];
  }

  text(id, row, column) {
    return shownAs(this.values[id][row][column], this.decimals[id]);
  }

  recorded(id, row, column) {
    return this.original[id][row][column];
  }

  /** The recorded number as it is shown. */
  was(id, row, column) {
    return shownAs(this.original[id][row][column], this.decimals[id]);
  }

  /** What a cell is made of, in letters; null where it is given. */
  expression(id, row, column) {
    const rule = this.rules.get(id);
    if (!rule) return null;
    if (!this.lowered.has(id)) this.lowered.set(id, new Map());
    const known = this.lowered.get(id), place = row * rule.node.shape[1] + column;
    if (!known.has(place)) known.set(place, lower(rule.node, row, column));
    return known.get(place);
  }

  precedents(id, row, column) {
    const expression = this.expression(id, row, column);
    const cells = expression === null ? [] : cellsIn(expression);
    return [...new Map(cells.map((cell) => [String(cell), asCell(cell)])).values()];
  }

  dependents(id, row, column) {
    const found = [];
    for (const [matrix, { node }] of this.rules) {
      const [rows, columns] = node.shape, places = new Set();
      for (const [i, k] of reached(node, id, row, column)) // not every cell of a large matrix need be looked at
        for (const down of i === null ? range(rows) : [i])
          for (const right of k === null ? range(columns) : [k]) places.add(down * columns + right);
      for (const place of [...places].sort((one, other) => one - other)) {
        const cell = [matrix, Math.floor(place / columns), place % columns];
        if (takes(this.expression(...cell), id, row, column)) found.push(asCell(cell));
      }
    }
    return found;
  }

  /** A cell worked out, as lines of MathML; null where it is given. */
  worked(id, row, column, { style, ties } = {}) {
    const expression = this.expression(id, row, column);
    if (expression === null) return null;
    const writer = this.writer(style, ties);
    const made = work(expression, (...cell) => this.valueOf(cell), this.decimals[id] ?? DEFAULT_DECIMALS);
    const letters = { sign: "=", terms: writer.pieces(made.letters) };
    const lines = [letters, ...workedLines(made, writer)];
    return { name: this.cellName(id, row, column, style), lines, exact: made.exact };
  }

  /** The derivative of the loss by a cell, as a product of fractions and of numbers; null where none is recorded. */
  chain(id, row, column, { style, ties } = {}) {
    const of = this.gradientBy(id);
    if (!of) return null;
    const gradient = [of, row, column];
    const chain = new Chain(this.labels, (cell) => this.expression(...cell), (cell) => this.valueOf(cell));
    const value = this.values[of][row][column];
    const made = chain.written(gradient, this.writer(style, ties), style, value, this.decimals[of] ?? DEFAULT_DECIMALS);
    return made && { name: nameMathml(this.labels.fraction(gradient, style)), of, ...made };
  }

  /** The matrix that holds the derivative of the loss by this one, or this one where it is such a derivative. */
  gradientBy(id) {
    const { derivatives } = this.labels;
    const gradients = Object.keys(derivatives).filter((each) => !derivatives[each].of && !derivatives[each].departs);
    return gradients.includes(id) ? id : gradients.filter((each) => derivatives[each].by === id).pop();
  }

  writer(style, ties) {
    return new Writer((...cell) => nameMathml(this.labels.cell(cell, style)), ties);
  }

  valueOf(cell) {
    const [matrix, row, column] = cell;
    return ["value", [], this.values[matrix][row][column], this.decimals[matrix], cell];
  }

  matrixName(id, style) {
    return nameMathml(this.labels.cell([id], style));
  }

  matrixWords(id, style) {
    return nameText(this.labels.cell([id], style));
  }

  cellName(id, row, column, style) {
    return nameMathml(this.labels.cell([id, row, column], style));
  }

  cellWords(id, row, column, style) {
    return nameText(this.labels.cell([id, row, column], style));
  }

  /** The derivative that a backward matrix, or a cell of it, is; null for a forward one. */
  fraction(id, style, row, column) {
    const name = this.labels.fraction(row === undefined ? [id] : [id, row, column], style);
    return name && nameMathml(name);
  }
}

globalThis.TracerEngine = { open: (data) => new Engine(data), fixed, readNumber };
