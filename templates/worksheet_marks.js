// The marks: every box is judged by its rule on the student's own earlier cells. The file holds no answer.

const SLACK = 1e-9, EXACT = 4 * Number.EPSILON; // of a unit: a tie is a tie; of a value: float64's own
const SIGNIFICANT = 1e-12; // of a number's size: what lies beyond is not compared
const TRIES = 2; // before there is a hint
const { marks } = data.practice;
const WORDS = { "✓": marks.right, "✗": marks.again, "↪": marks.follows, "…": marks.waits, "?": marks.unreadable };
const { given, asked, halves, decimals } = data.practice;
const shapes = Object.fromEntries(data.practice.computed.map(({ id, shape }) => [id, shape]));
for (const [id, rows] of Object.entries(given)) shapes[id] = [rows.length, rows[0].length];
const rules = new Map(data.practice.computed.map(({ id, rule }) => [id, decoded(rule, shapes, data.practice.rules)]));
const labels = new Labels(data.practice);
const fields = new Map(boxes.map((box) => [box.dataset.keep, box]));
const fixedCells = new Map([...document.querySelectorAll("[data-fixed]")].map((td) => [td.dataset.cell, readNumber(td.dataset.fixed)]));
const examples = document.querySelectorAll("[data-example]");
Object.assign(notation, data.practice.notation);
const lowered = new Map(), tries = new Map(), hintsTaken = new Map();
let known = new Map(), ruled = new Map(), judged = new Map(), complete = new Map(); // of what is typed now
const keyOf = ([matrix, row, column]) => `${matrix}-${row}-${column}`;

/** What a cell is made of, and which cells; null where it is given. */
function ruleOf(cell) {
  const key = keyOf(cell), node = rules.get(cell[0]);
  if (!node) return null;
  if (!lowered.has(key)) {
    const expression = lower(node, cell[1], cell[2]);
    const before = [...new Map(cellsIn(expression).map((each) => [keyOf(each), each])).values()];
    lowered.set(key, { read: reader(expression), expression, before });
  }
  return lowered.get(key);
}

/** One in the last place of a number where so many decimals are asked for. */
const unitOf = ({ value, decimals }, least) =>
  Math.max(10 ** -(decimals === null ? least : Math.max(decimals, least)), SIGNIFICANT * Math.abs(value));

/** The number that a student has in a cell, and what it may be off. */
function own(cell) {
  const key = keyOf(cell);
  if (!known.has(key)) known.set(key, found(cell, key));
  return known.get(key);
}

function found(cell, key) {
  const [matrix, row, column] = cell;
  if (matrix in given) return { kind: "number", value: given[matrix][row][column], half: halves[matrix] };
  const written = fields.has(key) ? readNumber(fields.get(key).value) : fixedCells.get(key);
  return written.kind === "number" ? { ...written, half: unitOf(written, asked[matrix]) / 2 } : written;
}

/**
 * A cell by its rule on the student's own cells, null while one of them is blank. Each is moved by what it may be
 * off: `spread` is the sum of what that does, `values` are all that came out.
 */
function byRule(cell) {
  const key = keyOf(cell);
  if (!ruled.has(key)) ruled.set(key, moved(cell));
  return ruled.get(key);
}

function moved(cell) {
  const { read, before } = ruleOf(cell);
  if (before.some((each) => own(each).kind !== "number")) return { value: null };
  const numbers = new Map(before.map((each) => [keyOf(each), own(each)]));
  let one = null, by = 0;
  const at = (...each) => { const key = keyOf(each); return numbers.get(key).value + (key === one ? by : 0); };
  const value = read(at), values = [value];
  let spread = 0;
  for (const each of before) {
    const { half } = numbers.get(keyOf(each));
    if (half === 0) continue;
    one = keyOf(each);
    const both = [half, -half].map((step) => { by = step; return read(at); });
    values.push(...both);
    spread += Math.max(...both.map((other) => Math.abs(other - value)));
  }
  return { value, spread, values };
}

/** Whether a matrix holds nothing but the values of a step function, such as the slope of ReLU. */
function isStep(node) {
  const inner = node.kind === "rounded" ? node.parts[0] : node;
  if (inner.kind !== "apply") return false;
  const template = inner.rest[2];
  return kindOf(template) === "where" && template[1].slice(2).every((branch) => typeof branch === "number");
}

function follows(cell, { value: typed }, unit) {
  const { value, spread, values } = byRule(cell), slack = (0.5 + SLACK) * unit + EXACT * Math.abs(typed);
  if (!Number.isFinite(value) || !Number.isFinite(spread)) return true; // a bound without an end accepts
  if (isStep(rules.get(cell[0]))) return values.some((each) => Math.abs(typed - each) <= slack);
  const cut = typed * (value - typed) >= 0 && Math.abs(value - typed) < unit; // off after the last digit
  return cut || Math.abs(typed - value) <= slack + spread;
}

/** The mark of a cell: what stands in its box, by its own rule, and what stands behind it. */
function judge(cell) {
  const key = keyOf(cell);
  if (judged.has(key)) return judged.get(key);
  const rule = ruleOf(cell);
  let mark = { sign: "", behind: false };
  if (rule && fields.has(key)) { // what is printed was not worked by the student
    const behind = rule.before.some((each) => { const { sign, behind } = judge(each); return sign === "✗" || behind; });
    mark = { sign: signOf(cell, behind), behind };
  }
  judged.set(key, mark);
  return mark;
}

