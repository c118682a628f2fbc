// What every sheet with a script has: its data, its words, and what is said aloud.

const $ = (id) => document.getElementById(id);
const data = JSON.parse($("worksheet-data").textContent);
const store = `tracer worksheet ${data.problem_sha256} ${data.plan}`;

/** "Z1-0-2" as a matrix and its place. */
function cellOf(key) {
  const [matrix, row, column] = key.split("-");
  return [matrix, Number(row), Number(column)];
}

/** A message with its placeholders filled in. */
const worded = (message, values = {}) => message.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
const words = (key, values) => worded(data.words[key], values);
const wordsOf = (box) => box.getAttribute("aria-label");

function say(words) {
  $("aloud").textContent = words;
}

/** What is wider than the window can be scrolled by keys, too. */
function reach() {
  for (const part of document.querySelectorAll(".scroll, .formula, .worked, .completion")) {
    if (part.scrollWidth > part.clientWidth && !part.querySelector("input")) part.tabIndex = 0;
    else part.removeAttribute("tabindex");
  }
}
