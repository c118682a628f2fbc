// The sheet: typing, moving, keeping, saving and loading. Nothing here knows what a box should hold.

const MOST_BYTES = 2000000; // of a file with answers
const boxes = [...document.querySelectorAll("input.box")];
const kept = [...document.querySelectorAll("[data-keep]")];
const whenTyped = []; // what else follows a number that was typed
const isOpen = (box) => box.value.trim() === "";

// What was typed

function fill(field, value) {
  field.value = typeof value === "string" ? value : "";
}

function keep() {
  const typed = Object.fromEntries(kept.map((field) => [field.dataset.keep, field.value]).filter(([, value]) => value));
  const filled = boxes.filter(({ dataset }) => dataset.filled).map(({ dataset }) => dataset.keep);
  if (filled.length) typed.filled = filled.join(" ");
  try {
    localStorage.setItem(store, JSON.stringify(typed));
  } catch {
    $("unkept").hidden = false;
  }
}

function recall() {
  try {
    const typed = JSON.parse(localStorage.getItem(store) ?? "{}");
    for (const field of kept) if (Object.hasOwn(typed, field.dataset.keep)) fill(field, typed[field.dataset.keep]);
    const filled = new Set(String(typed.filled ?? "").split(" "));
    for (const box of boxes) if (filled.has(box.dataset.keep)) box.dataset.filled = "yes";
  } catch {
    $("unkept").hidden = false;
  }
}

/** The name on every sheet that is printed: a margin of the page can only be written by its style. */
function nameSheets() {
  const text = [["name", 24], ["id", 16]].map(([part, room]) => `${words(part)}: ${$(part).value || "_".repeat(room)}`).join("   ");
  const safe = [...text].map((one) => /[A-Za-z0-9 _:]/.test(one) ? one : `\\${one.codePointAt(0).toString(16)} `).join("");
  $("named").textContent = `@page { @top-left { content: "${safe}"; } }`;
}

function progress() {
  const filled = boxes.filter((box) => !isOpen(box)).length;
  $("progress").textContent = words("progress", { filled, total: boxes.length });
}

/** After a number was typed or loaded; `box` is null where there are many. */
function typed(box) {
  keep();
  progress();
  for (const follow of whenTyped) follow(box);
  reach();
}

// Moving as in a spreadsheet

/** The nearest open box of the table in a direction, or null at its edge. */
function beside(box, down, right) {
  let [, row, column] = cellOf(box.dataset.keep);
  const table = box.closest("table"), [rows, columns] = table.dataset.shape.split(" ").map(Number);
  for (;;) {
    row += down;
    column += right;
    if (row < 0 || column < 0 || row >= rows || column >= columns) return null;
    const found = table.querySelector(`[data-keep="${table.dataset.id}-${row}-${column}"]`);
    if (found) return found;
  }
}

/** The box after (or before) this one, column by column, then that of the table after. */
function following(box, by) {
  const within = beside(box, by, 0);
  if (within) return within;
  const mine = boxes.filter((other) => other.closest("table") === box.closest("table"));
  const column = (other) => cellOf(other.dataset.keep)[2];
  const next = mine.filter((other) => (column(other) - column(box)) * by > 0);
  if (next.length) {
    const nearest = by > 0 ? Math.min(...next.map(column)) : Math.max(...next.map(column));
    return next.filter((other) => column(other) === nearest).at(by > 0 ? 0 : -1);
  }
  const at = boxes.indexOf(by > 0 ? mine.at(-1) : mine[0]);
  return boxes[at + by] ?? null;
}

function targetOf(event, box) {
  const { selectionStart: from, selectionEnd: to, value } = box;
  const all = from === 0 && to === value.length;
  switch (event.key) {
    case "Enter": return following(box, event.shiftKey ? -1 : 1);
    case "ArrowDown": return beside(box, 1, 0) ?? boxes[boxes.indexOf(box) + 1];
    case "ArrowUp": return beside(box, -1, 0) ?? boxes[boxes.indexOf(box) - 1];
    case "ArrowRight": return all || from === value.length ? beside(box, 0, 1) : null;
    case "ArrowLeft": return all || to === 0 ? beside(box, 0, -1) : null;
    default: return null;
  }
}

function move(event) {
  if (!event.target.matches("input.box") || event.altKey || event.ctrlKey || event.metaKey || event.isComposing) return;
  if (event.shiftKey && event.key !== "Enter") return;
  const target = targetOf(event, event.target);
  if (!target) {
    if (event.key !== "Enter") return;
    event.preventDefault(); // behind the last box comes what is done with the answers
    $("save").focus();
    return;
  }
  event.preventDefault();
  target.focus();
  target.select();
}

/** Whether a number was worked out by the sheet: then it is not the student's. */
function mind(box, filled) {
  if (filled) box.dataset.filled = "yes";
  else delete box.dataset.filled;
}

