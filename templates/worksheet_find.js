// Find the error: the learner marks a cell where a rule was broken, says which rule, and puts the number right. The file
// does not say where: each printed cell is judged by the cells before it, as boxes of a practice sheet are.

const boxes = [...document.querySelectorAll("button.box")];
const total = data.find.slips;
const said = { "✗": "broken", "↪": "follows", "✓": "is_right" };
const state = { marked: [], rules: {}, numbers: {} }; // cells, and by matrix what was chosen and typed
let sheet = null; // as it is printed
const own = (cell) => sheet.entry(cell);
const boxCell = (box) => cellOf(box.dataset.keep);
const signOf = (box) => sheet.mark(boxCell(box)).sign;
const boxesOf = (id) => boxes.filter((box) => boxCell(box)[0] === id);

/** The first cell of a matrix that was marked where a rule was broken; undefined where none was. */
const foundIn = (id) => boxesOf(id).find((box) => box.dataset.keep === state.marked.find((key) => cellOf(key)[0] === id
  && signOf(boxes.find((each) => each.dataset.keep === key)) === "✗"));
const matrices = [...new Set(boxes.map((box) => boxCell(box)[0]))];
const foundMatrices = () => matrices.filter(foundIn);

// Judging

/** Whether a wrong rule gives every printed number of a matrix from the printed numbers that it takes. */
function isUsed(node, id) {
  return boxesOf(id).every((box) => {
    const cell = boxCell(box), made = number(lowerAny(node, cell[1], cell[2]), (...each) => own(each).value);
    return Math.abs(made - own(cell).value) <= halfOf(made, unitOf(cell));
  });
}

/** What a number would be marked in the place of a printed one. */
function signFor(cell, text) {
  const mended = new Sheet();
  mended.entries.set(keyOf(cell), readNumber(text));
  return mended.mark(cell).sign;
}

const isMended = (id) => "✓↪".includes(signFor(boxCell(foundIn(id)), state.numbers[id] ?? "") || "✗");
const isChosen = (id) => isUsed(nodeOf(id, state.rules[id]), id);
const nodeOf = (id, k) => decoded(data.practice.slips[id][k].rule, shapes, data.practice.rules);
const isDone = () => {
  const found = foundMatrices();
  return found.length === total && found.every((id) => id in state.rules && isChosen(id) && isMended(id));
};

// Showing

function put(box, sign) {
  const mark = box.nextElementSibling;
  box.dataset.sign = mark.textContent = sign;
  mark.setAttribute("aria-label", words(said[sign] ?? "untold"));
  mark.setAttribute("role", "img");
  box.setAttribute("aria-describedby", mark.id);
}

function show() {
  const done = isDone();
  for (const box of boxes) if (done || state.marked.includes(box.dataset.keep)) put(box, signOf(box));
  const found = foundMatrices(), mended = found.filter((id) => id in state.rules && isChosen(id) && isMended(id));
  $("progress").textContent = words("progress", { found: found.length, mended: mended.length, total });
  $("done").hidden = !done;
  for (const id of found) openPart(id);
  reach();
}

function element(kind, text, parent) {
  const made = document.createElement(kind);
  made.textContent = text;
  parent.append(made);
  return made;
}

/** Below a matrix in which a rule was broken: the rules to choose from and, after the right one, a box. */
function openPart(id) {
  const part = document.querySelector(`table[data-id="${CSS.escape(id)}"]`).closest(".matrix").querySelector(".broken");
  if (!part.childElementCount) {
    element("p", words("which"), part);
    data.practice.slips[id].forEach(({ says }, k) => element("button", says, part).addEventListener("click", () => choose(id, k)));
    for (const button of part.querySelectorAll("button")) button.type = "button";
    part.append(document.createElement("output"));
  }
  if (!(id in state.rules)) return;
  part.querySelectorAll("button").forEach((button, k) => button.setAttribute("aria-pressed", String(k === state.rules[id])));
  part.querySelector("output").textContent = isChosen(id) ? `✓ ${words("rule_right")}` : `✗ ${words("rule_wrong")}`;
  if (isChosen(id)) openBox(id, part);
}

function openBox(id, part) {
  if (part.querySelector("label")) return;
  const label = element("label", `${words("mend", { cell: wordsOf(foundIn(id)), count: asked[id] })} `, part);
  const field = document.createElement("input"), output = document.createElement("output");
  Object.assign(field, { inputMode: "decimal", autocomplete: "off", value: state.numbers[id] ?? "" });
  label.append(field);
  part.append(output);
  const tell = () => { output.textContent = field.value.trim() ? mendedWords(id) : ""; };
  field.addEventListener("change", () => {
    state.numbers[id] = field.value;
    tell();
    settle(output.textContent);
  });
  tell();
}

function mendedWords(id) {
  const sign = signFor(boxCell(foundIn(id)), state.numbers[id]);
  const key = "✓↪".includes(sign) ? "mended" : { "≈": "coarse", "?": "unreadable" }[sign] ?? "not_mended";
  return `${key === "mended" ? "✓" : sign} ${words(key, { count: asked[id] })}`;
}

// What the learner does

function markCell(box) {
  const sign = signOf(box), { keep } = box.dataset;
  if (!state.marked.includes(keep)) state.marked.push(keep);
  settle(`${wordsOf(box)}: ${words(said[sign] ?? "untold")}`);
}

function choose(id, k) {
  state.rules[id] = k;
  settle(words(isChosen(id) ? "rule_right" : "rule_wrong"));
}

function settle(text) {
  try {
    localStorage.setItem(store, JSON.stringify(state));
  } catch {
    $("unkept").hidden = false;
  }
  show();
  const done = isDone() ? ` ${$("done").textContent}` : "";
  $("told").textContent = text;
  say(text + done);
}

function recall() {
  try {
    const known = JSON.parse(localStorage.getItem(store) ?? "{}");
    state.marked = boxes.map(({ dataset }) => dataset.keep).filter((key) => known.marked?.includes(key));
    for (const id of foundMatrices()) {
      if (data.practice.slips[id]?.[known.rules?.[id]]) state.rules[id] = known.rules[id];
      if (typeof known.numbers?.[id] === "string") state.numbers[id] = known.numbers[id];
    }
  } catch {
    $("unkept").hidden = false;
  }
}

document.addEventListener("DOMContentLoaded", () => {
  document.documentElement.classList.add("js");
  sheet = new Sheet();
  recall();
  addEventListener("resize", reach);
  for (const box of boxes) box.addEventListener("click", () => markCell(box));
  $("print").addEventListener("click", () => print());
  $("clear").addEventListener("click", () => {
    localStorage.removeItem(store);
    location.reload();
  });
  show();
});
