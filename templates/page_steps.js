// Stepping through the epoch, keys and fingers, choices that stay, and where to begin.

// ---- Stepping ----

function enter(section, { focus = false, record = true } = {}) {
  state.section = section;
  state.guess = null;
  for (const each of sections) each.hidden = !choices.everything && each !== section;
  for (const link of document.querySelectorAll(".rail a")) {
    if (link.dataset.step === section.id) link.setAttribute("aria-current", "step");
    else link.removeAttribute("aria-current");
  }
  const place = sections.indexOf(section);
  $("previous").disabled = place === 0;
  $("next").disabled = place === sections.length - 1;
  if (record && location.hash !== `#${section.id}`) history.pushState(null, "", `#${section.id}`);
  refresh(section);
  prepareKeys(section);
  askFirst(section);
  drawNetwork();
  $("help").querySelector("details").open = $("help").querySelector("details").open || (place === sections.length - 1 && innerWidth > 900);
  fillHelp();
  if (focus) section.querySelector("h2").focus({ preventScroll: false });
}

/** The first cell that the step computes, lit. */
function askFirst(section) {
  const engine = engineOf(section);
  const first = section.dataset.active.split(" ")[0];
  const computed = engine && !(first in passOf(section).data.given);
  ask(section, computed ? { matrix: first, row: 0, column: 0 } : null);
}

function go(by) {
  const next = sections[sections.indexOf(state.section) + by];
  if (!next) return;
  enter(next);
  scrollTo({ top: Math.min(scrollY, document.querySelector(".rail").offsetTop), behavior: "instant" });
  state.taken += by > 0 ? 1 : 0;
  hint();
}

function hint() {
  const engine = engineOf(state.section);
  if (!engine) return;
  const button = (text, act) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = text;
    made.addEventListener("click", act);
    $("hint").replaceChildren(made);
  };
  if (state.taken === FIRST_HINT) {
    button(`Change this ${engine.text("W1", 0, 0)} and watch what moves`, () => {
      ask(state.section, { matrix: "W1", row: 0, column: 0 }, true);
      $("asked-number").focus();
      $("asked-number").select();
    });
  } else if (state.taken >= SECOND_HINT) {
    button("Try it yourself: work out the next cell", startGuess);
  }
}

function startGuess() {
  const engine = engineOf(state.section);
  const id = state.section.dataset.active.split(" ").find((each) => !(each in passOf(state.section).data.given));
  if (!engine || !id) return;
  const last = { matrix: id, row: engine.values[id].length - 1, column: engine.values[id][0].length - 1 };
  state.guess = last;
  ask(state.section, last, true);
  const td = tdOf(state.section, last);
  if (td) td.textContent = "?";
  $("asked-value").textContent = "= ?";
  $("guess").value = "";
  $("guess-says").textContent = "";
  $("guess").focus();
}

$("asked-guess").addEventListener("submit", (event) => {
  event.preventDefault();
  const engine = engineOf(state.section);
  const { matrix, row, column } = state.guess;
  const decimals = engine.decimals[matrix] ?? 3;
  const off = Math.abs(numberOf($("guess").value) - engine.values[matrix][row][column]);
  if (!(off <= 0.5000001 * 10 ** -decimals)) {
    $("guess-says").textContent = `Look again: the orange cells are what it is computed from (${decimals} decimals).`;
    return;
  }
  const asked = state.guess;
  state.guess = null;
  write(state.section);
  ask(state.section, asked, true);
  $("asked-value").textContent += " ✓ right";
});

$("previous").addEventListener("click", () => go(-1));
$("next").addEventListener("click", () => go(1));

let touch = null;
document.querySelector("main").addEventListener("touchstart", (event) => {
  const scrolls = event.target.closest(".stack, .worked, .formula");
  touch = scrolls && scrolls.scrollWidth > scrolls.clientWidth ? null : event.touches[0];
}, { passive: true });
document.querySelector("main").addEventListener("touchend", (event) => {
  if (!touch) return;
  const [across, down] = [event.changedTouches[0].clientX - touch.clientX, event.changedTouches[0].clientY - touch.clientY];
  if (Math.abs(across) > SWIPE && Math.abs(across) > 2 * Math.abs(down)) go(across < 0 ? 1 : -1);
}, { passive: true });

// ---- Mouse, finger and keyboard on the tables ----

const main = document.querySelector("main");
main.addEventListener("pointerover", (event) => {
  const td = event.pointerType === "mouse" && event.target.closest("section.step td");
  const cell = td && !state.guess && !state.pinned && cellOf(td);
  if (cell && !same(cell, state.asked)) ask(td.closest("section"), cell);
});
main.addEventListener("click", (event) => {
  const td = event.target.closest("section.step td");
  const cell = td && cellOf(td);
  if (!cell || state.guess) return;
  const again = state.pinned && same(cell, state.asked);
  ask(td.closest("section"), cell, !again);
});
main.addEventListener("focusin", (event) => {
  const cell = event.target.matches("section.step td") && cellOf(event.target);
  if (cell && !same(cell, state.asked)) ask(event.target.closest("section"), cell, true);
});

