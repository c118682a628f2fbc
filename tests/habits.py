"""How honest people write their numbers, and how they hand them in: each habit works a problem by the right rules."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

import numpy as np

from tests.students import Answers, Array, Work, rounded, split

Random = np.random.Generator
Numeral = Callable[[float, int], str]
"""What is written of a number where so many decimals are asked for."""
FORWARD = ("Z", "A", "L")


@dataclass(frozen=True)
class HonestHabit:
    """`writes` makes the text; `keeps` what is gone on with: the text's number, the value, or a numeral of its own.

    `as_asked`: a matrix is written with the decimals that it is asked for, not with those of the problem.
    """

    writes: Numeral
    keeps: Numeral | None = None
    remembers: Callable[[str, Random], bool] = lambda name, random: False
    work: type[Work] = Work
    as_asked: bool = False

    def on_paper(self, value: float, decimals: int, remembered: bool) -> tuple[str, float]:
        """What is written, and what is gone on with."""
        text = self.writes(value, decimals)
        if remembered:
            return text, value
        return text, float(self.keeps(value, decimals) if self.keeps else text)


def by_decimals(more: int = 0, how: str = ROUND_HALF_UP) -> Numeral:
    return lambda value, decimals: rounded(value, max(decimals + more, 0), how)


def so_many_decimals(count: int) -> Numeral:
    return lambda value, decimals: rounded(value, count)


def significant(digits: int, scientific: bool = False) -> Numeral:
    def text(value: float, decimals: int) -> str:
        if value == 0:
            return "0"
        made = f"{value:.{digits - 1}e}"
        return made if scientific else f"{Decimal(made):f}"

    return text


def no_zeros(numeral: Numeral) -> Numeral:
    def text(value: float, decimals: int) -> str:
        made = numeral(value, decimals)
        return made.rstrip("0").removesuffix(".") if "." in made else made

    return text


def padded(value: float, decimals: int) -> str:
    """Rounded, and zeros behind it that say more than is known."""
    return rounded(value, decimals) + "00"


def in_full(value: float, decimals: int) -> str:
    return repr(value)


def single_precision(value: float, decimals: int) -> str:
    return repr(float(np.float32(value)))


def always(name: str, random: Random) -> bool:
    return True


def now_and_then(name: str, random: Random) -> bool:
    return bool(random.random() < 0.5)


def forward(name: str, random: Random) -> bool:
    return split(name)[0] in FORWARD


def backward(name: str, random: Random) -> bool:
    return not forward(name, random)


def activations(name: str, random: Random) -> bool:
    return split(name)[0] == "A"


def deltas(name: str, random: Random) -> bool:
    return split(name)[0] == "D"


class ProductsRounded(Work):
    """Rounds each product of a sum before adding it up, one digit finer than asked."""

    more = 1

    def _summed(self, left: Array, right: Array) -> Array:
        unit = 10.0 ** -(self.document["decimals"] + self.more)
        products = np.round(left[:, :, None] * right[None] / unit) * unit
        return np.asarray(products.sum(axis=1))

    def _Z(self, m: dict[str, Array], layer: int) -> Array:
        return self._summed(self.A(m, layer - 1), m[f"W{layer}"]) + m.get(f"b{layer}", 0.0)

    def _E(self, m: dict[str, Array], layer: int) -> Array:
        return self._summed(m[f"D{layer + 1}"], m[f"W{layer + 1}"].T) if layer else super()._E(m, layer)

    def _dW(self, m: dict[str, Array], layer: int) -> Array:
        return self._summed(self.A(m, layer - 1).T, m[f"D{layer}"])


class ProductsRoundedAsAsked(ProductsRounded):
    """Rounds each product to the digits asked for."""

    more = 0


class ChangeRounded(Work):
    """Rounds the rate times the gradient before it is subtracted."""

    def _change(self, gradient: Array) -> Array:
        unit = 10.0 ** -self.document["decimals"]
        return np.asarray(np.round(self.step() * gradient / unit) * unit)

    def _W_next(self, m: dict[str, Array], layer: int) -> Array:
        return np.asarray(m[f"W{layer}"] - self._change(m[f"dW{layer}"]))

    def _b_next(self, m: dict[str, Array], layer: int) -> Array:
        change = self._change(m[f"db{layer}"]) if self.convention("bias_update") else 0.0
        return np.asarray(m[f"b{layer}"] - change)


HALF_UP, CUT, HALF_EVEN = by_decimals(), by_decimals(how=ROUND_DOWN), by_decimals(how=ROUND_HALF_EVEN)
HABITS: Mapping[str, HonestHabit] = {
    "rounds every step": HonestHabit(HALF_UP),
    "keeps every digit, writes those asked for": HonestHabit(HALF_UP, in_full),
    "one digit more, written and kept": HonestHabit(by_decimals(1)),
    "two digits more, written and kept": HonestHabit(by_decimals(2)),
    "keeps one digit more": HonestHabit(HALF_UP, by_decimals(1)),
    "keeps two digits more": HonestHabit(HALF_UP, by_decimals(2)),
    "one digit fewer, written and kept": HonestHabit(by_decimals(-1)),
    "one digit fewer, keeps every digit": HonestHabit(by_decimals(-1), in_full),
    "writes all that float64 has": HonestHabit(in_full),
    "calculates in single precision": HonestHabit(single_precision),
    "ten digits kept and three written": HonestHabit(so_many_decimals(3), so_many_decimals(10)),
    "ten digits kept and written": HonestHabit(so_many_decimals(10)),
    "six decimals kept and written": HonestHabit(so_many_decimals(6)),
    "three significant figures": HonestHabit(significant(3)),
    "four significant figures": HonestHabit(significant(4)),
    "three significant figures written, all kept": HonestHabit(significant(3), in_full),
    "five significant figures written, all kept": HonestHabit(significant(5), in_full),
    "scientific notation": HonestHabit(significant(4, scientific=True)),
    "cuts off every step": HonestHabit(CUT),
    "cuts off what is written, keeps every digit": HonestHabit(CUT, in_full),
    "rounds half to even": HonestHabit(HALF_EVEN),
    "rounds half to even, keeps every digit": HonestHabit(HALF_EVEN, in_full),
    "drops zeros": HonestHabit(no_zeros(HALF_UP)),
    "drops zeros, keeps every digit": HonestHabit(no_zeros(HALF_UP), in_full),
    "keeps some in full": HonestHabit(HALF_UP, remembers=now_and_then),
    "cuts off, keeps some in full": HonestHabit(CUT, remembers=now_and_then),
    "forward in full, backward rounded": HonestHabit(HALF_UP, remembers=forward),
    "forward rounded, backward in full": HonestHabit(HALF_UP, remembers=backward),
    "activations alone in full": HonestHabit(HALF_UP, remembers=activations),
    "deltas alone in full": HonestHabit(HALF_UP, remembers=deltas),
    "as asked for each matrix, rounds every step": HonestHabit(HALF_UP, as_asked=True),
    "as asked for each matrix, keeps every digit": HonestHabit(HALF_UP, in_full, as_asked=True),
    "as asked for each matrix, cuts off": HonestHabit(CUT, as_asked=True),
    "rounds the rate times the gradient first": HonestHabit(HALF_UP, work=ChangeRounded),
    "rounds each product, one digit finer": HonestHabit(HALF_UP, work=ProductsRounded),
}
APART: Mapping[str, HonestHabit] = {
    "rounds each product to the digits asked for": HonestHabit(HALF_UP, work=ProductsRoundedAsAsked),
    "pads with zeros": HonestHabit(padded),
}
"""Habits that say or do what is not quite right; they are counted by themselves."""

HANDED_IN: Mapping[str, Callable[[str, Random], bool]] = {
    "all": always,
    "half left out": now_and_then,
    "backward only": backward,
    "no S, E, J": lambda name, random: split(name)[0] not in ("S", "E", "J"),
    "ends only": lambda name, random: name.endswith("_next"),
}
"""Ways of handing in: whether a matrix is on the sheet."""


def worked_by(
    habit: HonestHabit,
    document: dict[str, object],
    hands_in: Callable[[str, Random], bool],
    asked: Mapping[str, int],
    random: Random,
) -> Answers:
    """What somebody of a habit hands in of a problem, up to where they come to a division by zero or the like."""
    work = habit.work(document)
    memory, answers = work.given(), {}
    for name in work.order():
        with np.errstate(all="ignore"):
            value = work.compute(name, memory)
        if not np.isfinite(value).all() or np.abs(value).max(initial=0.0) > 1e9:
            break
        decimals = asked[name] if habit.as_asked else int(document["decimals"])  # type: ignore[call-overload]
        remembered = habit.remembers(name, random)
        cells = [[habit.on_paper(each, decimals, remembered) for each in row] for row in value.tolist()]
        memory[name] = np.array([[kept for _, kept in row] for row in cells])
        if hands_in(name, random):
            answers[name] = [[text for text, _ in row] for row in cells]
    return answers  # type: ignore[return-value]
