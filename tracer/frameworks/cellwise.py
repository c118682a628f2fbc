"""Operations cell by cell: sums and products, and functions of one cell."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

from tracer.expression import matrix as m
from tracer.expression.evaluate import evaluate
from tracer.formulas.meaning import Reader
from tracer.formulas.parsing import parsed
from tracer.frameworks.cells import Held, Ids, Laid, LaidBlock
from tracer.frameworks.draft import LARGEST, Draft, written
from tracer.frameworks.rules import RULES, Untold, applied, rule

WriteText: TypeAlias = Callable[..., str]
SAME_FROM = 20.0  # where ln(1 + eˣ) and x are one number, but for 2 in its billionth place
SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


def combined(
    draft: Draft, write: WriteText, *operands: Held | float, blocks: Sequence[LaidBlock] | None = None, part: str = ""
) -> Held:
    """A rule over tensors whose shapes are broadcast as in numpy; of numbers alone, its value.

    `blocks` says in which matrices, where they are not to be those that the operands are in.
    """
    if not any(isinstance(each, Laid) for each in operands):
        return _value(write, [np.asarray(each) for each in operands])
    whole = [draft.laid(each) for each in operands]
    shape = np.broadcast_shapes(*(each.shape for each in whole))
    wide = [Laid(np.broadcast_to(each.cells, shape)) for each in whole]
    taken = [Laid(w.cells) for w, each, given in zip(wide, whole, operands, strict=True)
             if each.shape == shape and isinstance(given, Laid)]  # fmt: skip
    taken.sort(key=lambda each: bool((draft.table.owners(each.cells) < 0).any()))
    if taken:
        draft.start_matrices(taken[0])
    blocks = draft.blocks(*(taken or wide[:1])) if blocks is None else blocks

    def formula(block: LaidBlock) -> str:
        parts = [each.at(block) for each in wide]
        thin = [_thin(part) for part in parts]
        if np.broadcast_shapes(*(each.shape for each in thin)) != block.places.shape:
            thin[0] = parts[0]
        return write(*(_operand(draft, part) for part in thin))

    return Laid(draft.write(blocks, [formula(block) for block in blocks], part).reshape(shape))


def _value(write: WriteText, operands: list[np.ndarray]) -> np.ndarray:
    """The value of a rule over numbers alone: its formula, read as any other. Whole numbers stay so."""
    shape = np.broadcast_shapes(*(each.shape for each in operands))
    values = {f"n{k}": np.broadcast_to(each, shape).astype(np.float64).reshape(1, -1)
              for k, each in enumerate(operands)}  # fmt: skip
    shapes = {name: each.shape for name, each in values.items()}

    def part(expression: m.Matrix, held: bool) -> m.Symbol:
        name = f"part{len(values)}"
        values[name], shapes[name] = evaluate(expression, values), expression.shape
        return m.Symbol(name, expression.shape)

    whole = Reader(parsed(f"value = {write(*list(values))}"), shapes, part).read()
    found = np.broadcast_to(evaluate(whole, values), (1, math.prod(shape))).reshape(shape)
    counts = all(each.dtype.kind in "iub" for each in operands) and bool((found == np.rint(found)).all())
    return found.astype(np.int64) if counts else found


def _thin(cells: Ids) -> Ids:
    """One row or column for all, where they repeat."""
    if len(cells) > 1 and (cells == cells[:1]).all():
        cells = cells[:1]
    if cells.shape[1] > 1 and (cells == cells[:, :1]).all():
        cells = cells[:, :1]
    return cells


def _operand(draft: Draft, cells: Ids) -> str:
    number = draft.number(cells)
    return draft.text(cells) if number is None else written(number)


def _function(text: str) -> Callable[..., Held]:
    def made(draft: Draft, self: Held, **_: Any) -> Held:
        return combined(draft, text.format, self)

    return made


ONE_CELL = {
    "relu": "relu({})",
    "sigmoid": "sigmoid({})",
    "tanh": "tanh({})",
    "exp": "exp({})",
    "log": "log({})",
    "log2": f"log({{}}) / {math.log(2)!r}",
    "log10": f"log({{}}) / {math.log(10)!r}",
    "log1p": "log(1 + {})",
    "expm1": "exp({}) - 1",
    "sqrt": "sqrt({})",
    "rsqrt": "1 / sqrt({})",
    "abs": "abs({})",
    "sin": "sin({})",
    "cos": "cos({})",
    "tan": "sin({0}) / cos({0})",
    "sinh": "(exp({0}) - exp(-{0})) / 2",
    "cosh": "(exp({0}) + exp(-{0})) / 2",
    "atan": "arctan({})",
    "asin": "2 * arctan({0} / (1 + sqrt(1 - {0} ** 2)))",
    "acos": f"{math.pi / 2!r} - 2 * arctan({{0}} / (1 + sqrt(1 - {{0}} ** 2)))",
    "asinh": "where({0} < 0, -log(abs({0}) + sqrt({0} ** 2 + 1)), log(abs({0}) + sqrt({0} ** 2 + 1)))",
    "acosh": "log({0} + sqrt({0} ** 2 - 1))",
    "atanh": "log((1 + {0}) / (1 - {0})) / 2",
    "erf": "erf({})",
    "erfc": "1 - erf({})",
    "neg": "-{}",
    "square": "{} ** 2",
    "reciprocal": "1 / {}",
    "silu": "silu({})",
    "mish": "{0} * tanh(softplus({0}))",
    "softsign": "{0} / (1 + abs({0}))",
    "log_sigmoid": "-softplus(-{})",
    "tanhshrink": "{0} - tanh({0})",
    "hardsigmoid": "where({0} > -3, where({0} < 3, {0} / 6 + 0.5, 1), 0)",
    "hardswish": "where({0} > -3, where({0} < 3, {0} * ({0} + 3) / 6, {0}), 0)",
    "relu6": "where({0} > 0, where({0} < 6, {0}, 6), 0)",
    "selu": f"{SELU_SCALE!r} * (relu({{0}}) + {SELU_ALPHA!r} * (exp(-relu(-{{0}})) - 1))",
    "sign": "where({0} > 0, 1, where({0} < 0, -1, 0 * {0}))",
    "detach": "detach({})",
}
for _kind, _text in ONE_CELL.items():
    RULES[_kind] = _function(_text)


@rule("gelu")
def gelu(draft: Draft, self: Held, approximate: str = "none") -> Held:
    """Both of PyTorch's forms: "none" is x·Φ(x), "tanh" the approximation."""
    form = "tanh" if approximate == "tanh" else "erf"
    return combined(draft, lambda x: f'gelu({x}, form="{form}")', self)


