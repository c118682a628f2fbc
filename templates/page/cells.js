// Asking a cell where it comes from: the marks on the board. The panel that answers is in panel.js.

const MARKS = ["is-asked", "is-from", "is-user"];
const same = (a, b) => Boolean(a && b) && a.matrix === b.matrix && a.row === b.row && a.column === b.column;
let marked = []; // table cells

/** Ask a cell, or none. `lit`: the page does it, as a start; `pinned`: the mouse does not change it. */
function ask(cell, { section = state.section, pinned = false, lit = false } = {}) {
  if (section !== state.section) become(section);
  if (state.guess && !same(cell, state.guess)) endGuess();
  Object.assign(state, { asked: cell, pinned, lit });
  stageFor(section, cell);
  const links = cell && linksOf(engineOf(section), cell);
  mark(links);
  showPanel(links);
}

/** What a cell is computed from, and what is computed from it. */
function linksOf(engine, { matrix, row, column }) {
  return { from: engine.precedents(matrix, row, column), users: engine.dependents(matrix, row, column) };
}

/** Yellow for the cell, orange for what it is computed from, a wavy line for what uses it. */
function mark(links) {
  for (const td of marked) td.classList.remove(...MARKS);
  for (const section of sections) section.classList.toggle("asking", Boolean(links) && section === state.section);
  marked = [];
  if (!links) return;
  put([state.asked], "is-asked");
  put(links.from, "is-from");
  put(links.users, "is-user");
}

function put(cells, name) {
  for (const cell of cells) {
    for (const td of tdsOf(state.section, cell)) {
      td.classList.add(name);
      marked.push(td);
    }
  }
}

/** An example of what the step computes, lit, so that there is an answer before the first question. */
function askFirst() {
  const first = state.section.dataset.active.split(" ")[0];
  const lit = passOf(state.section) && !isGiven(state.section, { matrix: first });
  ask(lit ? exampleOf(state.section, first) : null, { lit: true });
}

/** The link to a cell: in a page of several passes with the pass in it. */
const linkTo = ({ matrix, row, column }) => `#${passOf(state.section).data.prefix}${matrix}-${row + 1}-${column + 1}`;

/** Where a cell stands, in the words of its table's headings: "sample 2, unit 3". */
function placeWords(td) {
  const table = td.closest("table");
  const heads = [td.parentNode.querySelector("th"), table.rows[0].cells[td.cellIndex]];
  const words = heads.map((head) => head?.getAttribute("aria-label")).filter(Boolean);
  return (choices.turned ? words.reverse() : words).join(", ");
}
