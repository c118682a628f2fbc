// What things are called in the chosen style, on the tables, in the formulas and in the worked lines.

const style = () => choices.style || DATA.passes[0].style;
/** Beside the identifier of a matrix that the article has words for its derivative is in identifiers too. */
const identifierStyle = () => (style() === "article" ? "matrix" : style());
const cellName = (engine, { matrix, row, column }) => `<math>${engine.cellName(matrix, row, column, style())}</math>`;

/** Every name of a section in the chosen style; names are the same in all passes. */
function caption(section) {
  const pass = passOf(section) ?? opened(passes[0]);
  for (const name of section.querySelectorAll("[data-name]")) {
    name.innerHTML = pass.engine.matrixName(name.dataset.name, style());
  }
  if (!passOf(section)) return;
  for (const table of tablesOf(section)) {
    table.caption.querySelector("small").innerHTML = detail(pass, table.dataset.id);
    table.setAttribute("aria-label", words(pass, table));
  }
}

/** A table's name for those who cannot see it; what the step does with the matrix stays said. */
function words({ engine }, table) {
  const id = table.dataset.id, named = engine.matrixWords(id, style());
  const role = table.getAttribute("aria-label").match(/computed (in|from).*$/)?.[0];
  return [named, id === RATE ? "learning rate" : named === id ? "" : id, shape(engine, id), role].filter(Boolean).join(", ");
}

/** What follows a matrix's name: symbol, derivative and shape, as far as they say something new. */
function detail({ engine, data }, id) {
  if (id === RATE) return "learning rate";
  const named = engine.matrixName(id, style());
  const symbol = engine.matrixWords(id, style()) === id ? "" : id;
  const fraction = data.derivatives[id]?.departs ? null : engine.fraction(id, identifierStyle());
  return [symbol, fraction && fraction !== named ? `<math>${fraction}</math>` : "", shape(engine, id)].filter(Boolean).join(" · ");
}

function shape(engine, id) {
  const size = [engine.values[id].length, engine.values[id][0].length];
  return id === RATE ? "" : (choices.turned ? size.reverse() : size).join("×");
}

/** Worked lines as markup, each in pieces between which it may break. */
function linesOf(worked) {
  const math = (markup) => `<math>${markup}</math>`;
  const lines = worked.lines.map(({ sign, terms }, k) => {
    const left = k ? "" : worked.name;
    return `<div>${[`${left}<mo>${sign}</mo>${terms[0]}`, ...terms.slice(1)].map(math).join(" ")}</div>`;
  });
  return lines.join("") + (worked.exact ? "" : `<small>${DATA.inexact}</small>`);
}

/** The cell of a matrix that is worked out as its example. */
function exampleOf(section, id) {
  const { row = 0, column = 0 } = section.querySelector(`.worked.first[data-id="${id}"]`)?.dataset ?? {};
  return { matrix: id, row: Number(row), column: Number(column) };
}

/** One cell of each matrix, worked out: for long pages and paper. */
function rework(section) {
  const engine = engineOf(section);
  for (const worked of section.querySelectorAll(".worked.first")) {
    const { matrix, row, column } = exampleOf(section, worked.dataset.id);
    worked.innerHTML = linesOf(engine.worked(matrix, row, column, { style: style() }));
  }
}

const SMALLEST = 0.6; // of a line's own size; one still too long then can be scrolled, by the keyboard too

/** Lines too long for their place are written smaller, before they are next painted: the page is laid out once. */
function fit(lines) {
  if (!tooLong.length) requestAnimationFrame(fitAll);
  tooLong.push(...lines);
}

let tooLong = []; // or not: it is seen when they are laid out

function fitAll() {
  const lines = tooLong.filter((line) => line.isConnected && line.clientWidth); // not what is hidden
  tooLong = [];
  for (const [line, ratio] of shrunk(lines, SMALLEST)) if (ratio < SMALLEST) line.tabIndex = 0;
}

/** Lines in a type so small that they fit, but no smaller than `least`; with what would be needed of each. */
function shrunk(lines, least) {
  for (const line of lines) {
    line.style.fontSize = "";
    line.removeAttribute("tabindex");
  }
  const ratios = lines.map((line) => line.clientWidth / line.scrollWidth);
  lines.forEach((line, k) => {
    if (ratios[k] < 1) line.style.fontSize = `${Math.max(least, Math.floor(100 * ratios[k]) / 100)}em`;
  });
  return lines.map((line, k) => [line, ratios[k]]);
}

/** On paper nothing scrolls: every line of every step fits its width (page_print.css). */
function fitPaper() {
  root.classList.add("on-paper");
  shrunk([...document.querySelectorAll(".formula > :not([hidden]), .worked.first > div")], 0);
  root.classList.remove("on-paper");
}

const formulasOf = (section) => [...section.querySelectorAll(".formula > :not([hidden]), .worked.first > div")];

/** The story's parameter, and where it goes from what is on the page now. */
function tell() {
  const [id, row, column] = $("story").dataset.cell.split("-").map((part, k) => (k ? part - 1 : part));
  const { engine, data } = opened(passes[0]), next = updatedOf(data, id);
  const [before, after] = [id, next].map((each) => engine.values[each][row][column]);
  const decimals = engine.decimals[next] ?? 3;
  $("story").innerHTML = `<math>${engine.cellName(id, row, column, style())}</math>`;
  $("story-before").textContent = TracerEngine.fixed(before, decimals);
  $("story-after").textContent = TracerEngine.fixed(after, decimals);
}

const MOST_TYPED = 9; // a given number with more significant digits was not typed (shown.py)
const mayBeTyped = (number) => Number(number.toPrecision(MOST_TYPED)) === number;

/** Given numbers stay as they were typed; where an epoch has gone on, they have the digits of what made them. */
function setDecimals({ engine, data }) {
  for (const [id, recorded] of Object.entries(data.decimals)) {
    const made = recorded === null && !engine.values[id].every((cells) => cells.every(mayBeTyped));
    const own = made ? data.decimals[updatedOf(data, id)] ?? MOST_TYPED : recorded;
    engine.decimals[id] = own === null || choices.decimals === "" ? own : Number(choices.decimals);
  }
}
