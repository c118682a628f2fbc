// matrix.py: expressions with their shapes; evaluate.py: their values, as arrays of rows

/** Lists become {kind, parts, rest, shape}; `templates` are the rules that "apply" takes to every cell. */
function decoded(written, shapes, templates) {
  if (typeof written === "number") return { kind: "constant", parts: [], rest: [written], shape: [1, 1] };
  if (typeof written === "string") return { kind: "symbol", parts: [], rest: [written], shape: shapes[written] };
  const [kind, inside, ...rest] = written;
  const parts = inside.map((part) => decoded(part, shapes, templates));
  if (kind === "apply") rest.push(templates[rest[1]], reader(templates[rest[1]]));
  return { kind, parts, rest, shape: shapeOf(kind, parts, rest) };
}

function shapeOf(kind, parts, rest) {
  const [rows, columns] = parts[0]?.shape ?? [];
  switch (kind) {
    case "identity": return [rest[0], rest[0]];
    case "matmul": return [rows, parts[1].shape[1]];
    case "transpose": return [columns, rows];
    case "repeat": return rest.slice(1);
    case "broadcast": case "apply":
      return [0, 1].map((side) => Math.max(...parts.map((part) => part.shape[side])));
    case "reduce": return [rest[1] === "columns" ? rows : 1, rest[1] === "rows" ? columns : 1];
    case "row": return [1, columns];
    case "stack": {
      const total = [0, 1].map((side) => parts.reduce((sum, part) => sum + part.shape[side], 0));
      return rest[0] === "columns" ? [rows, total[1]] : [total[0], columns];
    }
    case "rounded": case "stable": return [rows, columns];
    default: return pickedShape(kind, [rows, columns], rest);
  }
}

/** The symbols that are computed with. */
function symbols(node) {
  if (node.kind === "symbol") return [node.rest[0]];
  return (node.kind === "stable" ? [node.parts[1]] : node.parts).flatMap(symbols);
}

function table([rows, columns], cell) {
  const made = [];
  for (let row = 0; row < rows; row++) {
    made.push([]);
    for (let column = 0; column < columns; column++) made[row].push(cell(row, column));
  }
  return made;
}

const OPERATORS = {
  "+": (a, b) => a + b, "-": (a, b) => a - b, "*": (a, b) => a * b, "/": (a, b) => a / b,
  sum: (a, b) => a + b, max: (a, b) => Math.max(a, b),
};

/** The value of a matrix expression; `values` has those of its symbols. */
function evaluated(node, values) {
  const { kind, parts, rest, shape } = node;
  if (kind === "symbol") return values[rest[0]];
  if (kind === "stable") return evaluated(parts[1], values);
  const inside = parts.map((part) => evaluated(part, values));
  const [first, second] = inside;
  // a single row, column or number meets every row, column or cell
  const at = (k, row, column) => inside[k][parts[k].shape[0] > 1 ? row : 0][parts[k].shape[1] > 1 ? column : 0];
  switch (kind) {
    case "constant": return [[rest[0]]];
    case "identity": return table(shape, (row, column) => row === column ? 1 : 0);
    case "matmul": return multiplied(first, second, shape);
    case "transpose": return table(shape, (row, column) => first[column][row]);
    case "repeat": return table(shape, (row, column) => at(0, row, column));
    case "broadcast": {
      const operate = OPERATORS[rest[0]];
      return table(shape, (row, column) => operate(at(0, row, column), at(1, row, column)));
    }
    case "apply": {
      const [names, , , read] = rest, filled = {};
      return table(shape, (row, column) => {
        for (let k = 0; k < names.length; k++) filled[names[k]] = at(k, row, column);
        return read(null, filled);
      });
    }
    case "reduce": return reduced(first, OPERATORS[rest[0]], rest[1]);
    case "row": return [first[rest[0]]];
    case "stack": return rest[0] ? first.map((_, row) => inside.flatMap((part) => part[row])) : inside.flat();
    case "rounded": return table(shape, (row, column) => roundHalfAway(first[row][column], rest[0]));
    default: return table(shape, (row, column) =>
      number(lowerPicked(node, row, column), (matrix, i, k) => values[matrix][i][k]));
  }
}

function multiplied(left, right, [rows, columns]) {
  const product = table([rows, columns], () => 0);
  for (let row = 0; row < rows; row++) {
    const sums = product[row];
    for (let k = 0; k < right.length; k++) {
      const factor = left[row][k], others = right[k];
      for (let column = 0; column < columns; column++) sums[column] += factor * others[column];
    }
  }
  return product;
}

function reduced(rows, operate, over) {
  if (over === "columns") return rows.map((row) => [row.reduce(operate)]);
  const downwards = rows.reduce((sums, row) => sums.map((sum, column) => operate(sum, row[column])));
  return over === "rows" ? [downwards] : [[downwards.reduce(operate)]];
}