@rule("elu")
def elu(draft: Draft, self: Held, alpha: float = 1.0, scale: float = 1.0, input_scale: float = 1.0) -> Held:
    """x where it is positive, α(eˣ − 1) elsewhere."""
    if alpha == scale == input_scale == 1.0:
        return combined(draft, "elu({})".format, self)
    text = f"{scale!r} * (relu({{0}}) + {alpha!r} * (exp(-{input_scale!r} * relu(-{{0}})) - 1))"
    return combined(draft, text.format, self)


@rule("celu")
def celu(draft: Draft, self: Held, alpha: float = 1.0) -> Held:
    return elu(draft, self, alpha, 1.0, 1.0 / alpha)


@rule("leaky_relu")
def leaky_relu(draft: Draft, self: Held, negative_slope: float = 0.01) -> Held:
    text = f"leaky_relu({{}}, slope={negative_slope!r})"
    return combined(draft, text.format, self)


@rule("prelu")
def prelu(draft: Draft, self: Held, weight: Held) -> Held:
    """Leaky ReLU whose slope is learned: one for all, or one for each channel."""
    x, slope = draft.laid(self), draft.laid(weight)
    if len(slope.cells) > 1 and x.cells.ndim > 2:
        slope = Laid(slope.cells.reshape(-1, *(1,) * (x.cells.ndim - 2)))
    return combined(draft, "where({0} > 0, {0}, {1} * {0})".format, x, slope)


