// The stage: the matrices of one formula laid out as it reads, with the asked cell where its row and column meet.

const MOST_STAGED = [8, 12], MOST_ON_PHONES = [5, 5]; // rows and columns of an operand; of more the first, the asked, the last
const FIRST_STAGED = [3, 2]; // of more, and on phones
const MOST_AT_EASE = 14; // operands and signs in a row; more are smaller
const narrow = matchMedia("screen and (width < 48rem)"); // as in page.css
const MOST_LISTED = 4; // formulas of a step that are listed together; of more, the one on stage alone
const stage = $("stage");
const onStage = { section: null, cell: null, grid: new Map() }; // the cell that is made; table cells by the cell shown

/** What a section computes, formula by formula. */
const formulas = (section) => [...section.querySelectorAll(".formula")].map((line) => line.dataset.of);
const layoutOf = ({ data }, id) => data.computed.find((made) => made.id === id).stage;
const keyOf = ({ matrix, row, column }) => `${matrix}-${row}-${column}`;

/** Where it stands: over the board where there is room for both, else between the formulas and the worked lines. */
function placeStage(section) {
  const host = wide.matches ? section.querySelector(".known") : section.querySelector(".text");
  const before = wide.matches ? host.firstChild : section.querySelector(".worked.first") ?? null;
  if (stage.parentNode !== host || onStage.section !== section) host.insertBefore(stage, before);
}

/** Show the formula that makes a matrix, with a cell of it asked; none where the section computes nothing. */
function showStage(section, cell) {
  const pass = passOf(section), none = !pass || !cell || Boolean(choices.everything);
  onStage.grid.clear();
  stage.hidden = none;
  Object.assign(onStage, { section, cell: none ? null : cell });
  section.classList.toggle("many", !none && formulas(section).length > MOST_LISTED);
  for (const part of section.querySelectorAll("[data-of]")) part.classList.toggle("current", !none && part.dataset.of === cell.matrix);
  if (!none) {
    draw(pass, section, cell);
    fit(formulasOf(section)); // another of them is in sight
  }
  offerTurns();
}

function draw(pass, section, cell) {
  const focused = stage.contains(document.activeElement);
  placeStage(section);
  stage.replaceChildren(laidOut(pass, layoutOf(pass, cell.matrix), cell));
  for (const scheme of stage.querySelectorAll(".scheme")) scheme.style.setProperty("--digits", digits(scheme));
  for (const table of stage.querySelectorAll(".matrix:not(.ones) table")) {
    const own = [...table.querySelectorAll("td")].filter((td) => places.has(td));
    for (const td of own) td.tabIndex = -1; // arrows move within a table, which is one stop of the Tab key
    (own.find((td) => same(places.get(td), cell)) ?? own[0]).tabIndex = 0;
  }
  const asked = onStage.grid.get(keyOf(cell))?.[0];
  if (asked) bringOnStage(asked);
  if (focused) onStage.grid.get(keyOf(cell))?.[0].focus({ preventScroll: true });
}

/** Move the stage's own view, where it is too large for the window, until a cell is in it. */
function bringOnStage(td) {
  stage.scrollTo(0, 0);
  const [cell, view] = [td, stage].map((part) => part.getBoundingClientRect());
  stage.scrollLeft += Math.max(0, cell.right - view.right + 8);
  stage.scrollTop += Math.max(0, cell.bottom - view.bottom + 8);
}

/** How many characters the longest number of a scheme has, whose columns are of one width. */
const digits = (scheme) => Math.max(...[...scheme.querySelectorAll("td")].map((td) => td.textContent.length));

/** The stage follows a cell that its section computes, and stays for one that it is computed from. */
function stageFor(section, cell) {
  const made = passOf(section) && !choices.everything ? formulas(section) : [];
  const there = onStage.section === section && onStage.cell?.matrix === cell?.matrix && !stage.querySelector(".left-out");
  if (cell && there) onStage.cell = cell; // every cell is in view
  else if (cell && made.includes(cell.matrix)) showStage(section, cell);
  else if (onStage.section !== section || !made.length) showStage(section, made.length ? exampleOf(section, made[0]) : null);
}

/** The cell whose formula comes so many before or behind the one on stage, in the same section; null beyond it. */
function formulaBy(by) {
  if (onStage.section !== state.section || !onStage.cell) return null;
  const made = formulas(state.section), id = made[made.indexOf(onStage.cell.matrix) + by];
  return id ? exampleOf(state.section, id) : null;
}

// ---- Everything known so far, folded away below the stage ----

const folds = sections.filter((section) => passOf(section) && formulas(section).length).map((section) => section.querySelector(".fold"));

/** All open or closed alike. */
function unfold(open) {
  for (const fold of folds) if (fold.open !== open) fold.open = open;
}

for (const fold of folds) fold.addEventListener("toggle", () => unfold(fold.open));
for (const section of sections) section.classList.toggle("staged", folds.includes(section.querySelector(".fold")));

/** Which of the buttons leads on. */
function offerTurns() {
  const place = sections.indexOf(onStage.section);
  $("previous").disabled = place === 0 && !formulaBy(-1);
  $("next").disabled = place === sections.length - 1 && !formulaBy(1);
}

/** The table cells that show a cell: on the stage and on the board. */
function tdsOf(section, cell) {
  const staged = onStage.section === section ? onStage.grid.get(keyOf(cell)) ?? [] : [];
  return [...staged, tdOf(section, cell)].filter(Boolean);
}

/** The layout of a formula, by its kind. */
function laidOut(pass, layout, cell) {
  const draw = new StageDrawing(pass, cell);
  if (layout.pairs) return draw.products(layout);
  if (layout.sum) return draw.sum(layout);
  if (layout.items) return draw.row([...layout.items, { sign: "=" }]);
  return draw.row([...layout.of, { sign: "→" }]);
}

