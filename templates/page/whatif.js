// What if: any given number can be changed, and everything after it follows, in this pass and in those that go on
// from it.

/** A number as people type it: 0,42, −1 and 3/8 are fine; NaN for anything else. */
const numberOf = (text) => TracerEngine.readNumber(text).value ?? NaN;

function change({ matrix, row, column }, number) {
  const pass = passOf(state.section);
  pass.edits.set(`${matrix}-${row}-${column}`, [matrix, row, column, number]);
  replayFrom(pass);
  tried.losses = []; // a curve is of one run
  repaint();
}

/** Work a pass out anew, and those that go on from it when they are next looked at. */
function replayFrom(pass) {
  replay(pass);
  for (const later of passes.slice(pass.index + 1)) {
    if (!later.data.follows) break;
    later.stale = true;
  }
}

/** Begin with the recorded run, take over what the pass before has made, then put in what was typed here. */
function replay(pass) {
  const { engine, data } = pass;
  pass.stale = false;
  pass.version += 1;
  engine.reset();
  if (data.follows) inherit(pass);
  for (const edit of pass.edits.values()) engine.set(...edit);
  engine.recalculate();
  setDecimals(pass);
}

/** Parameters as the pass before has moved them, its learning rate, and samples as the last pass over them had them. */
function inherit({ engine, data, index }) {
  const before = opened(passes[index - 1]).engine.values;
  for (const [id, recorded] of Object.entries(data.given)) {
    const source = isRole(data, id, { role: "given" }) ? samplesBefore(index)?.[id] : (before[updatedOf(data, id)] ?? before[id]);
    source?.forEach((cells, row) => cells.forEach((number, column) => {
      if (number !== recorded[row][column]) engine.set(id, row, column, number);
    }));
  }
}

/** The values of the last pass over the same samples, if what is between the two is all on the page. */
function samplesBefore(index) {
  for (let k = index; passes[k].data.follows; ) {
    k -= 1;
    if (passes[k].data.iteration === passes[index].data.iteration) return opened(passes[k]).engine.values;
  }
  return null;
}

/** Whether any number on the page was changed from what was recorded. */
function isChanged() {
  return passes.some(({ edits, data }) =>
    [...edits.values()].some(([id, row, column, number]) => number !== data.given[id][row][column]));
}

/** The loss of the first pass as the numbers stand now. */
function lossNow() {
  const { data, engine } = opened(passes[0]), [loss] = withRole(data, { role: "loss" });
  return engine.values[loss][0][0];
}

/** The same of the recorded run. */
function lossRecorded() {
  const { data, engine } = opened(passes[0]), [loss] = withRole(data, { role: "loss" });
  return engine.recorded(loss, 0, 0);
}

/** Show what has changed. */
function repaint() {
  const changed = isChanged();
  $("reset").hidden = !changed;
  $("other").hidden = $("recorded").hidden = !changed;
  if (changed) $("now").textContent = significant(lossNow());
  for (const section of choices.everything ? sections : [state.section]) refresh(section);
  drawNetwork();
  showStage(state.section, onStage.cell);
  tell();
  if (state.asked) {
    const links = linksOf(engineOf(state.section), state.asked);
    mark(links);
    showPanel(links);
  }
  fillHelp();
}

$("asked-edit").addEventListener("submit", (event) => {
  event.preventDefault();
  const number = numberOf($("asked-number").value), rate = state.asked.matrix === RATE;
  const fine = Number.isFinite(number) && !(rate && number <= 0);
  $("asked-number").toggleAttribute("aria-invalid", !fine);
  if (fine) {
    remember();
    change(state.asked, number);
    sayAsked();
  } else {
    $("asked-problem").textContent = rate ? "Type a number above 0, such as 0.1." : "Type a number, such as 0.42 or −1.";
  }
});

$("reset").addEventListener("click", () => {
  forgetTried();
  goBackTo(passes.map(() => new Map()));
  if (state.asked) fillPanel(linksOf(engineOf(state.section), state.asked));
  $("next").focus({ preventScroll: true }); // the button goes
  say("Back to the recorded run.");
});
