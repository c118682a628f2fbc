// What helps: examples worked with the student's own numbers, checks that need no key, hints.

const MOST_DIGITS = 100; // behind the point that a browser writes

function workedOut([matrix, row, column]) {
  const value = ([id, ...place]) => ["value", [], own([id, ...place]).value, shownDecimals(id, place), [id, ...place]];
  const places = decimals[matrix];
  const writer = new Writer((...cell) => nameMathml(labels.cell(cell)));
  const made = work(ruleOf([matrix, row, column]).expression, (...cell) => value(cell), places);
  const name = nameMathml(labels.cell([matrix, row, column]));
  return { name, lines: [{ sign: "=", terms: writer.pieces(made.letters) }, ...workedLines(made, writer)] };
}

/** Own numbers as they were typed, up to what is asked for or was written. */
function shownDecimals(id, place) {
  const entry = own([id, ...place]);
  return entry.decimals === null ? decimals[id] : Math.min(MOST_DIGITS, Math.max(entry.decimals ?? 0, decimals[id] ?? 0));
}

const asMath = (name, { sign, terms: [first, ...others] }) =>
  [`${name}<mo>${sign}</mo>${first}`, ...others].map((part) => `<math>${part}</math>`).join(" ");

function workExamples() {
  for (const line of examples) {
    const cell = cellOf(line.dataset.example), known = isKnown(cell);
    line.querySelector(".waits").hidden = known;
    const written = known ? workedOut(cell).lines.slice(1).map((each) => `<div>${asMath("", each)}</div>`) : [];
    line.querySelector(".numbers").innerHTML = written.join("");
  }
}

/** At the end of a line to complete, what stands in the cell's box as soon as it is right. */
function showAnswers() {
  for (const end of document.querySelectorAll("[data-answer]")) {
    const box = fields.get(end.dataset.answer), isRight = box.dataset.sign && "✓↪".includes(box.dataset.sign);
    end.textContent = isRight ? box.value.trim() : "…";
  }
}

// Checks that need no key

/** What a check says of a student's own cells of a matrix, row by row; "" while one is missing. */
function checked(kind, rows, half) {
  if (kind === "shape" || rows.some((row) => row.some((each) => each.kind !== "number"))) return "";
  const sums = rows.map((row) => row.reduce((sum, each) => sum + each.value, 0));
  const text = (sum) => withMark(fixed(sum, Math.min(MOST_DIGITS, Math.max(0, Math.round(-Math.log10(2 * half))))));
  if (kind === "sum") return worded(data.practice.checks.own_sum, { sum: text(sums.reduce((all, sum) => all + sum, 0)) });
  const off = sums.map((sum, row) => [sum, row]).filter(([sum, row]) => Math.abs(sum - 1) > rows[row].length * half * (1 + limits.slack));
  if (!off.length) return "✓";
  return `✗ ${off.map(([sum, row]) => worded(data.practice.checks.own_row, { row: row + 1, sum: text(sum) })).join("; ")}`;
}

function showChecks() {
  for (const check of document.querySelectorAll("[data-check]")) {
    const { id, shape } = check.closest(".matrix").querySelector("table").dataset, [rows, columns] = shape.split(" ").map(Number);
    const cells = range(rows).map((row) => range(columns).map((column) => own([id, row, column])));
    check.querySelector("output").textContent = checked(check.dataset.check, cells, 10 ** -asked[id] / 2);
  }
}

/** What there is to help: the idea behind the mistake, the formula, the operands put in, the first term. */
function hintsFor(cell, says) {
  const { name, lines } = workedOut(cell), [letters, numbers, next] = lines;
  const hints = [["formula", asMath(name, letters)], ["numbers", asMath(name, numbers)]];
  if (lines.length > 3 && next.terms.length > 1) hints.push(["first_term", `<math>${next.terms[0]}</math>`]);
  return [...says ? [escaped(says)] : [], ...hints.map(([key, formula]) => `${escaped(words(key))} ${formula}`)];
}

/** Boxes marked ✗, those of one idea together; what no idea explains, matrix by matrix. */
function troubles() {
  const ideas = diagnosed(), told = new Set(ideas.flatMap((each) => each.boxes)), others = new Map();
  for (const box of boxes.filter(({ dataset }) => dataset.sign === "✗").filter((each) => !told.has(each))) {
    const [id] = cellOf(box.dataset.keep);
    others.set(id, [...others.get(id) ?? [], box]);
  }
  return [...ideas, ...[...others.values()].map((mine) => ({ idea: null, says: "", boxes: mine }))];
}

function showHints() {
  const found = troubles();
  for (const place of document.querySelectorAll(".hints")) {
    const mine = within(place.closest(".asked"));
    place.replaceChildren(...found.filter((each) => mine.includes(each.boxes[0])).map(hintOf));
  }
}

/** First where; after another try the idea; then the formula, then the numbers. Who asks is told sooner. */
function hintOf({ idea, says, node, boxes: [box, ...others] }) {
  const key = box.dataset.keep, hints = hintsFor(cellOf(key), says), more = others.length;
  const tried = (tries.get(key) ?? 1) - TRIES + 1, shown = tried < 1 ? 0 : tried + (hintsTaken.get(key) ?? 0);
  if (idea && shown > 0 && !met.has(idea)) met.set(idea, { says, node, cell: cellOf(key) });
  const part = document.createElement("div"), place = document.createElement("strong");
  part.innerHTML = hints.slice(0, shown).map((hint) => `<div>${hint}</div>`).join("");
  place.textContent = `${words(more ? "again_more" : "again", { cell: wordsOf(box), count: more })} `;
  part.prepend(place);
  if (tried < 1 || shown >= hints.length) return part;
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = words("another_hint");
  button.addEventListener("click", () => {
    hintsTaken.set(key, (hintsTaken.get(key) ?? 0) + 1);
    showHints();
    say(words("hint_shown", { cell: wordsOf(box) }));
  });
  part.append(button);
  return part;
}
