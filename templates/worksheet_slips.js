// What is behind the boxes that are marked ✗ (judging/diagnosis.py): wrong rules, tried on the student's own cells.

const MOST_CHANCE = 2; // boxes that a rule must explain where others of the matrix speak against it
const wrongRules = new Map();

/** The wrong rules for a matrix, the commoner first. */
function wrongRulesOf(id) {
  if (!wrongRules.has(id)) {
    const rules = data.practice.slips[id] ?? [];
    wrongRules.set(id, rules.map((each) => ({ ...each, node: decoded(each.rule, shapes, data.practice.rules) })));
  }
  return wrongRules.get(id);
}

/** How a rule stands to a box: "explains" what the right one does not, "allows" it, or "contradicts" it. */
function against({ node }, cell) {
  const expression = lowerAny(node, cell[1], cell[2]);
  if (cellsIn(expression).some((each) => own(each).kind !== "number")) return "contradicts";
  const made = moved(expression, (...each) => sheet.moved(each, "own")), right = sheet.byRule(cell, "own");
  const reach = reachOf(made) * (1 + limits.margin), { value: x } = own(cell), unit = unitOf(cell);
  const told = Math.abs(made.value - right.value) > reachOf(right) * (1 + limits.margin);
  const wide = !(reach <= limits.most_units * unit || reach <= limits.most_share * Math.abs(made.value));
  if (!Number.isFinite(made.value) || wide && !isStep(cell[0])) return "contradicts";
  if (!lies(x, [made.value - reach, made.value + reach], halfOf(x, unit))) return "contradicts";
  return told ? "explains" : "allows";
}

/** For one matrix every rule that explains some of its boxes. */
function candidatesFor(id, again) {
  const mine = boxes.filter((box) => cellOf(box.dataset.keep)[0] === id);
  const right = mine.filter((box) => "✓↪".includes(box.dataset.sign) && box.dataset.sign).map((box) => cellOf(box.dataset.keep));
  return wrongRulesOf(id).map((rule, rank) => {
    const explained = again.filter((box) => against(rule, cellOf(box.dataset.keep)) === "explains");
    const doubted = explained.length > 0 && right.some((cell) => against(rule, cell) === "contradicts");
    return { rule, rank, explained, doubted };
  }).filter(({ explained, doubted }) => explained.length >= (doubted ? MOST_CHANCE : 1));
}

/** What explains the boxes marked ✗, as few ideas as will do: each with its boxes, in the order of the sheet. */
function diagnosed() {
  const again = new Map(), total = new Map(), found = new Map();
  for (const box of boxes.filter(({ dataset }) => dataset.sign === "✗")) {
    const [id] = cellOf(box.dataset.keep);
    again.set(id, [...again.get(id) ?? [], box]);
  }
  const candidates = new Map([...again].map(([id, mine]) => [id, candidatesFor(id, mine)]));
  for (const { rule, explained } of [...candidates.values()].flat())
    total.set(rule.idea, (total.get(rule.idea) ?? 0) + explained.length);
  for (const [id, mine] of again) {
    const left = new Set(mine);
    for (;;) {
      const [best] = candidates.get(id).map((each) => ({ ...each, gains: each.explained.filter((box) => left.has(box)) }))
        .filter(({ gains }) => gains.length).sort((a, b) => b.gains.length - a.gains.length || a.doubted - b.doubted
          || total.get(b.rule.idea) - total.get(a.rule.idea) || a.rank - b.rank);
      if (!best) break;
      const { idea } = best.rule, known = found.get(idea) ?? { ...best.rule, boxes: [] };
      known.boxes.push(...best.gains);
      found.set(idea, known);
      for (const box of best.gains) left.delete(box);
    }
  }
  return [...found.values()];
}

// "Which rule did you use?", once for each kind of matrix

const asks = new Map(); // matrices with their question, once it was asked
const KINDS = data.practice.kinds;

/** Asks of a matrix that is right which of three rules made its first own box. */
function askRules() {
  for (const part of document.querySelectorAll(".matrix.asked")) {
    const { id } = part.querySelector("table").dataset, mine = within(part);
    const isRight = mine.length > 1 && mine.every(({ dataset }) => dataset.sign && "✓↪".includes(dataset.sign));
    if (!isRight || [...asks.keys()].some((other) => KINDS[other] === KINDS[id])) continue;
    const question = ruleQuestion(cellOf(mine[0].dataset.keep));
    if (!question) continue;
    asks.set(id, question);
    part.querySelector(".rest").after(question);
  }
}

function ruleQuestion(cell) {
  const lettersOf = (expression) => new Writer((...each) => nameMathml(labels.cell(each)))
    .pieces(work(expression, (...each) => ["value", [], 0, 0, each], 0).letters).map((part) => `<math>${part}</math>`).join(" ");
  const right = { formula: lettersOf(ruleOf(cell).expression), says: "" };
  const others = wrongRulesOf(cell[0]).map(({ node, says }) => ({ formula: lettersOf(lowerAny(node, cell[1], cell[2])), says }));
  const plain = others.filter(({ formula }) => !/\d\.\d{4}/.test(formula)); // nobody writes 0.3333333333 for a third
  const distinct = [right, ...plain].filter((each, k, all) => all.findIndex(({ formula }) => formula === each.formula) === k).slice(0, 3);
  if (distinct.length < 3) return null;
  const turn = [...keyOf(cell)].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % 3;
  const part = document.createElement("div"), said = document.createElement("output");
  part.className = "which";
  part.append(words("which_rule", { cell: wordsOf(fields.get(keyOf(cell))) }));
  for (let k = 0; k < 3; k++) part.append(choice(distinct[(k + turn) % 3], said));
  part.append(said);
  return part;
}

function choice({ formula, says }, said) {
  const button = document.createElement("button");
  button.type = "button";
  button.innerHTML = formula; // in pieces, between which a narrow window may break it
  button.setAttribute("aria-label", button.textContent); // of a formula in a button nobody says the name
  button.addEventListener("click", () => {
    said.textContent = says ? `✗ ${says}` : `✓ ${words("which_right")}`;
    say(said.textContent);
  });
  return button;
}