/** What a number pad may lack: the minus, put before the number or taken away, and the bar of a fraction. */
function press(event) {
  const field = document.activeElement;
  event.preventDefault(); // the box keeps the focus, and the pad stays
  if (!field?.matches("input.box, input.operand")) return;
  const { value } = field, isMinus = event.currentTarget.id === "minus";
  field.value = !isMinus ? `${value}/` : /^[-−]/.test(value) ? value.slice(1) : `−${value}`;
  field.setSelectionRange(field.value.length, field.value.length);
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

// Saving and loading

/** What stands in the cells of the tables that a selector finds, by matrix; `isOf` chooses among boxes. */
function textsOf(selector, isOf = () => true) {
  const found = {};
  for (const table of document.querySelectorAll(selector)) {
    const [rows, columns] = table.dataset.shape.split(" ").map(Number), { id } = table.dataset;
    found[id] = Array.from({ length: rows }, (_, row) => Array.from({ length: columns }, (_, column) => {
      const cell = table.querySelector(`[data-cell="${id}-${row}-${column}"]`), box = cell.querySelector("input.box");
      const text = (box ? isOf(box) ? box.value : "" : cell.querySelector(".value").textContent).trim();
      return text === "" ? null : text;
    }));
  }
  return found;
}

function answers() {
  const notes = {}, given = textsOf("table[data-printed]");
  for (const field of kept.filter((each) => each.dataset.keep.startsWith("note ")))
    if (field.value) notes[field.dataset.keep] = field.value;
  const student = { name: $("name").value.trim(), id: $("id").value.trim(), notes };
  const rest = Object.entries(textsOf("table[data-asked]", (box) => box.dataset.filled))
    .filter(([, rows]) => rows.some((row) => row.some((text) => text !== null)));
  return { ...textsOf("table[data-asked]", (box) => !box.dataset.filled), ...(Object.keys(given).length ? { given } : {}),
    ...(rest.length ? { filled: Object.fromEntries(rest) } : {}), student, problem_sha256: data.problem_sha256 };
}

function save() {
  const link = document.createElement("a"), id = $("id").value.trim().replace(/[^\p{L}\p{N}_-]+/gu, "_");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(answers(), null, 1)], { type: "application/json" }));
  link.download = id ? `answers-${id}.json` : "answers.json";
  link.click();
  URL.revokeObjectURL(link.href);
  $("saved").textContent = words("saved", { file: link.download });
}

function take(document) {
  const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isObject(document)) throw new TypeError("no answers");
  if (!boxes.some((box) => Object.hasOwn(document, cellOf(box.dataset.keep)[0]))) throw new TypeError("no answers");
  const student = isObject(document.student) ? document.student : {};
  for (const part of ["name", "id"]) fill($(part), student[part]);
  const notes = isObject(student.notes) ? student.notes : {};
  for (const field of kept) if (field.dataset.keep.startsWith("note ")) fill(field, notes[field.dataset.keep]);
  let count = 0;
  for (const box of boxes) {
    const [matrix, row, column] = cellOf(box.dataset.keep);
    const own = Object.hasOwn(document, matrix) ? document[matrix]?.[row]?.[column] ?? null : null;
    const found = own ?? document.filled?.[matrix]?.[row]?.[column] ?? "";
    box.value = ["string", "number"].includes(typeof found) ? String(found).slice(0, LONGEST) : "";
    mind(box, own === null && !isOpen(box));
    if (!isOpen(box)) count += 1;
  }
  const other = document.problem_sha256 !== data.problem_sha256;
  return words("loaded", { count }) + (other ? ` ${words("other_problem")}` : "");
}

async function load() {
  const [file] = $("file").files;
  if (!file) return;
  try {
    if (file.size > MOST_BYTES) throw new RangeError("too large");
    $("saved").textContent = take(JSON.parse(await file.text()));
  } catch {
    $("saved").textContent = words("no_answers", { file: file.name });
  }
  $("file").value = "";
  nameSheets();
  typed(null);
}

function start() {
  document.documentElement.classList.add("js");
  recall();
  nameSheets();
  addEventListener("resize", reach);
  document.addEventListener("keydown", move);
  document.addEventListener("input", keep);
  document.addEventListener("change", ({ target }) => {
    if (target.matches("#name, #id")) nameSheets();
    if (target.matches("input.box")) mind(target, false);
    if (target.matches("[data-keep]")) typed(target);
  });
  document.addEventListener("focusin", ({ target }) => target.matches("input.box") && target.select());
  $("save").addEventListener("click", save);
  $("load").addEventListener("click", () => $("file").click());
  $("file").addEventListener("change", load);
  for (const id of ["minus", "slash"]) $(id).addEventListener("pointerdown", press);
  $("print").addEventListener("click", () => print());
  $("clear").addEventListener("click", () => {
    if (!confirm(words("empty"))) return;
    for (const field of kept) fill(field, "");
    for (const box of boxes) mind(box, false);
    nameSheets();
    typed(null);
  });
  typed(null);
}

document.addEventListener("DOMContentLoaded", start);
