// The marks, line by line of DESIGN.md's table, as `tracer check` gives them (judging.py). The file holds no answer: the
// key is worked out from what is given.

const { given, asked, halves, decimals, limits, updates } = data.practice;
const shapes = Object.fromEntries(data.practice.computed.map(({ id, shape }) => [id, shape]));
for (const [id, rows] of Object.entries(given)) shapes[id] = [rows.length, rows[0].length];
const rules = new Map(data.practice.computed.map(({ id, rule }) => [id, decoded(rule, shapes, data.practice.rules)]));
const keyValues = { ...given };
for (const [id, rule] of rules) keyValues[id] = evaluated(rule, keyValues);
const fields = new Map(boxes.map((box) => [box.dataset.keep, box]));
const worked = new Map([...document.querySelectorAll("[data-fixed]")].map((td) => [td.dataset.cell, td.dataset.fixed]));
const lowered = new Map();
const keyOf = ([matrix, row, column]) => `${matrix}-${row}-${column}`;
const rightOf = ([matrix, row, column]) => keyValues[matrix][row][column];
const largestOf = new Map([...rules.keys()].map((id) => [id, Math.max(...keyValues[id].flat().map(Math.abs))]));

/** What a cell is made of, and which cells; null where it is given. */
function ruleOf(cell) {
  const key = keyOf(cell), node = rules.get(cell[0]);
  if (!node) return null;
  if (!lowered.has(key)) {
    const expression = lower(node, cell[1], cell[2]);
    const before = [...new Map(cellsIn(expression).map((each) => [keyOf(each), each])).values()];
    lowered.set(key, { expression, before });
  }
  return lowered.get(key);
}

/** A rule as it is computed, without what it is rounded to: of a step function, the comparison. */
const jump = (rule) => kindOf(rule) === "round" ? jump(rule[1][0]) : kindOf(rule) === "stable" ? jump(rule[1][1]) : rule;

/** Whether a matrix holds nothing but the values of a step function, such as the slope of ReLU. */
function isStep(id) {
  const node = rules.get(id), inner = node.kind === "rounded" ? node.parts[0] : node;
  if (inner.kind !== "apply") return false;
  const template = jump(inner.rest[2]);
  return kindOf(template) === "where" && template[1].slice(2).every((branch) => typeof branch === "number");
}

// Numbers and what they stand for (numbers.py)

const unitOf = (cell) => Math.max(10 ** -asked[cell[0]], limits.significant * Math.abs(rightOf(cell)));
const ownUnit = ({ decimals }) => decimals === null ? 0 : 10 ** -decimals;
const halfOf = (x, unit) => (0.5 + limits.slack) * unit + limits.rounding * Math.abs(x);
const lies = (x, [low, high], slack) => x >= low - slack && x <= high + slack;

/** Whether a value between two gives the number when its digits beyond a unit are cut off. */
function isCut(x, unit, [low, high]) {
  const slack = limits.slack * unit + limits.rounding * Math.abs(x);
  const even = Math.abs(x - Math.round(x / unit) * unit) <= slack + 1e-6 * unit;
  const whole = x === 0 && low === high && Math.abs(low) === unit; // a 1 has nothing to be cut off
  return even && !whole && high >= (x <= 0 ? x - unit : x) - slack && low <= (x >= 0 ? x + unit : x) + slack;
}

const standsFor = (x, unit, bounds) => lies(x, bounds, halfOf(x, unit)) || isCut(x, unit, bounds);

/** Whether of the numbers that tell more are the key's cut off than rounded, at their own last places. */
function cutsOff(numbers) {
  let cut = 0, rounded = 0, count = 0;
  for (const [entry, right] of numbers) {
    const { kind, value } = entry, unit = Math.max(ownUnit(entry), limits.significant * Math.abs(value));
    if (kind !== "number" || value === 0) continue;
    count++;
    const isRounded = lies(value, [right, right], halfOf(value, unit));
    if (isCut(value, unit, [right, right]) !== isRounded) isRounded ? rounded++ : cut++;
  }
  return cut >= Math.max(limits.least_cut, limits.least_share_cut * count) && cut > rounded;
}

// What a student has, read as it stands and with the wrong cells put right (work.py)

class Sheet {
  constructor() {
    this.entries = new Map();
    this.found = new Map();
    this.readings = { own: new Map(), mended: new Map() };
    this.finest = null;
    this.cuts = null;
    this.places = new Map();
  }

