// The gallery's first page: turn a weight and watch the loss; find the first wrong gradient.

document.documentElement.classList.add("js");
const $ = (id) => document.getElementById(id);

(() => {
  const engine = TracerEngine.open(JSON.parse($("tracer-data").textContent)), { matrix, loss, gradient, start } = $("turn").dataset;
  const cell = (id) => engine.values[id][0][0], slider = $("weight"), first = cell(loss);
  const most = Math.max(...[slider.min, slider.max].map((end) => turned(Number(end))));

  function turned(number) {
    engine.set(matrix, 0, 0, number);
    engine.recalculate();
    return cell(loss);
  }

  function says(now) {
    const way = cell(gradient) < 0 ? "right" : "left";
    if (Number(slider.value) === Number(start)) return `The gradient of this weight is ${TracerEngine.fixed(cell(gradient), 3)}: turn it to the ${way}, and the loss falls.`;
    if (now < first) return `Less wrong. That is all that learning is: every weight turned a little, each in the direction that its gradient says. Here it says: further to the ${way}.`;
    return `More wrong. The gradient here is ${TracerEngine.fixed(cell(gradient), 3)}, which says: to the ${way}.`;
  }

  function show() {
    const now = turned(Number(slider.value));
    $("loss").textContent = TracerEngine.fixed(now, 4);
    $("now").textContent = TracerEngine.fixed(Number(slider.value), 2);
    $("bar").style.width = `${(100 * now) / most}%`;
    $("was").style.left = `${(100 * first) / most}%`;
    $("says").textContent = says(now);
  }

  slider.addEventListener("input", show);
  show();
})();

for (const line of document.querySelectorAll(".lines button"))
  line.addEventListener("click", () => {
    const lines = [...document.querySelectorAll(".lines button")], { right, claimed } = line.dataset;
    const firstWrong = lines.find((each) => each.dataset.right !== each.dataset.claimed);
    for (const each of lines) each.classList.remove("is-right", "is-wrong");
    line.classList.add(right === claimed ? "is-right" : "is-wrong");
    if (right === claimed) $("found").textContent = "This one is right. Which hidden unit does each weight lead into, and whose slope is in its line?";
    else if (line !== firstWrong) $("found").textContent = "Wrong as well, but not the first: it was copied from the line above.";
    else $("found").textContent = `Found. This weight leads into the second hidden unit, so that unit's slope belongs here: ${right}, not ${claimed}. The two differ by ${TracerEngine.fixed(100 * Math.abs(claimed / right - 1), 1)} %, and so nobody saw it.`;
  });
