// digits.py: rounding as by hand, and numbers as text

const TIE = 1e-9, FLOAT_ERROR = 2 ** -51, MOST_ERROR = 1e-6;
const LARGEST_WRITTEN = 1e16, LARGEST_SCALED = 2 ** 52;
const scales = [];

function roundHalfAway(value, decimals) {
  const scale = scales[decimals] = scales[decimals] ?? Number(`1e${decimals}`); // 10 ** decimals may miss by a bit
  const size = Math.abs(value) * scale;
  if (!(size < LARGEST_SCALED)) return value;
  const rounded = Math.floor(size + 0.5 + TIE + Math.min(size * FLOAT_ERROR, MOST_ERROR)) / scale;
  return value < 0 && rounded !== 0 ? -rounded : rounded;
}

const withMinus = (text) => text.replace(/-/g, "−");
const withPower = (text) => withMinus(text.replace(/e([+-])(\d)$/, "e$10$2"));

function farOut(value) {
  if (Number.isFinite(value)) return withPower(value.toExponential(3));
  return Number.isNaN(value) ? "NaN" : value < 0 ? "−∞" : "∞";
}

function fixed(value, decimals) {
  if (!(Math.abs(value) < LARGEST_WRITTEN)) return farOut(value);
  return withMinus(roundHalfAway(value, decimals).toFixed(decimals));
}

function asTyped(value) {
  if (!Number.isFinite(value)) return farOut(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-6 || size >= LARGEST_WRITTEN)) return withPower(value.toExponential());
  return withMinus(String(value));
}

function typedDecimals(value) {
  if (!Number.isFinite(value)) return 0;
  const [digits, power] = value.toExponential().split("e");
  return Math.max(0, (digits.split(".")[1] ?? "").length - Number(power));
}

const shownAs = (value, decimals) => decimals === null ? asTyped(value) : fixed(value, decimals);
