// Did it help? Outputs, targets and loss before the update, and after it: the same rules over the updated parameters.

const MOST_HELP = 12; // rows
const DIGITS = 6; // that make a small difference visible

/** A number with so many digits, as few of them decimals as that takes. */
function significant(value) {
  const size = value === 0 || !Number.isFinite(value) ? 0 : Math.floor(Math.log10(Math.abs(value)));
  return TracerEngine.fixed(value, Math.min(15, Math.max(0, DIGITS - 1 - size)));
}

function afterUpdate({ engine, data }) {
  const moved = withRole(data, { role: "parameter" }).filter((id) => updatedOf(data, id));
  return engine.run(Object.fromEntries(moved.map((id) => [id, engine.values[updatedOf(data, id)]])));
}

function fillHelp() {
  const pass = passOf(state.section);
  $("help").hidden = !pass;
  if (!pass || !$("help-details").open) return;
  const { engine, data } = pass, after = afterUpdate(pass), before = engine.values, id = outputOf(data);
  const [targets] = withRole(data, { kind: "target" }), [lossId] = withRole(data, { role: "loss" });
  const outputs = id && targets ? before[id].flatMap((row, i) => row.map((_, j) => [i, j])) : []; // a program has none
  const rows = outputs.map(([i, j]) => {
    const target = before[targets][i][j];
    const nearer = Math.abs(before[id][i][j] - target) - Math.abs(after[id][i][j] - target);
    const says = nearer > 0 ? "closer" : nearer < 0 ? "further away" : "the same";
    return { head: `sample ${data.from + i + 1}, output ${j + 1}`, cells: [engine.text(targets, i, j), before[id][i][j], after[id][i][j]], says };
  });
  const [lossBefore, lossAfter] = [before[lossId][0][0], after[lossId][0][0]];
  const says = lossAfter < lossBefore ? "smaller" : lossAfter > lossBefore ? "larger" : "the same";
  const batch = data.prefix ? " of these samples" : "";
  const loss = { head: `loss${batch}`, cells: ["", lossBefore, lossAfter], says };
  const more = rows.length > MOST_HELP ? `<p class="note">And ${rows.length - MOST_HELP} more outputs.</p>` : "";
  const apart = says === "smaller" && rows.some((row) => row.says === "further away");
  $("help-body").innerHTML = helpTable([...rows.slice(0, MOST_HELP), loss]) + more + (apart ? `<p>${COMPROMISE}</p>` : "");
}

const COMPROMISE = "Some outputs are further away although the loss is smaller: all samples share the weights, so a step " +
  "is a compromise between them.";

function helpTable(rows) {
  const number = (value) => (typeof value === "number" ? significant(value) : value);
  const line = ({ head, cells, says }) =>
    `<tr><th scope="row">${head}</th>${cells.map((cell) => `<td>${number(cell)}</td>`).join("")}<td>${says}</td></tr>`;
  const heads = ["target", "before", "after", "after it is"].map((head) => `<th scope="col">${head}</th>`).join("");
  return `<table><thead><tr><td></td>${heads}</tr></thead><tbody>${rows.map(line).join("")}</tbody></table>`;
}

$("help-details").addEventListener("toggle", fillHelp);
