"""Workbooks as people make them, for the audit: one small network in six layouts, right and with planted faults.

Every matrix is written once, as what one cell of it is made of and as one array formula; a layout says where the
matrices lie and which of the two is used. A fault takes the place of one matrix's rule.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from io import BytesIO
from itertools import product as product_of

from openpyxl import Workbook
from openpyxl.utils import get_column_letter
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.formula import ArrayFormula

from tracer.audit.graph import build
from tracer.audit.package import read_book
from tracer.expression.scalar import Cell

N, D, H, K = 4, 2, 3, 3  # samples, inputs, hidden units, outputs
TYPED = {
    "X": [[0.5, -0.7], [1.2, 0.4], [-0.3, 0.9], [0.8, 1.5]],
    "Y": [[0.9, 0.2, 0.4], [0.1, 0.7, 0.6], [0.8, 0.3, 0.25], [0.35, 0.65, 0.15]],
    "W1": [[0.45, -0.35, 0.62], [-0.28, 0.81, 0.17]],
    "b1": [[0.12, -0.22, 0.31]],
    "W2": [[0.55, -0.41, 0.26], [0.33, 0.72, -0.64], [-0.19, 0.24, 0.47]],
    "b2": [[0.05, -0.15, 0.21]],
    "rate": [[0.3]],
}
SHAPES = {
    **{name: (len(rows), len(rows[0])) for name, rows in TYPED.items()},
    "Z1": (N, H), "A1": (N, H), "Z2": (N, K), "A2": (N, K), "L": (1, 1), "E": (N, K), "S2": (N, K), "D2": (N, K),
    "E1": (N, H), "S1": (N, H), "D1": (N, H), "dW2": (H, K), "db2": (1, K), "dW1": (D, H), "db1": (1, H),
    "W2_next": (H, K), "b2_next": (1, K), "W1_next": (D, H), "b1_next": (1, H),
}  # fmt: skip
Address = Callable[[str, int, int], str]
Range = Callable[[str], str]


@dataclass(frozen=True)
class Rule:
    """How a matrix is made: one cell (row and column from 0), and all of it at once."""

    cell: Callable[[Address, int, int], str]
    array: Callable[[Range], str]


def product(left: str, right: str, inner: int, skip: int = 0) -> Callable[[Address, int, int], str]:
    return lambda c, i, j: "+".join(f"{c(left, i, k)}*{c(right, k, j)}" for k in range(inner - skip))


def turned(left: str, right: str, inner: int) -> Callable[[Address, int, int], str]:
    """leftᵀ·right."""
    return lambda c, i, j: "+".join(f"{c(left, k, i)}*{c(right, k, j)}" for k in range(inner))


def back(left: str, right: str, inner: int, skip: int = 0) -> Callable[[Address, int, int], str]:
    """left·rightᵀ."""
    return lambda c, i, j: "+".join(f"{c(left, i, k)}*{c(right, j, k)}" for k in range(inner - skip))


def each(form: str, *names: str) -> Rule:
    """Cell by cell: {0}, {1} stand for the matrices."""
    return Rule(
        lambda c, i, j: form.format(*(c(name, i, j) for name in names)),
        lambda r: form.format(*(r(name) for name in names)),
    )


def _sum(name: str) -> Rule:
    by_column = "_xlfn.BYCOL({},_xlfn.LAMBDA(_xlpm.c,SUM(_xlpm.c)))"
    return Rule(lambda c, i, j: "+".join(c(name, k, j) for k in range(N)), lambda r: by_column.format(r(name)))


def _step(name: str) -> Rule:
    return Rule(
        lambda c, i, j: f"{c(name, i, j)}-{c('rate', 0, 0)}*{c('d' + name, i, j)}",
        lambda r: f"{r(name)}-{r('rate')}*{r('d' + name)}",
    )


def _weighted(x: str, w: str, b: str, inner: int) -> Rule:
    dot = product(x, w, inner)
    return Rule(lambda c, i, j: f"{dot(c, i, j)}+{c(b, 0, j)}", lambda r: f"MMULT({r(x)},{r(w)})+{r(b)}")


SIGMOID, RELU = "1/(1+EXP(-{0}))", "IF({0}>0,{0},0)"


def network(relu: bool = False) -> dict[str, Rule]:
    """All computed matrices in their order: sigmoid or ReLU, then sigmoid, half the squared error."""
    return {
        "Z1": _weighted("X", "W1", "b1", D),
        "A1": each(RELU if relu else SIGMOID, "Z1"),
        "Z2": _weighted("A1", "W2", "b2", H),
        "A2": each(SIGMOID, "Z2"),
        "L": Rule(
            lambda c, i, j: (
                "0.5*(" + "+".join(f"({c('Y', n, k)}-{c('A2', n, k)})^2" for n in range(N) for k in range(K)) + ")"
            ),
            lambda r: f"SUMXMY2({r('Y')},{r('A2')})/2",
        ),
        "E": each("{0}-{1}", "A2", "Y"),
        "S2": each("{0}*(1-{0})", "A2"),
        "D2": each("{0}*{1}", "E", "S2"),
        "E1": Rule(back("D2", "W2", K), lambda r: f"MMULT({r('D2')},TRANSPOSE({r('W2')}))"),
        "S1": each("IF({0}>0,1,0)", "Z1") if relu else each("{0}*(1-{0})", "A1"),
        "D1": each("{0}*{1}", "E1", "S1"),
        "dW2": Rule(turned("A1", "D2", N), lambda r: f"MMULT(TRANSPOSE({r('A1')}),{r('D2')})"),
        "db2": _sum("D2"),
        "dW1": Rule(turned("X", "D1", N), lambda r: f"MMULT(TRANSPOSE({r('X')}),{r('D1')})"),
        "db1": _sum("D1"),
        **{f"{name}_next": _step(name) for name in ("W2", "b2", "W1", "b1")},
    }


@dataclass(frozen=True)
class Planted:
    """A wrong rule in one matrix's place. `slugs`: the names that fit it."""

    matrix: str
    rule: Rule
    slugs: tuple[str, ...]
    relu: bool = False


