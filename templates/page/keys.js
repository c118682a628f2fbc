// Mouse, finger and keyboard on the tables.

const MOVES = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

/** The cell under an event, and its table cell and section; null elsewhere, and while a cell is being worked out. */
function met(event) {
  const td = event.target.closest?.(".board td, .stage td"), cell = td && !state.guess && cellOf(td);
  return cell ? { td, cell, section: td.closest("section.step") } : null;
}

let pointer = [NaN, NaN], arrived = null; // where the mouse was last, and what has come under it at rest since
const isAtRest = ({ clientX, clientY }) => clientX === pointer[0] && clientY === pointer[1];

for (const kind of ["pointermove", "pointerdown"])
  addEventListener(kind, (event) => {
    if (arrived && !isAtRest(event)) meet(arrived);
    [pointer, arrived] = [[event.clientX, event.clientY], null];
  }, true);

main.addEventListener("pointerover", (event) => {
  if (isAtRest(event)) arrived = event;
  else meet(event);
});

function meet(event) {
  const found = event.pointerType === "mouse" && !state.pinned && met(event);
  if (found && !(same(found.cell, state.asked) && found.section === state.section)) ask(found.cell, found);
}

main.addEventListener("click", (event) => {
  const found = met(event);
  if (found) pin(found);
});

/** A cell that is pinned stays; pinned again, it is let go. */
function pin({ td, cell, section }) {
  const again = state.pinned && same(cell, state.asked) && section === state.section;
  ask(cell, { section, pinned: !again });
  if (td.isConnected) stopAt(td);
  if (again) return;
  show(cell, td.isConnected ? td : undefined);
  sayAsked();
}

/** The keyboard's place in a table: each is one stop of the Tab key, arrows move within it. */
function stopAt(td) {
  for (const other of td.closest("table").querySelectorAll("td[tabindex='0']")) other.tabIndex = -1;
  td.tabIndex = 0;
}

const prepared = new WeakSet();

function prepareKeys(section) {
  const engine = engineOf(section);
  if (!engine || prepared.has(section)) return;
  prepared.add(section);
  for (const table of tablesOf(section)) {
    const grid = gridOf(table, engine.values);
    for (const [, td] of grid) td.tabIndex = -1;
    grid.get("0-0").tabIndex = 0;
  }
}

main.addEventListener("focusin", (event) => {
  const found = met(event);
  if (!found || (same(found.cell, state.asked) && found.section === state.section)) return;
  ask(found.cell, { section: found.section, pinned: state.pinned });
  sayAsked();
});

document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const at = event.target, onCell = at.matches?.(".board td, .stage td");
  if (event.key === "Escape" && state.asked) letGo();
  else if (onCell && event.key in MOVES) move(event, at);
  else if (onCell && (event.key === "Enter" || event.key === " ")) press(event, at);
  else if (!at.matches?.("input, select, textarea, td") && (event.key === "ArrowRight" || event.key === "ArrowLeft"))
    go(event.key === "ArrowRight" ? 1 : -1);
});

/** Over what is left out of a long table, too. */
function move(event, at) {
  const [down, across] = MOVES[event.key], rows = at.closest("table").rows;
  event.preventDefault();
  let [row, column] = [at.parentNode.rowIndex, at.cellIndex], next;
  do {
    [row, column] = [row + down, column + across];
    next = rows[row]?.cells[column];
  } while (next && /^[⋮⋯]$/.test(next.textContent));
  if (!next || !cellOf(next)) return;
  stopAt(next);
  next.focus();
}

/** Enter pins a cell; on a given one it leads on to the number that can be changed. */
function press(event, at) {
  const found = met(event);
  event.preventDefault();
  if (!found) return;
  if (!isGiven(found.section, found.cell)) {
    pin(found);
    return;
  }
  ask(found.cell, { section: found.section, pinned: true });
  $("asked-number").focus({ preventScroll: true });
  $("asked-number").select();
}
