// Stepping through the epoch: buttons, rail, fingers, and links to steps and cells.

const SWIPE = 60; // pixels across; a slower or steeper move scrolls
const CELL = /^((?:epoch-\d+-\d+-)?)([A-Za-z]\w*)-(\d+)-(\d+)$/;
const lists = [...document.querySelectorAll(".rail ol")];
const start = sections.find((each) => each.dataset.inputs) ?? sections[0]; // the first step that computes

/** Make a section the one that is talked about: on the rail, in the picture, in "Did it help?". */
function become(section) {
  if (state.guess) endGuess();
  state.section = section;
  const place = sections.indexOf(section);
  for (const link of document.querySelectorAll(".rail a")) {
    if (link.dataset.step === section.id) link.setAttribute("aria-current", "step");
    else link.removeAttribute("aria-current");
  }
  for (const list of lists) list.hidden = list.dataset.pass !== section.dataset.pass;
  if ($("pass")) $("pass").value = section.dataset.pass;
  refresh(section);
  prepareKeys(section);
  if (!choices.everything) fit(formulasOf(section));
  drawNetwork();
  if (place === sections.length - 1 && wide.matches) $("help-details").open = true;
  fillHelp();
}

/** Go to a section; its first cell is lit. */
function enter(section) {
  for (const each of sections) each.hidden = !choices.everything && each !== section;
  become(section);
  askFirst();
  const link = document.querySelector(".rail a[aria-current]"), strip = link.closest(".lists");
  strip.scrollLeft += link.getBoundingClientRect().left - strip.getBoundingClientRect().left - strip.clientWidth / 2;
  hint();
}

/** Enter a section as a reader does: with an entry in the history, its beginning and its lit cell in sight. */
function visit(section) {
  if (location.hash !== `#${section.id}`) history.pushState(null, "", `#${section.id}`);
  enter(section);
  comeTo(section);
  say(section.querySelector("h2").textContent);
}

/** The step's beginning stands below the rail: always at the same place, so that moving on does not scroll. */
function comeTo(section) {
  if (choices.everything) bring(section, { block: "start" });
  else scrollTo(0, Math.ceil(document.querySelector("header").getBoundingClientRect().bottom + scrollY));
}

/** Bring a cell, and its table as far as there is room, into sight, moving no more than it takes. */
function show(cell, td = cell && tdsOf(state.section, cell)[0]) {
  if (!td) return;
  if (!stage.contains(td)) unfold(true);
  bring(td.closest("table"), { block: "nearest" });
  bring(td, { block: "nearest", inline: "nearest" });
}

/** On a long page what comes into sight is laid out only then, which moves what is below it: it takes another look. */
function bring(element, options, looks = choices.everything ? 3 : 0) {
  element.scrollIntoView(options);
  if (looks) requestAnimationFrame(() => bring(element, options, looks - 1));
}

/** To the next formula of the step, or the next step; back to the last formula of the one before. */
function go(by) {
  const formula = formulaBy(by);
  if (formula) {
    ask(formula, { lit: true });
    comeTo(state.section);
    sayAsked();
    keepFocus(by);
    return;
  }
  const next = sections[sections.indexOf(state.section) + by];
  if (!next) return;
  state.taken += by > 0 ? 1 : 0;
  visit(next);
  const made = by < 0 && onStage.cell ? formulas(next) : [];
  if (made.length > 1) {
    ask(exampleOf(next, made[made.length - 1]), { lit: true });
    comeTo(next);
  }
  keepFocus(by);
}

/** A button that leads nowhere any more gives the focus to the other. */
function keepFocus(by) {
  if (document.activeElement?.disabled) $(by > 0 ? "previous" : "next").focus({ preventScroll: true });
}

for (const line of document.querySelectorAll(".live .formula")) {
  line.addEventListener("click", () => ask(exampleOf(line.closest("section"), line.dataset.of), { lit: true }));
}

$("previous").addEventListener("click", () => go(-1));
$("next").addEventListener("click", () => go(1));
$("pass")?.addEventListener("change", () => {
  const label = state.section.id.split("step-")[1];
  const there = sections.filter((each) => each.dataset.pass === $("pass").value);
  visit(there.find((each) => each.id.split("step-")[1] === label) ?? there[0]);
});

let touch = null;
const main = document.querySelector("main");
main.addEventListener("touchstart", (event) => {
  const boxes = [...event.composedPath()].filter((each) => each instanceof Element && main.contains(each));
  const scrolls = boxes.some((box) => box !== main && box.scrollWidth > box.clientWidth + 1 && getComputedStyle(box).overflowX === "auto");
  touch = scrolls || event.touches.length > 1 ? null : event.touches[0];
}, { passive: true });
main.addEventListener("touchend", (event) => {
  if (!touch) return;
  const [across, down] = [event.changedTouches[0].clientX - touch.clientX, event.changedTouches[0].clientY - touch.clientY];
  if (Math.abs(across) > SWIPE && Math.abs(across) > 2 * Math.abs(down)) go(across < 0 ? 1 : -1);
}, { passive: true });

// ---- Links ----

/** The section that the address names, and the cell in it, if it names one; null where there is no such place. */
function target() {
  const hash = decoded(location.hash.slice(1));
  const section = sections.find((each) => each.id === hash);
  if (section) return { section, cell: null };
  const [, prefix, matrix, row, column] = CELL.exec(hash) ?? [];
  if (!matrix) return null;
  const cell = { matrix, row: row - 1, column: column - 1 };
  const there = homeOf(prefix, matrix), rows = there && engineOf(there)?.values[matrix];
  return rows && cell.row in rows && cell.column in rows[0] ? { section: there, cell } : null;
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Where a matrix is looked at: where the link was followed, if that step knows it, else where it comes from. */
function homeOf(prefix, matrix) {
  const passes = sections.filter((each) => each.id.startsWith(prefix ? `${prefix}step-` : state.section?.id.split("step-")[0] ?? ""));
  const followed = passes.find((each) => each.id === (history.state?.section ?? state.section?.id));
  const knows = (each) => each?.querySelector(`table[data-id="${matrix}"]`);
  return knows(followed) ? followed : passes.find((each) => each.dataset.active.split(" ").includes(matrix) || knows(each));
}

/** Go where the address says; an address that names nothing leads to the start. */
function follow() {
  const found = target();
  if (!found) {
    enter(start);
    return;
  }
  if (found.section !== state.section || !found.cell) enter(found.section);
  if (!found.cell) {
    comeTo(found.section);
    return;
  }
  history.replaceState({ section: found.section.id }, ""); // going back leads to this step again
  const { data } = passOf(found.section), { matrix } = found.cell;
  if (isParameter(data, matrix) || isRole(data, matrix, { role: "updated" })) $("asked-chain").open = true;
  ask(found.cell, { pinned: true });
  show(found.cell);
  sayAsked();
}

addEventListener("hashchange", follow);
