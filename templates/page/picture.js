// The picture of the network: what takes part in the step, and the weights and values as they are now.

const PICTURED = 2; // decimals of a value, as where the picture was made (network_svg.py)
const picture = document.querySelector(".network");
const strokes = picture.dataset.strokes?.split(" ").map(Number);
const placeOf = (element) => element.dataset.cell.split("-").map((part, k) => (k ? part - 1 : part));

function drawNetwork() {
  const pass = passOf(state.section);
  if (!pass) return;
  if (picture.classList.contains("blocks")) {
    drawBlocks();
    return;
  }
  const active = new Set(state.section.dataset.active.split(" "));
  const inputs = new Set(state.section.dataset.inputs.split(" "));
  const part = (ids) => (ids.some((id) => active.has(id)) ? "active" : ids.some((id) => inputs.has(id)) ? "input" : "");
  drawEdges(pass, part);
  drawNodes(pass, part);
  writeValues(pass);
}

/** The block of the step, and the arrows that bring it what it needs: on the way back, those of the gradient. */
function drawBlocks() {
  const { number, way } = state.section.dataset;
  for (const block of picture.querySelectorAll(".block")) {
    emphasise(block, way !== "given" && way !== "update" && block.dataset.number === number ? "active" : "");
  }
  for (const arrow of picture.querySelectorAll(".arrow")) {
    const back = arrow.classList.contains("back"), here = back ? way === "backward" : way === "forward";
    emphasise(arrow, here && arrow.dataset.to === number ? "input" : "");
  }
}

function emphasise(element, part) {
  if (part) element.dataset.part = part;
  else delete element.dataset.part;
}

function drawEdges({ data, engine: { values } }, part) {
  const edges = [...picture.querySelectorAll("line")].map((edge) => {
    const [id, row, column] = placeOf(edge);
    return { edge, id, weight: values[id][row][column] };
  });
  const largest = Math.max(...edges.map(({ weight }) => Math.abs(weight))) || 1;
  for (const { edge, id, weight } of edges) {
    edge.setAttribute("class", weight < 0 ? "negative" : "positive");
    edge.setAttribute("stroke-width", strokes[0] + ((strokes[1] - strokes[0]) * Math.abs(weight)) / largest);
    emphasise(edge, part([id, ...withRole(data, { of: id })]));
  }
}

/** A node stands for what is computed for its unit: in the last layer also the error, the loss and the Jacobians. */
function drawNodes({ data }, part) {
  const last = withRole(data, { role: "loss" });
  for (const node of picture.querySelectorAll(".node")) {
    const layer = Number(node.dataset.layer);
    const own = withRole(data, { layer }).filter((id) => !isRole(data, id, { kind: "weights" }));
    emphasise(node, part(layer === 0 ? withRole(data, { kind: "input" }) : layer === data.depth ? [...own, ...last] : own));
  }
}

/** Values that the step does not know yet are left out. */
function writeValues({ data, engine: { values } }) {
  const known = new Set([...tablesOf(state.section)].map((table) => table.dataset.id));
  for (const value of picture.querySelectorAll("tspan")) {
    const [id, row, column] = placeOf(value), node = value.closest(".node");
    value.textContent = known.has(id) ? TracerEngine.fixed(values[id][row][column], PICTURED) : "";
    value.parentNode.classList.toggle("unknown", !known.has(id));
    if (node.dataset.layer !== "0" && !isRole(data, id, { kind: "target" }) && value.parentNode.getAttribute("text-anchor") === "middle")
      node.classList.toggle("valued", known.has(id));
  }
}
