// Choices that stay, and where to begin.

const KEY = "tracer-page";

/** What was chosen before, as far as this page offers it. */
function load() {
  try {
    const known = JSON.parse(localStorage.getItem(KEY)) ?? {};
    for (const name of Object.keys(choices)) {
      const value = known[name], offered = [...($(name).options ?? [])].map((each) => each.value);
      if (offered.includes(value) || (name === "everything" && value === "yes")) choices[name] = value;
    }
  } catch {
    $("kept").hidden = false;
  }
}

function keep() {
  try {
    localStorage.setItem(KEY, JSON.stringify(choices));
  } catch {
    $("kept").hidden = false;
  }
}

/** A large network carries its names in fewer styles. */
function offerStyles() {
  for (const option of [...$("style").options]) {
    if (!(option.value in DATA.passes[0].labels)) option.remove();
  }
}

function showChoices() {
  for (const name of Object.keys(choices)) {
    if (name === "everything") $(name).checked = Boolean(choices[name]);
    else $(name).value = name === "style" ? style() : choices[name];
  }
}

/** What a choice says of the whole page; the sections follow one by one, as they are shown. */
function settle() {
  root.dataset.theme = choices.theme;
  root.dataset.type = choices.type;
  root.classList.toggle("everything", Boolean(choices.everything));
  unfold(Boolean(choices.everything));
  $("turned-note").hidden = !choices.turned;
  for (const pass of passes) if (pass.engine) setDecimals(pass);
}

function choose(name, value) {
  choices[name] = value;
  keep();
  settle();
  for (const section of sections) {
    section.hidden = !choices.everything && section !== state.section;
    if (!section.hidden) refresh(section);
    if (!section.hidden) prepareKeys(section);
    if (section === state.section) fit(formulasOf(section));
  }
  tell();
  drawNetwork();
  ask(state.asked, { pinned: state.pinned, lit: state.lit });
  hint();
}

for (const name of Object.keys(choices)) {
  $(name).addEventListener("change", ({ target: { type, checked, value } }) =>
    choose(name, type === "checkbox" ? (checked ? "yes" : "") : value));
}

wide.addEventListener("change", () => ask(state.asked, { pinned: state.pinned, lit: state.lit }));
addEventListener("resize", () => fit(formulasOf(state.section)));
for (const section of sections) { // on a long page a section is laid out when it comes near
  section.addEventListener("contentvisibilityautostatechange", ({ skipped }) => skipped || fit(formulasOf(section)));
}
// paper shows every step as it is now, in its own colours
addEventListener("beforeprint", () => {
  mark(null);
  unfold(true);
  for (const section of sections) refresh(section, true);
  fitPaper();
});
addEventListener("afterprint", () => {
  unfold(Boolean(choices.everything));
  mark(state.asked && linksOf(engineOf(state.section), state.asked));
  fit(formulasOf(state.section));
});

root.classList.add("js");
offerStyles();
load();
settle();
showChoices();
if (choices.everything) for (const section of sections) refresh(section);
follow();
if (choices.style) tell();
if (!location.hash) $("next").focus({ preventScroll: true });
performance.mark("ready");