@rule("softplus")
def softplus(draft: Draft, self: Held, beta: float = 1.0, threshold: float = 20.0) -> Held:
    """ln(1 + e^βx)/β; beyond the threshold (20: where they are the same) it is x itself."""
    text = "softplus({0})" if beta == 1 else f"softplus({beta!r} * {{0}}) / {beta!r}"
    if threshold < SAME_FROM:
        text = f"where({{0}} > {written(threshold / beta)}, {{0}}, {text})"
    return combined(draft, text.format, self)


@rule("clamp", "hardtanh", "clip", "clamp_min", "clamp_max")
def clamp(draft: Draft, self: Held, min: Any = None, max: Any = None, min_val: Any = None, max_val: Any = None) -> Held:
    """Kept between two bounds; at a bound the gradient goes through, but for hardtanh."""
    strict = draft.operation.kind == "hardtanh"
    low, high = (min_val, max_val) if min_val is not None or max_val is not None else (min, max)
    if strict:
        low, high = -1.0 if low is None else low, 1.0 if high is None else high
    if any(isinstance(each, Laid) or np.size(each) > 1 for each in (low, high)):
        raise draft.refuse("with bounds that are computed is not known; write it with maximum and minimum")
    low, high = (None if each is None or abs(each) >= LARGEST else each for each in (low, high))  # no bound at all
    if low is None and high is None:
        return self
    more, less = (">", "<") if strict else (">=", "<=")
    text = "{0}"
    if high is not None:
        text = f"where({{0}} {less} {written(float(high))}, {text}, {written(float(high))})"
    if low is not None:
        text = f"where({{0}} {more} {written(float(low))}, {text}, {written(float(low))})"
    return combined(draft, text.format, self)


@rule("threshold")
def threshold(draft: Draft, self: Held, threshold: float, value: float) -> Held:
    text = f"where({{0}} > {written(threshold)}, {{0}}, {written(value)})"
    return combined(draft, text.format, self)


@rule("softshrink", "hardshrink")
def shrink(draft: Draft, self: Held, lambd: float = 0.5) -> Held:
    """Nothing near 0; elsewhere x, and nearer to 0 by λ where it is soft."""
    off = lambd if draft.operation.kind.startswith("soft") else 0.0
    up, down = (f"{{0}} - {off!r}", f"{{0}} + {off!r}") if off else ("{0}", "{0}")
    text = f"where({{0}} > {lambd!r}, {up}, where({{0}} < {written(-lambd)}, {down}, 0 * {{0}}))"
    return combined(draft, text.format, self)


@rule("add")
def add(draft: Draft, self: Held, other: Held, alpha: float = 1) -> Held:
    if not isinstance(self, Laid) and isinstance(other, Laid) and np.ndim(self) == 0 and alpha == 1:
        self, other = other, self
    if not isinstance(other, Laid) and np.all(np.asarray(other) == 0) and np.ndim(other) == 0:
        return self
    text = "{0} + {1}" if alpha == 1 else f"{{0}} + {written(alpha)} * {{1}}"
    return combined(draft, text.format, self, other)


@rule("sub")
def sub(draft: Draft, self: Held, other: Held, alpha: float = 1) -> Held:
    text = "{0} - {1}" if alpha == 1 else f"{{0}} - {written(alpha)} * {{1}}"
    return combined(draft, text.format, self, other)


@rule("rsub")
def rsub(draft: Draft, self: Held, other: Held, alpha: float = 1) -> Held:
    return sub(draft, other, self, alpha)


@rule("mul")
def mul(draft: Draft, self: Held, other: Held) -> Held:
    for one, another in ((self, other), (other, self)):
        if not isinstance(one, Laid) and np.ndim(one) == 0 and float(one) == 1.0 and isinstance(another, Laid):
            return another
    return combined(draft, "{} * {}".format, self, other)