  /** What stands in a cell; of a matrix that is given or printed the number that it stands for. */
  entry(cell) {
    const key = keyOf(cell);
    if (cell[0] in halves) return { kind: "number", value: rightOf(cell), decimals: null };
    if (!this.entries.has(key)) this.entries.set(key, readNumber(fields.get(key)?.value ?? worked.get(key)));
    return this.entries.get(key);
  }

  /** What part of its last place a number may be off: all of it where the student cuts off (by_key.py). */
  get part() {
    this.cuts ??= cutsOff([...fields.keys()].map(cellOf).map((cell) => [this.entry(cell), rightOf(cell)]));
    return this.cuts ? 1 : 0.5;
  }

  /** What a cell may be off: a right one by its distance from the key, if that is more. */
  half(cell) {
    if (cell[0] in halves) return halves[cell[0]];
    if (data.practice.kinds[cell[0]].endsWith(" count")) return 0; // nobody rounds it
    const unit = unitOf(cell), entry = this.entry(cell);
    if (this.mark(cell).sign !== "✓") return Math.max(unit, ownUnit(entry)) * this.part;
    const distance = Math.abs(entry.value - rightOf(cell)), exact = distance <= limits.rounding * Math.abs(entry.value);
    const least = exact ? 0 : this.lastPlace(cell[0]) * this.part, most = 2 * this.part * limits.farthest * unit;
    return Math.max(unit * this.part, Math.min(distance, most), least);
  }

  /** The finest last place that any number of a matrix is written to. */
  lastPlace(id) {
    if (!this.places.has(id)) {
      const own = [...fields.keys()].map(cellOf).filter((cell) => cell[0] === id).map((cell) => this.entry(cell));
      this.places.set(id, Math.min(...own.filter(({ kind }) => kind === "number").map(ownUnit)));
    }
    return this.places.get(id);
  }

  /** A cell with what it may be off. */
  moved(cell, reading) {
    const key = keyOf(cell), known = this.readings[reading];
    if (known.has(key)) return known.get(key);
    const again = reading === "mended" && this.mark(cell).sign === "✗";
    const value = again ? this.byRule(cell, reading) : exactly(this.entry(cell).value);
    known.set(key, offBy(value, key, again ? isStep(cell[0]) ? 0 : this.scratch(cell, value.value) : this.half(cell)));
    return known.get(key);
  }

  byRule(cell, reading) {
    return moved(ruleOf(cell).expression, (...each) => this.moved(each, reading));
  }

  /** What a cell that was put right may be off: rounded as asked for, or to what the student works with at most. */
  scratch(cell, value) {
    this.finest ??= finestOf([...fields.keys()].map((key) => this.entry(cellOf(key))));
    const [places, digits] = this.finest;
    return Math.max(unitOf(cell), 10 ** -places, 10 ** (Math.floor(Math.log10(Math.abs(value))) + 1 - digits));
  }

  /** The sign of a cell, and what stands behind the cells that are made of it. */
  mark(cell) {
    const key = keyOf(cell);
    if (!this.found.has(key)) this.found.set(key, fields.has(key) ? new Judged(this, cell).mark() : PRINTED);
    return this.found.get(key);
  }
}

/** The most decimals and the most significant digits among numbers: at least one decimal fewer than asked, three digits. */
function finestOf(entries) {
  const numbers = entries.filter(({ kind, value }) => kind === "number" && value !== 0);
  if (!numbers.length) return [Infinity, Infinity];
  const digits = ({ value, decimals }) => decimals === null ? 15 : Math.floor(Math.log10(Math.abs(value))) + 1 + decimals;
  const least = Math.min(...[...rules.keys()].map((id) => asked[id])) - 1;
  return [Math.max(least, ...numbers.map((each) => each.decimals ?? Infinity)), Math.max(limits.least_digits, ...numbers.map(digits))];
}

const NOTHING_BEHIND = { sign: "", behind: false, wrong: false, coarse: false, carried: false };
const PRINTED = { ...NOTHING_BEHIND, sign: "✓" };

/** One cell of a student's sheet, held against the table. */
class Judged {
  constructor(sheet, cell) {
    this.sheet = sheet;
    this.cell = cell;
    this.entry = sheet.entry(cell);
    this.rule = ruleOf(cell);
    this.right = rightOf(cell);
    this.unit = unitOf(cell);
    this.own = ownUnit(this.entry);
    this.coarseWritten = this.own > 1.5 * this.unit;
  }

