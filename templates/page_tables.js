"use strict";
// The page: stepping, asking a cell where it comes from, changing a number, and how things are shown.
// What is computed, and how a worked line reads, is the engine's business (engine.js).

const $ = (id) => document.getElementById(id);
const SWIPE = 60; // pixels across; a slower or steeper move scrolls
const FIRST_HINT = 3, SECOND_HINT = 6; // steps taken
const MOST_HELP = 12; // rows of "Did it help?"
const CELL = /^([A-Za-z]\w*?)-(\d+)-(\d+)$/;

const DATA = JSON.parse($("tracer-data").textContent);
const sections = [...document.querySelectorAll("section.step")];
const choices = { decimals: "", style: "", turned: "", theme: "", type: "", everything: "" };
const state = { section: null, asked: null, pinned: false, taken: 0, guess: null };

// ---- The passes and their engines ----

const passes = DATA.passes.map((data) => ({ data, decimals: data.decimals, engine: null }));

/** The pass that a section belongs to; null where its data would have been too much for a page. */
function passOf(section) {
  const found = passes.find((pass) => section.id.startsWith(`${pass.data.prefix}step-`));
  if (found && !found.engine) found.engine = TracerEngine.open(found.data);
  return found || null;
}

const engineOf = (section) => passOf(section)?.engine;
const style = () => choices.style || DATA.passes[0].style;
/** The article has words for whole matrices only: its cells are in symbols. */
const cellStyle = () => (style() === "article" ? "matrix" : style());

// ---- Tables ----

/** The rows or columns that a table shows; null stands for those left out. */
function kept(count, [most, first, last]) {
  const all = Array.from({ length: count }, (_, k) => k);
  return count <= most ? all : [...all.slice(0, first), null, ...all.slice(-last)];
}

function shown(engine, id) {
  const values = engine.values[id];
  return { rows: kept(values.length, DATA.kept.rows), columns: kept(values[0].length, DATA.kept.columns) };
}

/** The cell of a matrix that a table cell shows. */
function cellOf(td) {
  const table = td.closest("table");
  const engine = table && engineOf(table.closest("section"));
  if (!engine) return null;
  const place = [td.parentNode.rowIndex - 1, td.cellIndex - 1];
  const [i, j] = choices.turned ? place.reverse() : place;
  const { rows, columns } = shown(engine, table.dataset.id);
  if (!(i in rows) || !(j in columns) || rows[i] === null || columns[j] === null) return null;
  return { matrix: table.dataset.id, row: rows[i], column: columns[j] };
}

/** The table cell that shows a cell of a matrix in a section, if one does. */
function tdOf(section, { matrix, row, column }) {
  const table = section.querySelector(`table[data-id="${matrix}"]`);
  if (!table) return null;
  const { rows, columns } = shown(engineOf(section), matrix);
  const place = [rows.indexOf(row), columns.indexOf(column)];
  if (place.includes(-1)) return null;
  const [i, j] = choices.turned ? place.reverse() : place;
  return table.rows[i + 1].cells[j + 1];
}

/** Turn a table over its diagonal, headings and all. */
function turn(table) {
  const grid = [...table.rows].map((row) => [...row.cells]);
  const body = document.createElement("tbody");
  grid[0].forEach((_, column) => {
    const row = body.insertRow();
    grid.forEach((cells) => {
      const cell = cells[column];
      if (cell.scope) cell.scope = cell.scope === "row" ? "col" : "row";
      if (cell.textContent === "⋮" || cell.textContent === "⋯") cell.textContent = "⋯";
      row.append(cell);
    });
  });
  table.tBodies[0].replaceWith(body);
}

/** Write the numbers of a section anew, and mark those that are not as recorded. */
function write(section) {
  const engine = engineOf(section);
  if (!engine) return;
  for (const table of section.querySelectorAll("table")) {
    const id = table.dataset.id;
    for (const td of table.querySelectorAll("td")) {
      const cell = cellOf(td);
      if (!cell) continue;
      td.textContent = engine.text(id, cell.row, cell.column);
      const differs = engine.differs(id, cell.row, cell.column);
      td.classList.toggle("changed", differs);
      if (differs) td.title = `was ${engine.was(id, cell.row, cell.column)}`;
      else td.removeAttribute("title");
    }
  }
}

/** Every name in the chosen style. */
function rename(section) {
  const engine = engineOf(section);
  if (!engine) return;
  for (const name of section.querySelectorAll("[data-name]")) {
    name.innerHTML = engine.matrixName(name.dataset.name, style());
  }
}

function refresh(section) {
  rename(section);
  write(section);
  for (const each of section.querySelectorAll(".as-rows")) each.hidden = Boolean(choices.turned);
  for (const each of section.querySelectorAll(".as-columns")) each.hidden = !choices.turned;
}

// ---- The picture ----

function drawNetwork() {
  const engine = state.section && engineOf(state.section);
  if (!engine) return;
  const active = new Set(state.section.dataset.active.split(" "));
  const inputs = new Set(state.section.dataset.inputs.split(" "));
  const emphasis = (ids) => (ids.some((id) => active.has(id)) ? "active" : ids.some((id) => inputs.has(id)) ? "input" : "");
  for (const edge of document.querySelectorAll(".network line")) {
    const [id, row, column] = edge.dataset.cell.split("-");
    const weight = engine.values[id][row - 1][column - 1];
    edge.classList.toggle("negative", weight < 0);
    edge.classList.toggle("positive", weight >= 0);
    edge.dataset.part = emphasis([id, `d${id}`, `${id}_next`]);
  }
  for (const node of document.querySelectorAll(".network .node")) {
    const layer = node.dataset.layer;
    const last = layer === String(DATA.passes[0].depth);
    node.dataset.part = emphasis(
      layer === "0" ? ["X"] : ["Z", "A", "S", "D", "E", "b", "db"].map((kind) => kind + layer).concat(last ? ["E", "L"] : []),
    );
  }
  const known = new Set([...state.section.querySelectorAll("table")].map((table) => table.dataset.id));
  for (const value of document.querySelectorAll(".network tspan")) {
    const [id, row, column] = value.dataset.cell.split("-");
    value.textContent = known.has(id) ? Number(engine.values[id][row - 1][column - 1]).toFixed(2) : "";
    value.parentNode.style.visibility = known.has(id) ? "" : "hidden";
  }
}
