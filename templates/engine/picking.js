// What matrix.py calls parts, scatters, kernels and tiles: each cell by what it is made of, as lower.py says

function pickedShape(kind, [rows, columns], rest) {
  switch (kind) {
    case "part": return rest.map((chosen) => chosen.length);
    case "scatter": return rest.slice(2);
    case "reshape": case "correlation": case "spread": return rest.slice(0, 2);
    case "pool": return [rows / rest[1], columns / rest[2]];
    default: return [rows, columns];
  }
}

/** The scalar expression of one cell. */
function lowerPicked(node, row, column) {
  const { kind, parts: [operand, kernel], rest, shape } = node;
  switch (kind) {
    case "part": {
      const [i, k] = [rest[0][row], rest[1][column]];
      return i === null || k === null ? 0 : lower(operand, i, k);
    }
    case "scatter": return addedUp(places(rest[0], row).flatMap((i) =>
      places(rest[1], column).map((k) => lower(operand, i, k))));
    case "reshape": {
      const place = row * shape[1] + column, width = operand.shape[1];
      return lower(operand, Math.floor(place / width), place % width);
    }
    case "correlation": return correlated(node, row, column);
    case "spread": return addedUp(cellsOf(kernel).flatMap(([u, v]) => {
      const [i, k] = [laid(node, row, u, 0), laid(node, column, v, 1)];
      return i === null || k === null ? [] : [["product", [lower(operand, i, k), lower(kernel, u, v)]]];
    }));
    case "pool": return lowerRegion(operand, rest[0], [row * rest[1], column * rest[2], rest[1], rest[2]]);
    case "firstmaximum": return firstMaximum(node, row, column);
    case "detached": return lower(operand, row, column);
    default: throw new TypeError(`no such matrix expression: ${kind}`);
  }
}

const places = (chosen, wanted) => range(chosen.length).filter((place) => chosen[place] === wanted);
const addedUp = (terms) => terms.length ? terms.reduce((sum, term) => flatSum(sum, term)) : 0;
const cellsOf = ({ shape: [rows, columns] }) => range(rows * columns).map((k) => [Math.floor(k / columns), k % columns]);

function correlated({ parts: [image, kernel], rest: [, , step, spacing, padding] }, row, column) {
  const [top, left] = [row * step - padding, column * step - padding];
  const [[high, wide], [rows, columns]] = [image.shape, kernel.shape];
  const [under, over] = [view(image), view(kernel)];
  if (under && over && spacing === 1 && top >= 0 && left >= 0 && top + rows <= high && left + columns <= wide)
    return ["fold", [["product", ["u", "v"]]], "sum", [["u", part(under, top, left, rows, columns)], ["v", over]]];
  const inside = cellsOf(kernel).map(([u, v]) => [u, v, top + u * spacing, left + v * spacing])
    .filter(([, , i, k]) => i >= 0 && i < high && k >= 0 && k < wide);
  return addedUp(inside.map(([u, v, i, k]) => ["product", [lower(image, i, k), lower(kernel, u, v)]]));
}

/** The image's row or column for which this row or column of the kernel comes to lie here, or null. */
function laid({ parts: [image], rest: [, , step, spacing, padding] }, place, ofKernel, side) {
  const found = (place + padding - ofKernel * spacing) / step;
  return Number.isInteger(found) && found >= 0 && found < image.shape[side] ? found : null;
}

/** 1 where the cell is larger than those before it in its tile, and not smaller than those behind. */
function firstMaximum({ parts: [operand], rest: [height, width] }, row, column) {
  const [top, left] = [row - row % height, column - column % width];
  const here = (row - top) * width + column - left;
  const tile = range(height * width).map((k) => lower(operand, top + Math.floor(k / width), left + k % width));
  let answer = 1;
  for (const [relation, others] of [[">", tile.slice(0, here)], [">=", tile.slice(here + 1)]])
    if (others.length)
      answer = ["where", [tile[here], others.length > 1 ? ["maximum", others] : others[0], answer, 0], relation];
  return answer;
}

/** The normal distribution's share below z: a series about 0, a continued fraction far from it. */
function normalShare(z) {
  const bell = Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI);
  if (Math.abs(z) < 3) {
    let term = z, sum = z;
    for (let k = 3; Math.abs(term) > 1e-17 * Math.abs(sum); k += 2) sum += term *= z * z / k;
    return 0.5 + bell * sum;
  }
  let below = Math.abs(z);
  for (let k = 200; k > 0; k--) below = Math.abs(z) + k / below;
  return z < 0 ? bell / below : 1 - bell / below;
}

const FUNCTIONS = { sqrt: Math.sqrt, sin: Math.sin, cos: Math.cos, arctan: Math.atan, normal_cdf: normalShare };