RIGHT_RELU = Planted("", each("{0}", "X"), (), relu=True)


def faults() -> dict[str, Planted]:
    """The planted faults, by what they are called in the table of slips."""
    a = "1/(1+EXP(-{0}))"
    return {
        "slope-of-activation": Planted("S1", each(f"{a}*(1-{a})", "A1"), ("slope-of-activation", "wrong-slope")),
        "slope-of-z": Planted("S1", each("{0}*(1-{0})", "Z1"), ("slope-of-z",)),
        "half-slope": Planted("S2", each("1-{0}", "A2"), ("half-slope",)),
        "wrong-slope": Planted("S1", each("1-{0}^2", "A1"), ("wrong-slope",)),
        "slope-missing": Planted("D1", each("{0}", "E1"), ("slope-missing",)),
        "relu-mask-missing": Planted("D1", each("{0}", "E1"), ("relu-mask-missing", "slope-missing"), relu=True),
        "error-sign": Planted("E", each("{1}-{0}", "A2", "Y"), ("error-sign",)),
        "no-transpose": Planted(
            "E1", Rule(product("D2", "W2", K), lambda r: f"MMULT({r('D2')},{r('W2')})"), ("no-transpose",)
        ),
        "updated-weights": Planted(
            "E1",
            Rule(back("D2", "W2_next", K), lambda r: f"MMULT({r('D2')},TRANSPOSE({r('W2_next')}))"),
            ("updated-weights",),
        ),
        "wrong-left-factor": Planted(
            "dW2",
            Rule(turned("Z1", "D2", N), lambda r: f"MMULT(TRANSPOSE({r('Z1')}),{r('D2')})"),
            ("wrong-left-factor",),
        ),
        "error-for-delta": Planted(
            "dW1", Rule(turned("X", "E1", N), lambda r: f"MMULT(TRANSPOSE({r('X')}),{r('E1')})"), ("error-for-delta",)
        ),
        "one-sample-only": Planted(
            "db2",
            Rule(lambda c, i, j: c("D2", 0, j), lambda r: f"INDEX({r('D2')},1,0)"),
            ("bias-not-summed", "one-sample-only"),
        ),
        "rate-missing": Planted("W2_next", each("{0}-{1}", "W2", "dW2"), ("rate-missing-twice-divided",)),
        "wrong-direction": Planted(
            "W1_next",
            Rule(
                lambda c, i, j: f"{c('W1', i, j)}+{c('rate', 0, 0)}*{c('dW1', i, j)}",
                lambda r: f"{r('W1')}+{r('rate')}*{r('dW1')}",
            ),
            ("wrong-direction",),
        ),
        "no-bias": Planted("Z1", Rule(product("X", "W1", D), lambda r: f"MMULT({r('X')},{r('W1')})"), ("no-bias",)),
        "exponent-sign": Planted("A1", each("1/(1+EXP({0}))", "Z1"), ("exponent-sign",)),
        "missing-brackets": Planted("A1", each("1/1+EXP(-{0})", "Z1"), ("missing-brackets",)),
    }


