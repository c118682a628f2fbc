// lower.py: the bridge

/** The scalar expression of one cell of a matrix expression. */
function lower(node, row, column) {
  const { kind, parts, rest } = node;
  switch (kind) {
    case "symbol": return ["cell", [], rest[0], row, column];
    case "constant": return rest[0];
    case "identity": return row === column ? 1 : 0;
    case "matmul": return lowerProduct(parts, row, column);
    case "transpose": return lower(parts[0], column, row);
    case "repeat": return lowerAny(parts[0], row, column);
    case "broadcast": return combined(rest[0], ...parts.map((part) => lowerAny(part, row, column)));
    case "apply": {
      const cells = rest[0].map((name, k) => [name, lowerAny(parts[k], row, column)]);
      return substituted(rest[2], Object.fromEntries(cells));
    }
    case "reduce": return lowerReduce(parts[0], rest[0], rest[1], row, column);
    case "row": return lower(parts[0], rest[0], column);
    case "stack": return lowerStack(parts, rest[0], row, column);
    case "rounded": return ["round", [lower(parts[0], row, column)], rest[0]];
    case "stable": return ["stable", parts.map((part) => lower(part, row, column))];
    default: return lowerPicked(node, row, column);
  }
}

/** Parts lie one under the other, or side by side. */
function lowerStack(parts, over, row, column) {
  const side = over === "columns" ? 1 : 0, place = [row, column];
  let k = 0;
  for (; place[side] >= parts[k].shape[side]; k++) place[side] -= parts[k].shape[side];
  return lower(parts[k], ...place);
}

/** As `lower`; of a single row, column or number whichever cell meets this one. */
function lowerAny(node, row, column) {
  return lower(node, node.shape[0] > 1 ? row : 0, node.shape[1] > 1 ? column : 0);
}

const termsOf = (node) => kindOf(node) === "sum" ? node[1] : [node];
const factorsOf = (node) => kindOf(node) === "product" ? node[1] : [node];

function combined(operator, left, right) {
  switch (operator) {
    case "+": return flatSum(left, right);
    case "-": return flatSum(left, negative(right));
    case "*": return ["product", [...factorsOf(left), ...factorsOf(right)]];
    default: return ["quotient", [left, right]];
  }
}

/** One sum in place of a sum within a sum, and 0 − x as −x: as one would write it. */
function flatSum(left, right) {
  const terms = [...termsOf(left), ...termsOf(right)].filter((term) => term !== 0);
  return terms.length > 1 ? sum(terms) : terms[0] ?? 0;
}

function lowerProduct([left, right], row, column) {
  const inner = left.shape[1], across = view(left), down = view(right);
  if (across && down) {
    const blocks = [["u", part(across, row, 0, 1, inner)], ["v", turned(part(down, 0, column, inner, 1))]];
    return ["fold", [["product", ["u", "v"]]], "sum", blocks];
  }
  return sum(range(inner).map((k) => ["product", [lower(left, row, k), lower(right, k, column)]]));
}

function lowerReduce(operand, operation, over, row, column) {
  const [rows, columns] = operand.shape;
  const region = [over === "columns" ? row : 0, over === "rows" ? column : 0,
    over === "columns" ? 1 : rows, over === "rows" ? 1 : columns];
  return lowerRegion(operand, operation, region);
}

function lowerRegion(operand, operation, region) {
  const block = view(operand);
  if (block) return ["fold", ["u"], operation, [["u", part(block, ...region)]]];
  const folded = operand.kind === "apply" ? foldedTemplate(operand, operation, region) : null;
  if (folded) return folded;
  const cells = range(region[2] * region[3]).map((k) =>
    lower(operand, region[0] + Math.floor(k / region[3]), region[1] + k % region[3]));
  return [operation === "sum" ? "sum" : "maximum", cells];
}

/** A fold whose template is the rule; arguments that do not vary over the region are put in. */
function foldedTemplate({ parts, rest: [names, , template], shape }, operation, region) {
  const blocks = [], settled = {};
  for (const [k, name] of names.entries()) {
    const argument = parts[k], block = view(argument);
    if (block && String(argument.shape) === String(shape)) blocks.push([name, part(block, ...region)]);
    else if ([0, 1].every((side) => argument.shape[side] === 1 || region[side + 2] === 1))
      settled[name] = lowerAny(argument, region[0], region[1]);
    else return null;
  }
  return blocks.length ? ["fold", [substituted(template, settled)], operation, blocks] : null;
}

/** The block of cells that an expression merely looks at, or null where it computes. */
function view(node) {
  if (node.kind === "symbol") return [node.rest[0], 0, 0, ...node.shape, false];
  const block = ["transpose", "row", "part", "detached"].includes(node.kind) ? view(node.parts[0]) : null;
  if (!block || node.kind === "detached") return block;
  if (node.kind === "part")
    return node.rest.every(inARow) ? part(block, node.rest[0][0], node.rest[1][0], ...node.shape) : null;
  return node.kind === "row" ? part(block, node.rest[0], 0, 1, node.shape[1]) : turned(block);
}

const inARow = (chosen) => chosen[0] !== null && chosen.every((each, k) => each === chosen[0] + k);

/** Every cell that the value is computed from, in reading order, repeats included. */
function cellsIn(node) {
  if (kindOf(node) === "cell") return [node.slice(2)];
  if (kindOf(node) === "stable") return cellsIn(node[1][1]);
  const found = inside(node).flatMap(cellsIn);
  if (kindOf(node) === "fold")
    for (const [, block] of node[3]) for (let k = 0; k < count(node); k++) found.push(placeOf(block, k));
  return found;
}

/** Where a symbol's cell can play a part: rows with columns of the expression, null for every one. */
function reached(node, id, row, column) {
  const { kind, parts, rest } = node;
  const from = (k) => reached(parts[k], id, row, column);
  switch (kind) {
    case "symbol": return rest[0] === id ? [[row, column]] : [];
    case "matmul": return [...from(0).map(([i]) => [i, null]), ...from(1).map(([, k]) => [null, k])];
    case "transpose": return from(0).map(([i, k]) => [k, i]);
    case "reduce": return from(0).map(([i, k]) => [rest[1] === "columns" ? i : null, rest[1] === "rows" ? k : null]);
    case "row": return from(0).filter(([i]) => i === null || i === rest[0]).map(([, k]) => [null, k]);
    case "stack": return rest[0] ? [[null, null]] : parts.flatMap((_, i) => from(i).map(([, k]) => [i, k]));
    case "stable": return from(1);
    case "part": case "scatter": case "reshape": case "correlation": case "spread": case "pool": case "firstmaximum":
      return [[null, null]];
    default: // cell by cell; a single row, column or number meets all
      return parts.flatMap(({ shape: [rows, columns] }, part) =>
        from(part).map(([i, k]) => [rows > 1 ? i : null, columns > 1 ? k : null]));
  }
}

/** Whether a cell is among those that the value is computed from, found without listing them. */
function takes(node, matrix, row, column) {
  if (kindOf(node) === "cell") return node[2] === matrix && node[3] === row && node[4] === column;
  const parts = kindOf(node) === "stable" ? [node[1][1]] : inside(node);
  return parts.some((part) => takes(part, matrix, row, column)) || kindOf(node) === "fold"
    && node[3].some(([, [of, top, left, rows, columns]]) => of === matrix && row >= top && row < top + rows
      && column >= left && column < left + columns);
}
