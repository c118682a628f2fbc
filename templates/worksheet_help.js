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

/** At the end of a line to complete, what stands in the cell's box. */
function showAnswers() {
  for (const end of document.querySelectorAll("[data-answer]"))
    end.textContent = fields.get(end.dataset.answer).value.trim();
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

/** What there is to help: the formula, the operands put in, the first term. */
function hintsFor(cell) {
  const { name, lines } = workedOut(cell), [letters, numbers, next] = lines;
  const hints = [["formula", asMath(name, letters)], ["numbers", asMath(name, numbers)]];
  if (lines.length > 3 && next.terms.length > 1) hints.push(["first_term", `<math>${next.terms[0]}</math>`]);
  return hints.map(([key, formula]) => `${escaped(words(key))} ${formula}`);
}

function showHints() {
  for (const place of document.querySelectorAll(".hints")) {
    const stuck = within(place.closest(".asked")).filter((box) => box.dataset.sign === "✗" && tries.get(box.dataset.keep) >= TRIES);
    place.replaceChildren(...stuck.map(hintOf));
  }
}

function hintOf(box) {
  const key = box.dataset.keep, hints = hintsFor(cellOf(key)), taken = hintsTaken.get(key) ?? 0;
  const part = document.createElement("div");
  part.innerHTML = hints.slice(0, taken).map((hint) => `<div>${hint}</div>`).join("");
  const place = document.createElement("strong");
  place.textContent = `${words("again", { cell: wordsOf(box) })} `;
  part.prepend(place);
  if (taken >= hints.length) return part;
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = words(taken ? "another_hint" : "hint");
  button.addEventListener("click", () => {
    hintsTaken.set(key, taken + 1);
    showHints();
    say(words("hint_shown", { cell: wordsOf(box) }));
  });
  part.append(button);
  return part;
}