function signOf(cell, behind) {
  const entry = own(cell);
  if (entry.kind === "blank") return "";
  if (entry.kind === "unreadable") return "?";
  if (byRule(cell).value === null) return "…";
  if (follows(cell, entry, unitOf(entry, asked[cell[0]]))) return behind ? "↪" : "✓";
  return "✗";
}

/** Right as far as it goes, with fewer decimals than asked for. */
function isCoarse(cell) {
  const entry = own(cell);
  return entry.decimals !== null && entry.decimals < asked[cell[0]] && follows(cell, entry, 10 ** -entry.decimals);
}

// Showing

const isComplete = (fields) => fields.every((box) => readNumber(box.value).kind === "number");
const within = (part) => boxes.filter((box) => part.contains(box));

/** The part of the sheet that must be complete before the mark of a field is shown. */
function isShown(field) {
  if (data.feedback === "cell") return true;
  const part = data.feedback === "step" ? field.closest("section") : document.body;
  if (!complete.has(part)) complete.set(part, isComplete(within(part)));
  return complete.get(part);
}

/** Puts a mark beside a field; `sign` "" takes it away. */
function put(field, sign, more = "") {
  const mark = field.nextElementSibling;
  mark.textContent = sign;
  mark.title = sign && WORDS[sign] + more;
  for (const [name, value] of [["role", "img"], ["aria-label", mark.title]]) {
    if (sign) mark.setAttribute(name, value);
    else mark.removeAttribute(name);
  }
  field.dataset.sign = sign;
  field.setAttribute("aria-invalid", String(sign === "✗" || sign === "?"));
}

function markBox(box, last) {
  const cell = cellOf(box.dataset.keep), { sign } = judge(cell), before = box.dataset.sign;
  const shown = sign === "?" || isShown(box) ? sign : "";
  const coarse = shown === "✗" && isCoarse(cell);
  put(box, shown, coarse ? `: ${words("coarse", { count: asked[cell[0]] })}` : "");
  if (shown === "✗" && (box === last || before !== "✗") && box.dataset.tried !== box.value) {
    box.dataset.tried = box.value;
    tries.set(box.dataset.keep, (tries.get(box.dataset.keep) ?? 0) + 1);
  }
}

/** The operand boxes of a line: each against the cell that it stands for; two factors may change places. */
function markOperands(line) {
  const operands = [...line.querySelectorAll("input.operand")];
  const shown = data.feedback === "cell" || operands.every((field) => !isOpen(field)) && isShown(line);
  const terms = new Map();
  for (const field of operands) terms.set(field.dataset.term, [...terms.get(field.dataset.term) ?? [], field]);
  for (const factors of terms.values()) {
    const cells = factors.map((field) => cellOf(field.dataset.of));
    const straight = cells.map((cell, k) => operandSign(factors[k], cell));
    const turned = [...cells].reverse().map((cell, k) => operandSign(factors[k], cell));
    const right = (signs) => signs.filter((sign) => sign === "✓").length;
    const signs = cells.length === 2 && right(turned) > right(straight) ? turned : straight;
    factors.forEach((field, k) => put(field, shown || signs[k] === "?" ? signs[k] : ""));
  }
}

function operandSign(field, cell) {
  const entry = readNumber(field.value), { kind, value } = own(cell);
  if (entry.kind === "blank") return "";
  if (entry.kind === "unreadable") return "?";
  if (kind !== "number") return "…";
  const unit = unitOf(entry, asked[cell[0]] ?? 0);
  return Math.abs(entry.value - value) <= (0.5 + SLACK) * unit + EXACT * Math.abs(value) ? "✓" : "✗";
}

// All of it

function announce(last, before) {
  if (!last?.matches("input.box")) return;
  const now = last.dataset.sign, section = last.closest("section"), mine = within(section);
  if (data.feedback === "cell" || now === "?") {
    if (now) say(`${wordsOf(last)}: ${last.nextElementSibling.title}.`);
  } else if (isShown(last)) {
    const part = data.feedback === "step" ? mine : boxes, again = part.filter((box) => box.dataset.sign === "✗");
    if (again.length) say(words("again_at", { cells: again.map(wordsOf).join("; ") }));
    else say(part.every((box) => "✓↪".includes(box.dataset.sign)) ? words("all_right") : WORDS["…"]);
  }
  if (before !== now && !now) say("");
}

function tally() {
  const of = (sign) => boxes.filter((box) => box.dataset.sign === sign).length;
  const counts = ["✓", "↪", "✗"].filter(of).map((sign) => `${of(sign)} ${sign}`);
  if (counts.length) $("progress").textContent += ` · ${counts.join(" · ")}`;
}

whenTyped.push((last) => {
  known = new Map();
  ruled = new Map();
  judged = new Map();
  complete = new Map();
  const before = last?.dataset.sign;
  for (const box of boxes) markBox(box, last);
  for (const line of document.querySelectorAll(".completion")) markOperands(line);
  workExamples();
  showAnswers();
  showChecks();
  showHints();
  announce(last, before);
  tally();
});