@dataclass
class Layout:
    """Where the matrices lie, and whether one formula fills a matrix. `as_columns`: samples are columns, W·x."""

    name: str
    down: bool = False
    arrays: str = ""  # "", "dynamic" or "names"
    as_columns: bool = False
    per_row: int = 5
    places: dict[str, tuple[int, int]] = field(default_factory=dict)

    def place(self, names: list[str]) -> None:
        row, column, deepest = 3, 2, 0
        for count, name in enumerate(names):
            rows, columns = self.shape(name)
            if self.down:
                self.places[name] = (row, 2)
                row += rows + 2
                continue
            if count % self.per_row == 0 and count:
                row, column, deepest = row + deepest + 3, 2, 0
            self.places[name] = (row, column)
            column, deepest = column + columns + 1, max(deepest, rows)

    def shape(self, name: str) -> tuple[int, int]:
        rows, columns = SHAPES[name]
        return (columns, rows) if self.as_columns else (rows, columns)

    def cell(self, name: str, i: int, j: int) -> str:
        row, column = self.places[name]
        i, j = (j, i) if self.as_columns else (i, j)
        return f"{get_column_letter(column + j)}{row + i}"

    def range(self, name: str) -> str:
        rows, columns = self.shape(name)
        first, last = self.places[name], (self.places[name][0] + rows - 1, self.places[name][1] + columns - 1)
        return f"{get_column_letter(first[1])}{first[0]}:{get_column_letter(last[1])}{last[0]}"


LAYOUTS = (
    Layout("side by side"),
    Layout("one under the other", down=True),
    Layout("samples as columns", as_columns=True),
    Layout("dynamic arrays", arrays="dynamic"),
    Layout("defined names", arrays="names"),
)


def block_book(layout: Layout, planted: Planted | None = None, only: tuple[int, int] | None = None) -> bytes:
    """A book in a layout; a fault in all cells of its matrix or in one alone."""
    layout = replace(layout, places={})
    rules = network(planted is not None and planted.relu)
    layout.place([*TYPED, *rules])
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.title = "Net"
    for name in layout.places:
        row, column = layout.places[name]
        sheet.cell(row - 1, column, name)
        if layout.arrays == "names":
            absolute = ":".join(
                "$"
                + "".join(f"{c}" if c.isalpha() else "" for c in part)
                + "$"
                + "".join(c for c in part if c.isdigit())
                for part in layout.range(name).split(":")
            )
            workbook.defined_names[f"{name}_"] = DefinedName(f"{name}_", attr_text=f"Net!{absolute}")
    for name, rows in TYPED.items():
        for i, values in enumerate(rows):
            for j, number in enumerate(values):
                sheet[layout.cell(name, i, j)] = number
    for name, rule in rules.items():
        wrong = planted is not None and planted.matrix == name
        for address, text in _filled(layout, name, rule, planted.rule if wrong and planted else None, only):
            sheet[address] = text
    return _saved(workbook)


def _filled(
    layout: Layout, name: str, rule: Rule, wrong: Rule | None, only: tuple[int, int] | None
) -> Iterator[tuple[str, object]]:
    rows, columns = SHAPES[name]
    if layout.arrays and only is None:
        named: Range = (lambda each: f"{each}_") if layout.arrays == "names" else layout.range
        text = "=" + (wrong or rule).array(named)
        first = layout.range(name).split(":")[0]
        yield first, text if (rows, columns) == (1, 1) else ArrayFormula(layout.range(name), text)
        return
    for i in range(rows):
        for j in range(columns):
            used = wrong if wrong is not None and only in (None, (i, j)) else rule
            yield layout.cell(name, i, j), "=" + used.cell(layout.cell, i, j)


def _saved(workbook: Workbook) -> bytes:
    buffer = BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


def first_wrong(layout: Layout, planted: Planted) -> str:
    """The address of the first cell of a fault's matrix whose number is not the right one."""
    layout = replace(layout, places={})
    layout.place([*TYPED, *network()])
    right, wrong = (
        build(read_book("book", block_book(layout, each)))
        for each in (None if not planted.relu else RIGHT_RELU, planted)
    )
    numbers = right.values({}), wrong.values({})
    for i, j in product_of(*map(range, layout.shape(planted.matrix))):
        row, column = layout.places[planted.matrix]
        cell = Cell("Net", row + i, column + j)
        if abs(float(numbers[0][cell]) - float(numbers[1][cell])) > 1e-12:
            return f"Net!{get_column_letter(cell.column)}{cell.row}"
    raise AssertionError("the fault changes no number")


ROW = [
    "t1",
    "t2",
    "i1",
    "i2",
    "w1",
    "w2",
    "w3",
    "w4",
    "h1",
    "a_h1",
    "h2",
    "a_h2",
    "w5",
    "w6",
    "w7",
    "w8",
    "o1",
    "a_o1",
    "o2",
    "a_o2",
    "E1",
    "E2",
    "E_tot",
    "g1",
    "g2",
    "g3",
    "g4",
    "g5",
    "g6",
    "g7",
    "g8",
]
START = {
    "t1": 0.02, "t2": 0.93, "i1": 0.15, "i2": 0.4, "w1": 0.35, "w2": -0.2, "w3": 0.25, "w4": 0.6, "w5": 0.45,
    "w6": -0.5, "w7": 0.55, "w8": 0.7,
}  # fmt: skip