@rule("div")
def div(draft: Draft, self: Held, other: Held, rounding_mode: str | None = None) -> Held:
    if rounding_mode is not None:
        if isinstance(self, Laid) or isinstance(other, Laid):
            raise draft.refuse("rounds, and no gradient goes through that; compute it before and pass it as an input")
        return np.floor_divide(self, other) if rounding_mode == "floor" else np.trunc(np.divide(self, other))
    return combined(draft, "{} / {}".format, self, other)


@rule("pow")
def pow_(draft: Draft, self: Held, exponent: Held) -> Held:
    """A power with a number as exponent; with a tensor as exponent, e to its product with the logarithm."""
    if not isinstance(exponent, Laid) and np.ndim(exponent) == 0:
        power = float(exponent)
        if power == 1:
            return self
        shown = int(power) if power == int(power) else power
        return combined(draft, lambda x: f"{x} ** {shown}" if shown >= 0 else f"{x} ** ({shown})", self)  # fmt: skip
    if not isinstance(self, Laid) and np.ndim(self) == 0:
        base = math.log(float(self))
        return combined(draft, lambda x: f"exp({base!r} * {x})", exponent)
    product = combined(draft, "log({}) * {}".format, self, exponent)
    return applied(draft, "exp", self=product)


@rule("maximum")
def maximum(draft: Draft, self: Held, other: Held) -> Held:
    return combined(draft, "maximum({}, {})".format, self, other)


@rule("minimum")
def minimum(draft: Draft, self: Held, other: Held) -> Held:
    return combined(draft, "minimum({}, {})".format, self, other)


@rule("where")
def where(draft: Draft, condition: Held, self: Held, other: Held) -> Held:
    """The one where the condition is 1, the other where it is 0."""
    if not isinstance(condition, Laid):
        kept = np.broadcast_to(
            np.asarray(condition, bool), np.broadcast_shapes(*map(shape_of, (condition, self, other)))
        )
        if kept.all() or not kept.any():
            chosen = self if kept.all() else other
            if isinstance(chosen, Laid):
                return Laid(np.broadcast_to(chosen.cells, kept.shape))
            return np.broadcast_to(np.asarray(chosen), kept.shape)
    text = "where({0} > 0, {1}, {2})".format
    return combined(draft, text, _as_number(condition), self, other)


def shape_of(value: Held | float) -> tuple[int, ...]:
    return value.shape if isinstance(value, Laid) else tuple(np.shape(value))


def _as_number(condition: Held) -> Held:
    return condition if isinstance(condition, Laid) else np.asarray(condition, np.float64)


@rule("masked_fill")
def masked_fill(draft: Draft, self: Held, mask: Held, value: Held) -> Held:
    """Another number where the mask is 1; minus infinity is a large number added, so that the formula stays plain."""
    if not isinstance(mask, Laid) and not isinstance(value, Laid) and float(np.asarray(value)) <= -LARGEST:
        closed = np.where(np.asarray(mask, bool), MASKED, 0.0)
        return add(draft, self, closed) if closed.any() else self
    return where(draft, mask, value, self)


MASKED = -1e9  # e to it is 0 in float64, and it leaves a finite number beside any score


EQUAL = "where({0} >= {1}, where({0} <= {1}, 1, 0), 0)"
_COMPARED = {
    "gt": "where({} > {}, 1, 0)",
    "ge": "where({} >= {}, 1, 0)",
    "lt": "where({} < {}, 1, 0)",
    "le": "where({} <= {}, 1, 0)",
    "eq": EQUAL,
    "ne": "where({0} >= {1}, where({0} <= {1}, 0, 1), 1)",
}


def _compare(text: str) -> Callable[..., Held]:
    def made(draft: Draft, self: Held, other: Held) -> Held:
        return _as_truth(combined(draft, text.format, self, other))

    return made


def _as_truth(made: Held) -> Held:
    """Of numbers a condition, as what picks by it wants."""
    return made if isinstance(made, Laid) else np.asarray(made, bool)


for _kind, _text in _COMPARED.items():
    RULES[_kind] = _compare(_text)


