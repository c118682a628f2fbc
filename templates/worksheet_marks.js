// Showing the marks: a sign beside every box, each as soon as it may be seen.

const TRIES = 2; // before more is said than where to look
const { marks } = data.practice;
const WORDS = { "✓": marks.right, "✗": marks.again, "↪": marks.follows, "≈": marks.coarse, "…": marks.waits, "?": marks.unreadable };
const labels = new Labels(data.practice);
const examples = document.querySelectorAll("[data-example]");
Object.assign(notation, data.practice.notation);
const tries = new Map(), hintsTaken = new Map();
let sheet = new Sheet(), complete = new Map(); // of what is typed now
const own = (cell) => sheet.entry(cell);
const isKnown = (cell) => ruleOf(cell).before.every((each) => own(each).kind === "number");

const isComplete = (fields) => fields.every((box) => readNumber(box.value).kind === "number");
const within = (part) => boxes.filter((box) => part.contains(box));

/** The part of the sheet that must be complete before the mark of a field is shown. */
function partOf(field) {
  switch (data.feedback) {
    case "row": return field.closest("tr") ?? field;
    case "step": return field.closest("section");
    default: return document.body;
  }
}

/** Whether a mark may be seen; the first box of a matrix has its own at once where rows are waited for. */
function isShown(field) {
  if (data.feedback === "cell" || data.feedback === "row" && isFirst(field)) return true;
  const part = partOf(field);
  if (!complete.has(part)) complete.set(part, isComplete(within(part)));
  return complete.get(part);
}

const isFirst = (field) => field.closest("table")?.querySelector("input.box") === field;

/** What a sign says of a cell. */
function titleOf(cell, sign) {
  if (sign === "≈") return `${WORDS[sign]}: ${words("coarse", { count: asked[cell[0]] })}`;
  return sign === "?" && own(cell).kind === "number" ? marks.not_read : WORDS[sign] ?? "";
}

/** Puts a mark beside a field; `sign` "" takes it away. */
function put(field, sign, title = WORDS[sign] ?? "") {
  const mark = field.nextElementSibling;
  mark.textContent = sign;
  mark.title = title;
  for (const [name, value] of [["role", "img"], ["aria-label", mark.title]]) {
    if (sign) mark.setAttribute(name, value);
    else mark.removeAttribute(name);
  }
  if (sign) field.setAttribute("aria-describedby", mark.id);
  else field.removeAttribute("aria-describedby");
  field.dataset.sign = sign;
  field.setAttribute("aria-invalid", String(sign === "✗" || sign === "?"));
}

function markBox(box, last) {
  const cell = cellOf(box.dataset.keep), { sign } = sheet.mark(cell), before = box.dataset.sign;
  const shown = own(cell).kind === "unreadable" || isShown(box) ? sign : "";
  put(box, shown, titleOf(cell, shown));
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
  const unit = Math.min(10 ** -(asked[cell[0]] ?? 0), ownUnit(entry) || Infinity);
  return Math.abs(entry.value - value) <= halfOf(value, unit) ? "✓" : "✗";
}

// All of it

function announce(last, before) {
  if (!last?.matches("input.box")) return;
  const now = last.dataset.sign, section = last.closest("section"), mine = within(section);
  if (data.feedback === "cell" || now === "?") {
    if (now) say(`${wordsOf(last)}: ${last.nextElementSibling.title}.`);
  } else if (isShown(last)) {
    say(summed(data.feedback === "end" ? boxes : isComplete(mine) ? mine : data.feedback === "row" && isComplete(within(partOf(last)))
      ? within(partOf(last)) : [last]));
  }
  if (before !== now && !now) say("");
}

/** What is heard of a part: how many boxes are right, and which to look at first. */
function summed(part) {
  const right = part.filter((box) => box.dataset.sign && "✓↪".includes(box.dataset.sign)), again = part.find((box) => box.dataset.sign === "✗");
  if (part.length === 1 && !again) return `${wordsOf(part[0])}: ${part[0].nextElementSibling.title}.`;
  if (again) return words("again_at", { right: right.length, total: part.length, cell: wordsOf(again) });
  return right.length === part.length ? words("all_right", { total: part.length }) : unsettled(part);
}

/** Of a part without ✗, what keeps it from being all right. */
function unsettled(part) {
  const box = part.find(({ dataset }) => !"✓↪".includes(dataset.sign));
  return `${wordsOf(box)}: ${box.nextElementSibling.title || WORDS["…"]}.`;
}

function tally() {
  const of = (sign) => boxes.filter((box) => box.dataset.sign === sign).length;
  const counts = ["✓", "↪", "≈", "✗"].filter(of).map((sign) => `${of(sign)} ${sign}`);
  if (counts.length) $("progress").textContent += ` · ${counts.join(" · ")}`;
}

whenTyped.push((last) => {
  sheet = new Sheet();
  complete = new Map();
  const before = last?.dataset.sign;
  for (const box of boxes) markBox(box, last);
  for (const line of document.querySelectorAll(".completion")) markOperands(line);
  workExamples();
  showAnswers();
  showChecks();
  showHints();
  offerRest();
  askRules();
  showEnd();
  announce(last, before);
  tally();
});
