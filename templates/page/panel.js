// The answer: a cell worked out, what it is computed from, what uses it, and for a weight the whole chain.

const MOST_LINKS = 12;
const MOST_CHAINED = 4; // paths of a chain whose cells are listed

/** Beside the board it stands under the step's text; else at the foot of the window, where it covers no question. */
function showPanel(links) {
  const panel = $("asked"), beside = wide.matches && !choices.everything;
  panel.hidden = !links || (state.lit && !beside); // a step's first cell is worked out in the text there
  root.classList.toggle("sheet", !panel.hidden && !beside);
  if (panel.hidden) return;
  const host = beside ? state.section.querySelector(".text") : state.section;
  if (panel.parentNode !== host) host.append(panel);
  fillPanel(links);
}

function fillPanel(links) {
  const { section, asked: cell } = state, engine = engineOf(section);
  const { matrix, row, column } = cell, given = isGiven(section, cell), td = tdOf(section, cell);
  $("asked-name").innerHTML = cellName(engine, cell);
  $("asked-value").textContent = `= ${state.guess ? "?" : engine.text(matrix, row, column)}`;
  const was = engine.differs(matrix, row, column) ? `≠ ${engine.was(matrix, row, column)} as recorded` : "";
  $("asked-place").textContent = [td ? placeWords(td) : "", was].filter(Boolean).join(" · ");
  $("asked-edit").hidden = !given;
  $("asked-guess").hidden = !state.guess;
  $("asked-problem").textContent = "";
  if (given && document.activeElement !== $("asked-number")) $("asked-number").value = typed(engine.values[matrix][row][column]);
  if (given) fillTrying();
  $("asked-lines").hidden = given || Boolean(state.guess);
  $("asked-lines").innerHTML = $("asked-lines").hidden ? "" : linesOf(engine.worked(matrix, row, column, { style: style(), ties: true }));
  fit([...$("asked-lines").children]);
  list($("asked-sources"), "Computed from", links.from);
  list($("asked-users"), "Used by", links.users);
  fillChain();
}

const quoted = (text) => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** A link to a cell; those who cannot see its name as mathematics hear it in words. */
function linkOf(engine, cell) {
  const words = engine.cellWords(cell.matrix, cell.row, cell.column, style());
  return `<a href="${linkTo(cell)}" aria-label="${quoted(words)}">${cellName(engine, cell)}</a>`;
}

const typed = (number) => String(number).replace("-", "−");

function list(place, words, cells) {
  const engine = engineOf(state.section), link = (cell) => linkOf(engine, cell);
  const more = cells.length > MOST_LINKS ? ` and ${cells.length - MOST_LINKS} more` : "";
  place.hidden = !cells.length;
  place.innerHTML = `${words} ${cells.slice(0, MOST_LINKS).map(link).join(" ")}${more}`;
}

/** The chain of a weight or bias, of its gradient, and of its new value: why it went there. It waits to be opened. */
function fillChain() {
  const { matrix, row, column } = state.asked, engine = engineOf(state.section), named = style();
  const { data } = passOf(state.section) ?? {}, parameter = data?.roles[matrix]?.of ?? matrix;
  const of = state.guess || !data || !isParameter(data, parameter) ? null : engine.gradientBy(parameter);
  $("asked-chain").hidden = !of;
  if (!of) return;
  $("asked-chain-title").innerHTML = `The whole chain: <math>${engine.fraction(of, named, row, column)}</math>`;
  if (!$("asked-chain").open) return;
  const chain = engine.chain(of, row, column, { style: named, ties: true });
  $("asked-chain").hidden = !chain;
  if (!chain) return;
  const link = (cell) => linkOf(engine, cell);
  const paths = chain.paths.map(({ cells }) => cells.filter(Boolean)).filter((cells) => cells.length);
  const more = paths.length > MOST_CHAINED ? "; and so on" : "";
  $("asked-chain-lines").innerHTML = linesOf(chain);
  $("asked-chain-cells").innerHTML =
    `Its factors are in ${paths.slice(0, MOST_CHAINED).map((cells) => cells.map(link).join(" ")).join("; ")}${more}`;
  fit([...$("asked-chain-lines").children]);
}

$("asked-chain").addEventListener("toggle", () => state.asked && $("asked-chain").open && fillChain());

/** A letter or number of a line leads to the cell that holds it; the list below it does so for the keyboard. */
$("asked").addEventListener("click", (event) => {
  const tie = event.target.closest("[data-matrix]");
  if (!tie) return;
  const { matrix, row, column } = tie.dataset;
  location.hash = linkTo({ matrix, row: Number(row), column: Number(column) });
});

$("let-go").addEventListener("click", letGo);

/** The focus goes back to the cell first: it is still the one asked about, so that this asks nothing. */
function letGo() {
  const td = state.asked && tdOf(state.section, state.asked);
  if ($("asked").contains(document.activeElement)) (td ?? $("next")).focus({ preventScroll: true });
  ask(null);
}

const say = (words) => { $("aloud").textContent = words; };

/** What a screen reader says of the cell asked about, besides the table's own headings. */
function sayAsked() {
  const { matrix, row, column } = state.asked, engine = engineOf(state.section);
  const { from, users } = linksOf(engine, state.asked);
  const made = isGiven(state.section, state.asked) ? "given" : `computed from ${counted(from.length)}`;
  const used = users.length ? `, used by ${counted(users.length)}` : "";
  const was = engine.differs(matrix, row, column) ? `, ${engine.was(matrix, row, column)} as recorded` : "";
  say(`${engine.cellWords(matrix, row, column, style())} = ${engine.text(matrix, row, column)}${was}, ${made}${used}`);
}

const counted = (number) => `${number} ${number === 1 ? "cell" : "cells"}`;