@rule("logical_not", "bitwise_not")
def logical_not(draft: Draft, self: Held) -> Held:
    return _as_truth(combined(draft, "1 - {}".format, self))


@rule("logical_and", "bitwise_and")
def logical_and(draft: Draft, self: Held, other: Held) -> Held:
    return _as_truth(combined(draft, "{} * {}".format, self, other))


@rule("logical_or", "bitwise_or")
def logical_or(draft: Draft, self: Held, other: Held) -> Held:
    return _as_truth(combined(draft, "maximum({}, {})".format, self, other))


@rule("logical_xor", "bitwise_xor")
def logical_xor(draft: Draft, self: Held, other: Held) -> Held:
    return _as_truth(combined(draft, "abs({} - {})".format, self, other))


@rule("isnan", "isinf", "isfinite")
def is_finite(draft: Draft, self: Held) -> Held:
    """Every computed number here is finite: what is not stops the run."""
    if isinstance(self, Laid):
        return np.full(self.shape, draft.operation.kind == "isfinite")
    return np.asarray({"isnan": np.isnan, "isinf": np.isinf, "isfinite": np.isfinite}[draft.operation.kind](self))


@rule("logaddexp")
def logaddexp(draft: Draft, self: Held, other: Held) -> Held:
    """ln(eᵃ + eᵇ), without an exponential of a large number."""
    return combined(draft, "{1} + softplus({0} - {1})".format, self, other)


@rule("rrelu", "rrelu_with_noise", "rrelu_with_noise_functional")
def rrelu(draft: Draft, self: Held, noise: Held | None = None, lower: float = 1 / 8, upper: float = 1 / 3,
          training: bool = False, **_: Any) -> Any:  # fmt: skip
    """In evaluation leaky ReLU with the slope in the middle."""
    if training:
        raise draft.refuse("draws its slopes at random in training; call .eval() first")
    made = leaky_relu(draft, self, (lower + upper) / 2)
    return (made, Untold("its slopes")) if draft.operation.kind.endswith("functional") else made


@rule("atan2")
def atan2(draft: Draft, self: Held, other: Held) -> Held:
    """The angle of (x, y) from −π to π: of the quotient, and half a turn further where x is negative."""
    half = f"where({{0}} >= 0, {math.pi!r}, {-math.pi!r})"
    upright = f"where({{0}} > 0, {math.pi / 2!r}, where({{0}} < 0, {-math.pi / 2!r}, 0)) - arctan({{1}} / {{0}})"
    beside = f"arctan({{0}} / {{1}}) + where({{1}} < 0, {half}, 0)"
    return combined(draft, f"where(abs({{1}}) >= abs({{0}}), {beside}, {upright})".format, self, other)


@rule("lerp")
def lerp(draft: Draft, self: Held, end: Held, weight: Held) -> Held:
    return combined(draft, "{0} + {2} * ({1} - {0})".format, self, end, weight)


@rule("addcdiv")
def addcdiv(draft: Draft, self: Held, tensor1: Held, tensor2: Held, value: float = 1) -> Held:
    text = "{} + {} / {}" if value == 1 else f"{{}} + {written(value)} * {{}} / {{}}"
    return combined(draft, text.format, self, tensor1, tensor2)


@rule("addcmul")
def addcmul(draft: Draft, self: Held, tensor1: Held, tensor2: Held, value: float = 1) -> Held:
    text = "{} + {} * {}" if value == 1 else f"{{}} + {written(value)} * {{}} * {{}}"
    return combined(draft, text.format, self, tensor1, tensor2)


@rule("dropout")
def dropout(draft: Draft, input: Held, p: float, train: bool, mask: Held | None = None) -> Held:
    """Off; or with its mask given (1: kept), what is kept divided by the share that is."""
    if mask is None or p == 0:
        return input
    return combined(draft, f"{{}} * {{}} / {1 - p!r}".format, input, mask)


@rule("native_dropout")
def native_dropout(draft: Draft, input: Held, p: float, train: bool, mask: Held | None = None) -> Any:
    return dropout(draft, input, p, train, mask), Untold("what dropout keeps")
