"use strict";
// The page and its tables: which cell stands where, its number, and whether it is as recorded. What is computed, and
// how a worked line reads, is the engine's business (templates/engine/).

const $ = (id) => document.getElementById(id);
const DATA = JSON.parse($("tracer-data").textContent);
const RATE = DATA.rate; // what the learning rate is called among the matrices
const root = document.documentElement;
const wide = matchMedia("screen and (width >= 75rem)"); // as in page.css: text and answer stand beside the board
const sections = [...document.querySelectorAll("section.step")];
const choices = { decimals: "", style: "", turned: "", theme: "", type: "", everything: "" };
// asked: the cell; pinned: it stays whatever the mouse meets; lit: the page asked it; guess: it is to be worked out
const state = { section: null, asked: null, pinned: false, lit: false, guess: null, taken: 0 };

// ---- The passes ----

const passes = DATA.passes.map((data, index) => ({ data, index, engine: null, edits: new Map(), stale: false, version: 0 }));

/** A pass with its engine, which is opened when it is first needed, and up to date. */
function opened(pass) {
  if (!pass.engine) {
    pass.engine = TracerEngine.open(pass.data);
    setDecimals(pass);
  }
  if (pass.stale) replay(pass);
  return pass;
}

/** The pass of a section; null where its data would have been too much for a page. */
function passOf(section) {
  const pass = passes[section.dataset.pass];
  return pass ? opened(pass) : null;
}

const engineOf = (section) => passOf(section)?.engine ?? null;
const isGiven = (section, { matrix }) => matrix in passOf(section).data.given;

// ---- The cells of a table ----

const places = new WeakMap(); // a table cell: the cell that it shows
const grids = new WeakMap(); // a table: its table cells by place

/** The rows or columns that a table shows; null stands for those left out. */
function kept(count, [most, first, last]) {
  const all = Array.from({ length: count }, (_, k) => k);
  return count <= most ? all : [...all.slice(0, first), null, ...all.slice(-last)];
}

/** The table cells of a table, found while it is as it was written; turning it moves them and keeps this true. */
function gridOf(table, values) {
  if (grids.has(table)) return grids.get(table);
  const matrix = table.dataset.id, grid = new Map();
  const columns = kept(values[matrix][0].length, DATA.kept.columns);
  kept(values[matrix].length, DATA.kept.rows).forEach((row, i) => {
    columns.forEach((column, j) => {
      if (row === null || column === null) return;
      const td = table.rows[i + 1].cells[j + 1];
      places.set(td, { matrix, row, column });
      grid.set(`${row}-${column}`, td);
    });
  });
  grids.set(table, grid);
  return grid;
}

const tablesOf = (section) => section.querySelectorAll(".board table");

/** The cell of a matrix that a table cell shows, if it shows one. */
function cellOf(td) {
  if (places.has(td)) return places.get(td);
  const section = td.closest("section.step"), engine = section && engineOf(section);
  if (!engine) return null;
  gridOf(td.closest("table"), engine.values);
  return places.get(td) ?? null;
}

/** The table cell that shows a cell of a matrix in a section, if one does. */
function tdOf(section, { matrix, row, column }) {
  const table = section.querySelector(`table[data-id="${matrix}"]`);
  return (table && gridOf(table, engineOf(section).values).get(`${row}-${column}`)) ?? null;
}

/** Turn a table over its diagonal, headings and all. */
function turn(table) {
  const grid = [...table.rows].map((row) => [...row.cells]);
  const body = document.createElement("tbody");
  grid[0].forEach((_, column) => {
    const row = body.insertRow();
    for (const cells of grid) {
      const cell = cells[column], text = cell.textContent;
      if (cell.scope) cell.scope = cell.scope === "row" ? "col" : "row";
      if (text === "⋮" || text === "⋯") cell.textContent = text === "⋮" ? "⋯" : "⋮";
      row.append(cell);
    }
  });
  table.tBodies[0].replaceWith(body);
}

/** Write the numbers of a section anew, and mark those that are not as recorded. */
function write(section) {
  const engine = engineOf(section);
  for (const table of tablesOf(section)) {
    for (const [, td] of gridOf(table, engine.values)) {
      const { matrix, row, column } = places.get(td);
      const text = engine.text(matrix, row, column), differs = engine.differs(matrix, row, column);
      if (td.firstChild.data !== text) td.textContent = text;
      if (differs) td.title = `was ${engine.was(matrix, row, column)}`;
      if (differs === td.classList.contains("changed")) continue;
      td.classList.toggle("changed", differs);
      if (!differs) td.removeAttribute("title");
    }
  }
}

// ---- A section as it is to be shown ----

const written = new WeakMap(); // a section: what each part of it was last written for

/** Bring a section up to date with numbers and choices, as far as it is not; `onPaper`: what only paper shows, too. */
function refresh(section, onPaper = false) {
  const pass = passOf(section), { decimals, turned } = choices, named = style();
  if (!written.has(section)) {
    const own = DATA.passes[0].style;
    written.set(section, { turned: "", names: `${own}|`, numbers: "0|", lines: `0||${own}` });
  }
  const part = (name, now, write) => {
    if (written.get(section)[name] === now) return;
    written.get(section)[name] = now;
    write(section);
  };
  part("turned", turned, turnSection);
  part("names", `${named}|${turned}`, caption);
  if (!pass) return;
  part("numbers", `${pass.version}|${decimals}`, write);
  if (onPaper || choices.everything || !wide.matches) part("lines", `${pass.version}|${decimals}|${named}`, rework);
}

function turnSection(section) {
  const engine = engineOf(section);
  for (const table of tablesOf(section)) {
    if (engine) gridOf(table, engine.values);
    turn(table);
  }
  for (const each of section.querySelectorAll(".as-rows")) each.hidden = Boolean(choices.turned);
  for (const each of section.querySelectorAll(".as-columns")) each.hidden = !choices.turned;
}