class StageDrawing {
  constructor({ engine }, cell) {
    this.engine = engine;
    this.cell = cell;
    this.rows = this.kept(cell.matrix, 0, cell.row);
    this.columns = this.kept(cell.matrix, 1, cell.column);
  }

  /** Rows (side 0) or columns (side 1) of a matrix that are shown; null stands for those left out. */
  kept(id, side, asked) {
    const values = this.engine.values[id], count = side ? values[0].length : values.length;
    const most = (narrow.matches ? MOST_ON_PHONES : MOST_STAGED)[side], all = Array.from({ length: count }, (_, k) => k);
    if (count <= most) return all;
    const first = all.slice(0, FIRST_STAGED[Number(narrow.matches)]);
    const chosen = [...new Set([...first, asked ?? 0, count - 1])].sort((a, b) => a - b);
    return chosen.flatMap((k, n) => (n && k > chosen[n - 1] + 1 ? [null, k] : [k]));
  }

  /** Falk's scheme: what stands left of the result has its rows, what stands above it its columns. */
  products({ pairs, rows }) {
    const grid = element("div", "scheme"), wide = pairs.length + (rows.length ? 1 : 0) + 1;
    const last = pairs.length + rows.length + 1;
    pairs.forEach(([left, right], k) => {
      const inner = this.inner(left);
      place(grid, this.table(right, { rows: inner, columns: this.columns, role: "input" }), wide, k + 1);
      place(grid, this.table(left, { rows: this.rows, columns: inner, role: "input" }), k + 1, last);
    });
    rows.forEach((row, k) => place(grid, this.table(row, { columns: this.columns, role: "input" }), wide, pairs.length + k + 1));
    if (rows.length) place(grid, this.ones(), wide - 1, last);
    place(grid, this.result(), wide, last);
    return grid;
  }

  /** The axis over which a product adds up. */
  inner(left) {
    const turned = Array.isArray(left), id = turned ? left[0] : left;
    return this.kept(id, turned ? 0 : 1);
  }

  /** The column of ones with which a row takes part in the scheme. */
  ones() {
    const box = element("div", "matrix ones"), body = element("table", "").createTBody();
    for (const row of this.rows) body.insertRow().insertCell().textContent = row === null ? "⋮" : "1";
    box.append(element("div", "name", "1"), body.parentNode);
    return box;
  }

  sum({ sum, under }) {
    const box = element("div", under ? "scheme under" : "scheme");
    const shown = under ? { columns: this.columns } : { rows: this.rows };
    place(box, this.table(sum, { ...shown, role: "input" }), 1, 1);
    place(box, this.result(), under ? 1 : 2, under ? 2 : 1);
    return box;
  }

  /** Operands and signs side by side, the result last. */
  row(items) {
    const box = element("div", items.length > MOST_AT_EASE ? "in-a-row crowded" : "in-a-row");
    const parts = items.map((item) => item.sign ? element("span", "sign", item.sign) : this.table(item, this.asResult(item)));
    if (narrow.matches) box.append(this.result(), element("span", "sign", "="), ...parts.slice(0, -1)); // what is asked, first
    else box.append(...parts, this.result());
    return box;
  }

  /** An operand of the result's shape shows the rows and columns that the result shows. */
  asResult(operand) {
    const turned = Array.isArray(operand), values = this.engine.values[turned ? operand[0] : operand];
    const own = turned ? [values[0].length, values.length] : [values.length, values[0].length];
    const result = this.engine.values[this.cell.matrix];
    return {
      rows: own[0] === result.length ? this.rows : null,
      columns: own[1] === result[0].length ? this.columns : null,
      role: "input",
    };
  }

  result() {
    return this.table(this.cell.matrix, { rows: this.rows, columns: this.columns, role: "active" });
  }

  table(operand, { rows, columns, role }) {
    const turned = Array.isArray(operand), id = turned ? operand[0] : operand;
    const down = rows ?? this.kept(id, turned ? 1 : 0), across = columns ?? this.kept(id, turned ? 0 : 1);
    const box = element("div", `matrix ${role}`), table = element("table", ""), body = table.createTBody();
    const name = element("div", "name");
    name.innerHTML = this.caption(id, turned, role);
    table.setAttribute("aria-label", this.engine.matrixWords(id, style()));
    for (const i of down) {
      const line = body.insertRow();
      for (const j of across) this.fill(line.insertCell(), id, turned ? [j, i] : [i, j]);
    }
    box.append(name, table);
    return box;
  }

  caption(id, turned, role) {
    const mark = { active: "▶", input: "•" }[role], values = this.engine.values[id];
    const size = turned ? `${values[0].length}×${values.length}, turned` : `${values.length}×${values[0].length}`;
    const name = `<math>${turned ? `<msup>${this.engine.matrixName(id, style())}<mi>T</mi></msup>` : this.engine.matrixName(id, style())}</math>`;
    return `<span class="mark" aria-hidden="true">${mark}</span>&nbsp;${name} <small>${id === RATE ? "" : size}</small>`;
  }

  fill(td, matrix, [row, column]) {
    if (row === null || column === null) {
      td.textContent = "⋯";
      td.className = "left-out";
      return;
    }
    const cell = { matrix, row, column };
    td.textContent = this.engine.text(matrix, row, column);
    td.classList.toggle("changed", this.engine.differs(matrix, row, column));
    places.set(td, cell);
    onStage.grid.set(keyOf(cell), [...(onStage.grid.get(keyOf(cell)) ?? []), td]);
  }
}

function element(name, className, text = "") {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

function place(grid, child, column, row) {
  child.style.gridArea = `${row} / ${column}`;
  grid.append(child);
}