  mark() {
    const of = (which) => this.before.some((each) => each[which]);
    if (this.entry.kind === "unreadable") return { ...NOTHING_BEHIND, sign: "?" };
    if (this.entry.kind === "blank") return NOTHING_BEHIND;
    if (this.rule.before.some((each) => this.sheet.entry(each).kind !== "number")) return { ...NOTHING_BEHIND, sign: "…" };
    this.before = this.rule.before.map((each) => this.sheet.mark(each));
    [this.behind, this.wrong, this.coarse] = ["behind", "wrong", "coarse"].map(of);
    const sign = this.byKey() ?? this.byNothing() ?? this.byOwnWork();
    const bad = sign === "✗", carried = sign === "↪", coarse = sign === "≈";
    const on = bad || carried || coarse && !standsFor(this.x, Math.max(this.own, this.unit), [this.right, this.right]);
    return { sign, behind: on && this.behind || bad || carried, wrong: on && this.wrong || bad,
      coarse: on && this.coarse || coarse, carried };
  }

  get x() { return this.entry.value; }

  /** Lines 2 to 4. */
  byKey() {
    const { x, right, unit, own } = this, key = [right, right];
    const least = Math.max(own, limits.significant * Math.abs(x));
    if (!this.coarseWritten && lies(x, key, halfOf(x, least)) || lies(x, key, halfOf(x, 0))) return "✓";
    if (standsFor(x, unit, key)) return "✓";
    const fewer = right !== Math.round(right) && own <= 1.5 * limits.digit_fewer * unit; // of a step function
    return this.coarseWritten && (fewer || !isStep(this.cell[0])) && standsFor(x, own, key) ? "≈" : null;
  }

  /** Line 5: the right rule gives 0, 1, −1 or the very number that is updated, and the key is another. */
  byNothing() {
    if (!this.wrong && !this.coarse) return null;
    const [id, row, column] = this.cell, near = (value, each) => Math.abs(value - each) <= this.unit / 2;
    const constants = (value, old) => [0, 1, -1, ...old === null ? [] : [old]].map((each) => near(value, each));
    const updated = updates[id] ? [updates[id], row, column] : null;
    const own = constants(this.value, updated && this.sheet.entry(updated).value);
    const key = constants(this.right, updated && rightOf(updated));
    const says = isStep(id) ? own.some(Boolean) && !key.some(Boolean) : own.some((each, k) => each && !key[k]);
    return says ? this.wrong ? "✗" : "≈" : null;
  }

  get value() { return this.sheet.byRule(this.cell, "own").value; }

  /** Lines 6 to 11. */
  byOwnWork() {
    const own = this.reading("own"), coarse = this.coarse;
    if (own.follows && !this.behind) return coarse ? "≈" : "✓";
    let untold = false;
    if (this.behind) {
      const mended = this.reading("mended"), carries = this.before.some(({ carried }) => carried);
      if (mended.follows) return carries ? "↪" : coarse ? "≈" : "✓";
      if (own.follows) return "↪";
      untold = mended.wide && lies(this.x, mended.bounds, halfOf(this.x, this.unit));
    }
    if (own.wide) return this.coarseWritten && standsFor(this.x, this.own, [own.value, own.value]) ? "≈" : "?";
    if (untold) return "?";
    return !isStep(this.cell[0]) && this.coarseWritten && standsFor(this.x, this.own, own.bounds) ? "≈" : "✗";
  }

  /** By the right rule on the cells before, read in one way: whether this one follows, and where that must lie. */
  reading(name) {
    const { x, unit } = this, slack = halfOf(x, unit), made = this.sheet.byRule(this.cell, name), { value } = made;
    if (isStep(this.cell[0])) {
      const ends = this.ends(name);
      return { follows: ends.some((each) => Math.abs(x - each) <= slack), wide: false, value,
        bounds: [Math.min(...ends), Math.max(...ends)] };
    }
    const reach = reachOf(made) * (1 + limits.margin), bounds = [value - reach, value + reach];
    const told = reach <= limits.most_units * unit || reach <= limits.most_share * largestOf.get(this.cell[0]);
    const wide = !told || !Number.isFinite(reach) || !Number.isFinite(value);
    const near = [this.right, value].some((each) => Math.abs(x - each) <= 2 * slack);
    return { follows: wide ? near : lies(x, bounds, slack) || isCut(x, unit, bounds), wide, value, bounds };
  }

  /** All that a step function can give. */
  ends(name) {
    const where = jump(this.rule.expression);
    const [left, right, then, otherwise] = where[1].map((part) => moved(part, (...each) => this.sheet.moved(each, name)));
    const apart = plus(left, opposite(right)), reach = reachOf(apart), open = reach > 0 && reach >= Math.abs(apart.value);
    const holds = RELATIONS[where[2]](apart.value, 0);
    return open ? [then.value, otherwise.value] : [(holds ? then : otherwise).value];
  }
}
