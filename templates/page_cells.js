// Asking a cell where it comes from, changing a number, and whether the epoch helped.

// ---- Asking a cell ----

const math = (terms) => terms.map((term) => `<math>${term}</math>`).join(" ");
const same = (a, b) => a && b && a.matrix === b.matrix && a.row === b.row && a.column === b.column;

function ask(section, cell, pinned = false) {
  state.asked = cell;
  state.pinned = pinned;
  mark(section);
  const panel = $("asked");
  panel.hidden = !cell;
  if (!cell) return;
  section.querySelector(".work").append(panel);
  fillPanel(section, cell);
}

/** Yellow for the cell, orange for what it is computed from, a wavy line for what uses it. */
function mark(section) {
  for (const td of document.querySelectorAll(".is-asked, .is-from, .is-user")) {
    td.classList.remove("is-asked", "is-from", "is-user");
  }
  section.classList.toggle("asking", Boolean(state.asked));
  if (!state.asked) return;
  const engine = engineOf(section);
  const { matrix, row, column } = state.asked;
  const put = (name) => (cell) => tdOf(section, cell)?.classList.add(name);
  engine.precedents(matrix, row, column).forEach(put("is-from"));
  engine.dependents(matrix, row, column).forEach(put("is-user"));
  put("is-asked")(state.asked);
}

function fillPanel(section, cell) {
  const engine = engineOf(section);
  const { matrix, row, column } = cell;
  const given = matrix in passOf(section).data.given;
  $("asked-name").innerHTML = `<math>${engine.cellName(matrix, row, column, cellStyle())}</math>`;
  $("asked-value").textContent = `= ${engine.text(matrix, row, column)}`;
  $("asked-lines").hidden = given || Boolean(state.guess);
  $("asked-lines").innerHTML = given ? "" : linesOf(engine.worked(matrix, row, column, { style: cellStyle(), ties: true }));
  $("asked-edit").hidden = !given;
  $("asked-guess").hidden = !state.guess;
  $("asked-problem").textContent = "";
  if (given && document.activeElement !== $("asked-number")) $("asked-number").value = String(engine.values[matrix][row][column]);
  fillUses(engine, cell);
  fillChain(engine, cell);
  if (state.pinned) {
    const from = engine.precedents(matrix, row, column).length;
    $("aloud").textContent = `${engine.cellWords(matrix, row, column, cellStyle())} = ${engine.text(matrix, row, column)}` +
      (from ? `, computed from ${from} cells` : ", given");
  }
}

function linesOf(worked) {
  const lines = worked.lines.map((line, k) =>
    `<div>${k ? "" : `<math>${worked.name}</math> `}<math><mo>${line.sign}</mo></math> ${math(line.terms)}</div>`);
  const note = worked.exact ? "" : "<small>≈: worked with every digit; the rounded numbers shown give a slightly different last digit.</small>";
  return lines.join("") + note;
}

const goTo = ({ matrix, row, column }) => `#${matrix}-${row + 1}-${column + 1}`;

function fillUses(engine, { matrix, row, column }) {
  const users = engine.dependents(matrix, row, column);
  const link = (cell) => `<a href="${goTo(cell)}"><math>${engine.cellName(cell.matrix, cell.row, cell.column, cellStyle())}</math></a>`;
  const more = users.length > MOST_HELP ? ` and ${users.length - MOST_HELP} more` : "";
  $("asked-uses").innerHTML = users.length ? `Used by ${users.slice(0, MOST_HELP).map(link).join(", ")}${more}.` : "";
}

function fillChain(engine, { matrix, row, column }) {
  const chain = engine.chain(matrix, row, column, { style: cellStyle(), ties: true });
  $("asked-chain").hidden = !chain;
  if (chain) $("asked-chain-lines").innerHTML = linesOf(chain);
}

/** A letter or number of a line leads to the cell that holds it. */
$("asked").addEventListener("click", (event) => {
  const tied = event.target.closest("[data-matrix]");
  if (tied) location.hash = goTo({ matrix: tied.dataset.matrix, row: Number(tied.dataset.row), column: Number(tied.dataset.column) });
});

// ---- What if ----

/** A number as people type it: 0,42 and − are fine; NaN for anything else. */
function numberOf(text) {
  const plain = text.trim().replace("−", "-").replace(",", ".");
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain) ? Number(plain) : NaN;
}

function change(section, cell, number) {
  const engine = engineOf(section);
  engine.set(cell.matrix, cell.row, cell.column, number);
  engine.recalculate();
  afterChange(section);
}

function afterChange(section) {
  const engine = engineOf(section);
  const given = Object.keys(passOf(section).data.given);
  const changed = given.some((id) => engine.values[id].some((row, i) => row.some((_, j) => engine.differs(id, i, j))));
  $("reset").hidden = !changed;
  document.querySelector(".legend .changed").hidden = !changed;
  write(section);
  drawNetwork();
  if (state.asked) fillPanel(section, state.asked);
  fillHelp();
}

$("asked-edit").addEventListener("submit", (event) => {
  event.preventDefault();
  const number = numberOf($("asked-number").value);
  const fine = Number.isFinite(number) && !(state.asked.matrix === "learning_rate" && number <= 0);
  $("asked-problem").textContent = fine ? "" : "Type a number such as 0.42, −1 or 3e-2.";
  if (fine) change($("asked").closest("section"), state.asked, number);
});
$("reset").addEventListener("click", () => {
  const section = $("asked").closest("section");
  engineOf(section).reset();
  $("asked-number").value = "";
  afterChange(section);
  if (state.asked) fillPanel(section, state.asked);
});

// ---- Did it help? ----

function fillHelp() {
  const pass = state.section && passOf(state.section);
  $("help").hidden = !pass;
  if (!pass || !$("help").querySelector("details").open) return;
  const { engine, data } = pass;
  const moved = Object.keys(data.given).filter((each) => engine.values[`${each}_next`]);
  const after = engine.run(Object.fromEntries(moved.map((each) => [each, engine.values[`${each}_next`]])));
  const id = `A${data.depth}`;
  const rows = engine.values[id].flatMap((row, i) => row.map((_, j) => [i, j])).slice(0, MOST_HELP);
  const body = rows.map(([i, j]) => {
    const target = engine.values.Y[i][j];
    const nearer = Math.abs(after[id][i][j] - target) - Math.abs(engine.values[id][i][j] - target);
    const says = nearer < 0 ? "nearer" : nearer > 0 ? "further off" : "the same";
    return `<tr><th scope="row">sample ${i + 1}, output ${j + 1}</th><td>${engine.text("Y", i, j)}</td>` +
      `<td>${fine(engine.values[id][i][j])}</td><td>${fine(after[id][i][j])}</td><td>${says}</td></tr>`;
  });
  const [before, now] = [engine.values.L[0][0], after.L[0][0]];
  body.push(`<tr><th scope="row">loss</th><td></td><td>${fine(before)}</td><td>${fine(now)}</td>` +
    `<td>${now < before ? "smaller" : now > before ? "larger" : "the same"}</td></tr>`);
  const apart = now < before && body.some((row) => row.includes("further off"));
  $("help-body").innerHTML =
    `<table class="plain"><thead><tr><td></td><th scope="col">target</th><th scope="col">before</th><th scope="col">after</th><td></td></tr></thead><tbody>${body.join("")}</tbody></table>` +
    (apart ? "<p>An output is further off although the loss is smaller: all samples share the weights, so the step is a compromise between them.</p>" : "");
}

const fine = (value) => value.toPrecision(6).replace("-", "−");
$("help").querySelector("details").addEventListener("toggle", fillHelp);