/** Each table is one stop of the Tab key; arrows move within it. */
function prepareKeys(section) {
  for (const table of section.querySelectorAll("table")) {
    let first = true;
    for (const td of table.querySelectorAll("td")) {
      if (!cellOf(td)) continue;
      td.tabIndex = first ? 0 : -1;
      first = false;
    }
  }
}

const MOVES = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const at = event.target;
  if (event.key === "Escape" && state.asked) {
    state.guess = null;
    write(state.section);
    ask(state.section, null);
  } else if (at.matches("section.step td") && event.key in MOVES) {
    const [down, across] = MOVES[event.key];
    const next = at.closest("table").rows[at.parentNode.rowIndex + down]?.cells[at.cellIndex + across];
    event.preventDefault();
    if (!next || !cellOf(next)) return;
    at.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  } else if (at.matches("section.step td") && event.key === "Enter") {
    const cell = cellOf(at);
    if (cell && cell.matrix in passOf(state.section).data.given) $("asked-number").focus();
  } else if (!at.matches("input, select, textarea, td") && (event.key === "ArrowRight" || event.key === "ArrowLeft")) {
    go(event.key === "ArrowRight" ? 1 : -1);
  }
});

// ---- Choices that stay ----

const KEY = "tracer-page";

function load() {
  try {
    Object.assign(choices, JSON.parse(localStorage.getItem(KEY) || "{}"));
  } catch {
    $("kept").hidden = false;
  }
}

function keep() {
  try {
    localStorage.setItem(KEY, JSON.stringify(choices));
  } catch {
    $("kept").hidden = false;
  }
}

function apply() {
  const root = document.documentElement;
  root.dataset.theme = choices.theme;
  root.dataset.type = choices.type;
  for (const pass of passes) {
    if (!pass.engine) continue;
    for (const id of Object.keys(pass.decimals)) {
      const own = pass.decimals[id];
      pass.engine.decimals[id] = own === null || choices.decimals === "" ? own : Number(choices.decimals);
    }
  }
}

let turned = false;
function choose(name, value) {
  choices[name] = value;
  keep();
  settle();
}

function settle() {
  for (const pass of passes) passOf(sections.find((each) => each.id.startsWith(`${pass.data.prefix}step-`)));
  apply();
  if (Boolean(choices.turned) !== turned) {
    turned = Boolean(choices.turned);
    document.querySelectorAll("section.step table").forEach(turn);
  }
  if (!state.section) return;
  for (const section of choices.everything ? sections : [state.section]) {
    section.hidden = false;
    refresh(section);
    prepareKeys(section);
  }
  for (const section of sections) section.hidden = !choices.everything && section !== state.section;
  ask(state.section, state.asked, state.pinned);
  drawNetwork();
}

for (const name of Object.keys(choices)) {
  $(name).addEventListener("change", (event) =>
    choose(name, event.target.type === "checkbox" ? (event.target.checked ? "yes" : "") : event.target.value));
}

// ---- Where to begin ----

/** The section that a link leads to, and the cell in it, if it names one. */
function target() {
  const hash = decodeURIComponent(location.hash.slice(1));
  const section = sections.find((each) => each.id === hash);
  if (section) return { section, cell: null };
  const named = CELL.exec(hash);
  if (!named) return null;
  const cell = { matrix: named[1], row: named[2] - 1, column: named[3] - 1 };
  const knows = (each) => each.querySelector(`table[data-id="${cell.matrix}"]`);
  const home = sections.find((each) => each.dataset.active.split(" ").includes(cell.matrix));
  const there = state.section && knows(state.section) ? state.section : home;
  const values = there && engineOf(there)?.values[cell.matrix];
  return values && cell.row in values && cell.column in values[0] ? { section: there, cell } : null;
}

function follow() {
  const found = target();
  if (!found) return false;
  enter(found.section, { record: false });
  if (found.cell) {
    ask(found.section, found.cell, true);
    $("asked-chain").open = true;
    tdOf(found.section, found.cell)?.scrollIntoView({ block: "nearest" });
  }
  return true;
}

addEventListener("popstate", follow);
addEventListener("hashchange", follow);

document.documentElement.classList.add("js");
load();
for (const name of Object.keys(choices)) {
  if ($(name).type === "checkbox") $(name).checked = Boolean(choices[name]);
  else $(name).value = choices[name] || (name === "style" ? DATA.passes[0].style : "");
}
settle();
if (!follow()) {
  const start = sections.find((each) => each.dataset.inputs) || sections[0];
  enter(start, { record: false });
  $("next").focus({ preventScroll: true });
}