def row_rules() -> dict[str, str]:
    """A row per epoch, a column per number: the columns' formulas, with {name} for the same row's cells."""
    d1, d2 = "({a_o1}-{t1})*{a_o1}*(1-{a_o1})", "({a_o2}-{t2})*{a_o2}*(1-{a_o2})"
    up1, up2 = f"({d1}*{{w5}}+{d2}*{{w7}})*{{a_h1}}*(1-{{a_h1}})", f"({d1}*{{w6}}+{d2}*{{w8}})*{{a_h2}}*(1-{{a_h2}})"
    return {
        "h1": "{w1}*{i1}+{w2}*{i2}", "a_h1": "1/(1+EXP(-{h1}))", "h2": "{w3}*{i1}+{w4}*{i2}",
        "a_h2": "1/(1+EXP(-{h2}))", "o1": "{w5}*{a_h1}+{w6}*{a_h2}", "a_o1": "1/(1+EXP(-{o1}))",
        "o2": "{w7}*{a_h1}+{w8}*{a_h2}",
        "a_o2": "1/(1+EXP(-{o2}))", "E1": "0.5*({t1}-{a_o1})^2", "E2": "0.5*({t2}-{a_o2})^2", "E_tot": "{E1}+{E2}",
        "g1": f"{up1}*{{i1}}", "g2": f"{up1}*{{i2}}", "g3": f"{up2}*{{i1}}", "g4": f"{up2}*{{i2}}",
        "g5": f"{d1}*{{a_h1}}", "g6": f"{d1}*{{a_h2}}", "g7": f"{d2}*{{a_h1}}", "g8": f"{d2}*{{a_h2}}",
    }  # fmt: skip


ROW_FAULTS: Mapping[str, tuple[str, Callable[[str], str]]] = {
    "wrong unit": ("g3", lambda f: f.replace("{a_h2}", "{a_h1}")),
    "missing-brackets": ("g1", lambda f: f[1:].replace(")*{a_h1}*(1-", "*{a_h1}*(1-", 1)),
    "wrong-left-factor": ("g6", lambda f: f.replace("{a_h2}", "{h2}")),
    "half-slope": ("g7", lambda f: f.replace("*{a_o2}*(1-{a_o2})", "*{a_o2}")),
    "slope-missing": ("g5", lambda f: f.replace("*{a_o1}*(1-{a_o1})", "")),
    "slope-of-z": ("g2", lambda f: f.replace("{a_h1}*(1-{a_h1})", "{h1}*(1-{h1})")),
    "wrong-slope": ("g4", lambda f: f.replace("{a_h2}*(1-{a_h2})", "(1-{a_h2}^2)")),
    "error-sign": ("g8", lambda f: f.replace("({a_o2}-{t2})", "({t2}-{a_o2})")),
    "wrong-layer-weights": ("g1", lambda f: f.replace("{w7}", "{w6}")),
    "term-dropped-or-doubled": (
        "g2",
        lambda f: "(" + f.split("+")[0].strip("(").replace("{a_o1}-", "({a_o1}-", 1) + ")*{a_h1}*(1-{a_h1})*{i2}",
    ),
    "wrong-row-or-target": ("g5", lambda f: f.replace("{t1}", "{t2}")),
    "exponent-sign": ("a_h2", lambda f: "1/(1+EXP({h2}))"),
}


def row_book(fault: str | None = None, epochs: int = 12) -> bytes:
    """The layout with a row per epoch."""
    rules = row_rules()
    if fault is not None:
        name, change = ROW_FAULTS[fault]
        rules[name] = change(rules[name])
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet["A1"], sheet["B1"] = "η", 0.8
    for k, name in enumerate(ROW):
        sheet.cell(3, k + 1, name.replace("g", "∂E/∂w") if name.startswith("g") else name)
    for epoch in range(epochs):
        row = 4 + epoch
        cells = {name: f"{get_column_letter(k + 1)}{row}" for k, name in enumerate(ROW)}
        before = {name: f"{get_column_letter(k + 1)}{row - 1}" for k, name in enumerate(ROW)}
        for name in ROW:
            if name in rules:
                sheet[cells[name]] = "=" + rules[name].format(**cells)
            elif epoch and name.startswith("w"):
                sheet[cells[name]] = f"={before[name]}-$B$1*{before['g' + name[1:]]}"
            else:
                sheet[cells[name]] = START[name]
    return _saved(workbook)


def row_fault_cell(fault: str) -> str:
    """The first cell with a fault."""
    return f"{get_column_letter(ROW.index(ROW_FAULTS[fault][0]) + 1)}4"
