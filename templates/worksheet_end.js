// The rest of a matrix filled in, and the end of the sheet: what it was for, what was met, two ideas once more.

const MOST_AGAIN = 2, MOST_FRESH = 12; // ideas asked once more, and cells of such a question
const met = new Map(); // ideas that were told, with the rule and the first box of each

const isFilled = (box) => box.dataset.filled === "yes";

/** After two right boxes in a row, a button that works out the others. */
function offerRest() {
  for (const part of document.querySelectorAll(".matrix.asked")) {
    const mine = within(part), open = mine.filter(isOpen), place = part.querySelector(".rest");
    const inARow = mine.some((box, k) => k > 0 && [mine[k - 1], box].every((each) => each.dataset.sign === "✓" && !isFilled(each)));
    const ready = open.length > 0 && inARow && open.every((box) => isKnown(cellOf(box.dataset.keep)));
    place.replaceChildren(...ready ? [restButton(part, open)] : []);
  }
}

function restButton(part, open) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = words("fill_rest", { matrix: part.querySelector(".scroll").getAttribute("aria-label") });
  button.addEventListener("click", () => {
    for (const box of open) {
      const cell = cellOf(box.dataset.keep), { value } = sheet.byRule(cell, "own");
      box.value = withMark(fixed(value, asked[cell[0]]));
      box.dataset.filled = "yes";
    }
    typed(null);
    say(words("filled_rest", { count: open.length }));
  });
  return button;
}

const isOnSheet = (cell) => fields.has(keyOf(cell)) || worked.has(keyOf(cell));

/** The loss of the first pass, and with the student's new parameters; null where these are not on the sheet. */
function losses() {
  const values = { ...given }, loss = data.practice.loss;
  for (const [id, parameter] of Object.entries(updates)) {
    const cells = table(shapes[id], (row, column) => [id, row, column]);
    if (!cells.flat().every((cell) => isOnSheet(cell) && own(cell).kind === "number")) return null;
    values[parameter] = cells.map((row) => row.map((cell) => own(cell).value));
  }
  for (const [id, rule] of rules) {
    values[id] = evaluated(rule, values);
    if (id === loss) break;
  }
  return [keyValues[loss][0][0], values[loss][0][0]];
}

function showEnd() {
  const part = $("end"), done = boxes.every(({ dataset }) => dataset.sign && "✓↪≈".includes(dataset.sign));
  part.hidden = !done;
  if (!done || part.dataset.shown) return;
  part.dataset.shown = "yes";
  const known = losses();
  if (known) paragraph(part, words(known[1] < known[0] ? "loss_down" : "loss_up", { before: short(known[0]), after: short(known[1]) }));
  if (!met.size) return;
  paragraph(part, words("met", { count: met.size }));
  const list = document.createElement("ul");
  list.append(...[...met.values()].map(({ says }) => paragraph(null, says, "li")));
  part.append(list);
  for (const each of [...met.values()].slice(0, MOST_AGAIN)) part.append(...onceMore(each));
}

const short = (value) => withMark(value.toPrecision(4).replace("-", "−"));

function paragraph(part, text, kind = "p") {
  const made = document.createElement(kind);
  made.textContent = text;
  part?.append(made);
  return made;
}

/** An idea once more, in one cell with fresh numbers; nothing where that would take too many. */
function onceMore({ node, says, cell }) {
  const right = ruleOf(cell), wrong = lowerAny(node, cell[1], cell[2]), name = (each) => nameMathml(labels.cell(each));
  const before = [...new Map([...right.before, ...cellsIn(wrong)].map((each) => [keyOf(each), each])).values()];
  if (before.length > MOST_FRESH) return [];
  const fresh = new Map(before.map((each) => [keyOf(each), freshFor(each)]));
  const valueOf = (...each) => fresh.get(keyOf(each));
  const part = document.createElement("div"), box = document.createElement("input"), said = document.createElement("output");
  part.className = "again";
  const numbers = before.map((each) => `<math>${name(each)}<mo>=</mo>${numeral(withMark(String(valueOf(...each)).replace("-", "−")))}</math>`);
  part.innerHTML = `<span>${escaped(words("once_more"))} ${numbers.join(", ")}</span> <math>${name(cell)}<mo>=</mo></math>`;
  box.inputMode = "decimal";
  box.setAttribute("aria-label", words("once_more_box", { cell: wordsOf(fields.get(keyOf(cell))) }));
  box.addEventListener("change", () => {
    const entry = readNumber(box.value), unit = 10 ** -asked[cell[0]];
    const near = (expression) => entry.kind === "number" && Math.abs(entry.value - number(expression, valueOf)) <= unit * (1 + limits.slack);
    said.textContent = near(right.expression) ? `✓ ${marks.right}` : near(wrong) ? `✗ ${says}` : `✗ ${marks.again}`;
    say(said.textContent);
  });
  part.append(box, said);
  return [part];
}

/** A number such as the cell's own, but another; what is no matrix of the sheet stays. */
function freshFor(cell) {
  const value = rightOf(cell), size = Math.abs(value) || 1;
  if (cell[0] === data.practice.rate) return value;
  const made = Math.sign(value || 1) * size * (0.55 + 0.4 * Math.random()); // an activation stays within its range
  return Number(made.toPrecision(2));
}
