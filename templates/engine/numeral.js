const LONGEST = 60; // characters; nobody types more
const BLANK = { kind: "blank" }, UNREADABLE = { kind: "unreadable" };

/** A number as people write it (check/numbers.py); `decimals` are those written, null where it is exact. */
function readNumber(text) {
  const plain = text.replace(/[−–\u2011]/g, "-").replace(/[\u202f\u00a0\u200b\u200e\u200f\u061c\u2066-\u2069\u202a-\u202e\ufeff]/g, "").replace(/⁄/g, "/").trim()
    .replace(/^[=≈~]/, "").trim();
  if (plain === "") return BLANK;
  if (plain.length > LONGEST) return UNREADABLE;
  const fraction = /^([+-]?)(\d{1,15})\s*\/\s*(\d{1,15})$/.exec(plain);
  if (fraction) {
    const value = Number(fraction[2]) / Number(fraction[3]);
    return Number.isFinite(value) ? { kind: "number", value: fraction[1] === "-" ? -value : value, decimals: null } : UNREADABLE;
  }
  const thousands = /^[+-]?\d{1,3}(,\d{3})+\.\d+$/.test(plain) ? plain.replace(/,/g, "") : plain;
  const found = /^([+-]?)(\d*)(?:[.,](\d*))?(?:[eE]([+-]?\d{1,3}))?$/.exec(thousands.replace(/ /g, ""));
  if (!found || !(found[2] || found[3])) return UNREADABLE;
  const [, sign, whole, decimals = "", power = "0"] = found;
  const value = Number(`${sign}${whole || "0"}.${decimals || "0"}e${power}`);
  return Number.isFinite(value) ? { kind: "number", value, decimals: decimals.length - Number(power) } : UNREADABLE;
}
