// After a few steps something to do: change a number and watch, then work a cell out oneself.

const FIRST_HINT = 3, SECOND_HINT = 6; // steps taken
const MOST_WORKED = 12; // cells that a cell to work out is computed from

function hint() {
  const engine = engineOf(state.section);
  const offers = engine && state.taken >= FIRST_HINT;
  $("hint").hidden = !offers;
  if (!offers) return;
  const button = document.createElement("button");
  button.type = "button";
  const practice = state.taken >= SECOND_HINT, weight = firstWeight();
  button.textContent = practice ? "Try it yourself: work out a cell" : `Change this ${engine.text(weight.matrix, 0, 0)} and watch what moves`;
  button.addEventListener("click", practice ? startGuess : startChange);
  $("hint").replaceChildren(button);
}

const firstWeight = () => {
  const { data } = passOf(state.section), weights = withRole(data, { role: "parameter", kind: "weights" });
  return { matrix: weights[0] ?? withRole(data, { role: "parameter" })[0], row: 0, column: 0 };
};

function startChange() {
  ask(firstWeight(), { pinned: true });
  show(state.asked);
  $("asked-number").focus();
  $("asked-number").select();
}

/** A cell of the step worth working out: not the one already shown, not nothing, and of a length for paper. */
function cellToWork() {
  const engine = engineOf(state.section);
  const ids = state.section.dataset.active.split(" ").filter((id) => !isGiven(state.section, { matrix: id }));
  const cells = ids.flatMap((id) => {
    const table = state.section.querySelector(`table[data-id="${id}"]`);
    return table ? [...gridOf(table, engine.values).values()].map((td) => places.get(td)) : [];
  });
  const shown = new Set(ids.map((id) => `${id}-0-0`));
  const worth = ({ matrix, row, column }) => engine.values[matrix][row][column] !== 0
    && !shown.has(`${matrix}-${row}-${column}`) && engine.precedents(matrix, row, column).length <= MOST_WORKED;
  return cells.find(worth) ?? cells[cells.length - 1] ?? null;
}

function startGuess() {
  const cell = cellToWork();
  if (!cell) return;
  ask(cell, { pinned: true });
  state.guess = cell;
  fillPanel(linksOf(engineOf(state.section), cell));
  for (const td of tdsOf(state.section, cell)) td.textContent = "?";
  show(cell);
  $("guess").value = "";
  $("guess-says").textContent = "";
  $("guess").focus();
}

function endGuess() {
  const { matrix, row, column } = state.guess, text = engineOf(state.section).text(matrix, row, column);
  for (const td of tdsOf(state.section, state.guess)) td.textContent = text;
  state.guess = null;
}

/** Right is what rounds to the shown digits; where rounded operands give another last digit, that one too. */
function judge(answer) {
  const engine = engineOf(state.section), { matrix, row, column } = state.guess;
  const decimals = engine.decimals[matrix] ?? 3, unit = 10 ** -decimals;
  const off = Math.abs(answer - engine.values[matrix][row][column]) / unit;
  const slack = engine.worked(matrix, row, column, { style: style() }).exact ? 0.5 : 1.5;
  if (off <= 0.5000001) return "Right.";
  if (off <= slack + 1e-6) return "Right except for the last digit: every digit was used here, not the rounded numbers.";
  return null;
}

$("asked-guess").addEventListener("submit", (event) => {
  event.preventDefault();
  const { matrix } = state.guess, says = judge(numberOf($("guess").value));
  if (says) return reveal(says);
  const decimals = engineOf(state.section).decimals[matrix] ?? 3;
  $("guess-says").textContent = `Look again: it is computed from the orange cells; ${decimals} decimals are asked.`;
});
$("give-up").addEventListener("click", () => reveal(""));

function reveal(says) {
  const cell = state.guess;
  endGuess();
  ask(cell, { pinned: true });
  $("asked-place").textContent = [$("asked-place").textContent, says].filter(Boolean).join(" · ");
  say(says || $("asked-value").textContent);
  $("let-go").focus({ preventScroll: true });
}
