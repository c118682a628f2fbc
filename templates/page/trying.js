// Trying out: sliders, the loss beside the number that is changed, one more epoch, and back again.

const NOTCHES = 100, DECADES = 2; // of a slider to either side; of the learning rate's, powers of ten
const MOST_KEPT = 200; // changes that can be undone
const CURVE = { width: 160, height: 44, edge: 4 };
const tried = { before: [], losses: [], sliding: false }; // what was typed before each change; the loss after each epoch

/** Keep what is typed now, to come back to. */
function remember() {
  tried.before.push({ edits: passes.map(({ edits }) => new Map(edits)), losses: tried.losses });
  if (tried.before.length > MOST_KEPT) tried.before.shift();
}

function undo() {
  const { edits, losses } = tried.before.pop();
  tried.losses = losses;
  goBackTo(edits);
  say("Undone.");
}

/** Put in place what was typed in each pass, and work everything out anew. */
function goBackTo(edits) {
  for (const pass of passes) {
    pass.edits = edits[pass.index];
    if (pass.engine) replay(pass);
  }
  repaint();
}

/** What starts from the recorded run again has no history. */
function forgetTried() {
  Object.assign(tried, { before: [], losses: [] });
}

// ---- One more epoch ----

/** Whether every pass goes on from the one before it, so that the first can go on from the last of its epoch. */
const goesOn = passes.every(({ data, index }) => index === 0 || data.follows) &&
  Math.max(...sections.map((section) => Number(section.dataset.pass))) < passes.length;

function lastOfEpoch() {
  const next = passes.findIndex(({ data, index }) => index > 0 && data.iteration === passes[0].data.iteration);
  return passes[next < 0 ? passes.length - 1 : next - 1];
}

/** The first pass starts from what its epoch has made; the passes behind it follow. */
function goOn() {
  const [first] = passes, made = opened(lastOfEpoch()).engine.values, losses = tried.losses.length ? tried.losses : [lossNow()];
  remember();
  for (const id of Object.keys(first.data.given)) {
    const next = updatedOf(first.data, id);
    if (!next) continue;
    made[next].forEach((cells, row) => cells.forEach((number, column) => first.edits.set(`${id}-${row}-${column}`, [id, row, column, number])));
  }
  replayFrom(first);
  tried.losses = [...losses, lossNow()];
  repaint();
  say(`Epoch ${tried.losses.length}: loss ${significant(lossNow())}.`);
}

/** The loss as it was recorded and as it is now, and its curve over the epochs gone on. */
function fillTrying() {
  const now = lossNow(), more = tried.losses.length - 1;
  const epochs = more > 0 ? ` after ${more} more ${more === 1 ? "epoch" : "epochs"}` : "";
  $("asked-loss").textContent = isChanged() ? `loss ${significant(lossRecorded())} → now ${significant(now)}${epochs}` : `loss ${significant(now)}`;
  $("undo").hidden = !tried.before.length;
  $("once-more").hidden = !goesOn;
  $("curve").toggleAttribute("hidden", more < 1);
  if (more > 0) drawCurve(tried.losses.filter(Number.isFinite));
  fillSliders();
}

function drawCurve(losses) {
  const { width, height, edge } = CURVE, [least, most] = [Math.min(...losses), Math.max(...losses)];
  const x = (k) => edge + ((width - 2 * edge) * k) / Math.max(1, losses.length - 1);
  const y = (loss) => height - edge - ((height - 2 * edge) * (loss - least)) / (most - least || 1);
  const points = losses.map((loss, k) => [x(k).toFixed(1), y(loss).toFixed(1)]);
  const dots = points.map(([cx, cy]) => `<circle cx="${cx}" cy="${cy}" r="2.5"/>`).join("");
  $("curve").innerHTML = `<polyline points="${points.map((point) => point.join(",")).join(" ")}"/>${dots}`;
  $("curve").setAttribute("aria-label", `The loss epoch by epoch: ${losses.map(significant).join(", ")}`);
}

// ---- Sliders ----

const rateCell = { matrix: RATE, row: 0, column: 0 };
const recordedOf = ({ matrix, row, column }) => passOf(state.section).data.given[matrix][row][column];
const round = (number, digits) => Number(number.toPrecision(digits));

/** What a slider's place means: the learning rate by powers of ten, all else by equal steps around what was recorded. */
function slid(cell, notch) {
  const recorded = recordedOf(cell);
  if (cell.matrix === RATE) return round(recorded * 10 ** ((DECADES * notch) / NOTCHES), 2);
  return Number((recorded + (reach(recorded) * notch) / NOTCHES).toFixed(6));
}

const reach = (recorded) => Math.max(1, round(2 * Math.abs(recorded), 1));

function notchOf(cell, number) {
  const recorded = recordedOf(cell);
  const place = cell.matrix === RATE ? Math.log10(number / recorded) / DECADES : (number - recorded) / reach(recorded);
  return Math.round(NOTCHES * place);
}

function fillSliders() {
  const engine = engineOf(state.section), { matrix, row, column } = state.asked, rate = engine.values[RATE][0][0];
  $("asked-slider").value = notchOf(state.asked, engine.values[matrix][row][column]);
  $("asked-slider").setAttribute("aria-valuetext", typed(engine.values[matrix][row][column]));
  $("rate-slides").hidden = matrix === RATE || !passOf(state.section).data.given[RATE];
  $("rate-slider").value = notchOf(rateCell, rate);
  $("rate-slider").setAttribute("aria-valuetext", typed(rate));
  $("rate-now").textContent = typed(rate);
}

/** A slide is one change, however many places it goes through. */
function slide(slider, cellOf) {
  slider.addEventListener("input", () => {
    if (!tried.sliding) remember();
    tried.sliding = true;
    const cell = cellOf(), number = slid(cell, Number(slider.value));
    change(cell, number);
  });
  slider.addEventListener("change", () => {
    tried.sliding = false;
    sayAsked();
  });
}

slide($("asked-slider"), () => state.asked);
slide($("rate-slider"), () => rateCell);
$("once-more").addEventListener("click", goOn);
$("undo").addEventListener("click", () => {
  undo();
  if (!tried.before.length) $("asked-number").focus({ preventScroll: true });
});
