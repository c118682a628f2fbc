"""Ten workbooks as teachers make them, each right and with three faults: other layouts than `audit_books`.

A book is its cells by address, sheet by sheet; a fault puts another formula into some cells.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from io import BytesIO

from openpyxl import Workbook
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.formula import ArrayFormula
from openpyxl.worksheet.table import Table, TableColumn

Cells = dict[str, object]
Change = Mapping[str, str]


@dataclass(frozen=True)
class TeacherBook:
    """`sheets`: cells by address; a text {=…} fills the range of its address. `faults`: by name, `Sheet!A1` and what
    stands there instead; the first is the first wrong cell."""

    sheets: Mapping[str, Cells]
    faults: Mapping[str, Change]
    names: Mapping[str, str] = field(default_factory=dict)
    merged: tuple[str, ...] = ()
    tables: tuple[tuple[str, str, str], ...] = ()  # sheet, name, range

    def content(self, fault: str | None = None) -> bytes:
        workbook = Workbook()
        workbook.remove(workbook.active)  # type: ignore[arg-type]
        changes = self.faults[fault] if fault else {}
        for title, cells in self.sheets.items():
            sheet = workbook.create_sheet(title)
            for place, value in cells.items():
                first = place.split(":")[0]
                value = changes.get(f"{title}!{place}", value)
                if isinstance(value, str) and value.startswith("{="):
                    value = ArrayFormula(place, value[1:-1])
                sheet[first] = value
        for name, text in self.names.items():
            workbook.defined_names[name] = DefinedName(name, attr_text=text)
        for place in self.merged:
            next(iter(workbook.worksheets)).merge_cells(place)
        for title, name, place in self.tables:
            sheet = workbook[title]
            table = Table(displayName=name, name=name, ref=place)
            heads = [str(cell.value) for cell in next(iter(sheet[place]))]
            table.tableColumns = [TableColumn(id=k, name=head) for k, head in enumerate(heads, start=1)]
            sheet.add_table(table)
        buffer = BytesIO()
        workbook.save(buffer)
        return buffer.getvalue()


SIGMOID = "1/(1+EXP(-{}))"


def neuron() -> TeacherBook:
    """One sigmoid neuron, samples as rows, a merged title, units in the header row, gradients by SUMPRODUCT."""
    cells: Cells = {"A1": "Logistic neuron", "A3": "learning rate", "B3": 0.5, "A4": "w1", "B4": 0.4, "C4": "w2",
                    "D4": -0.3, "E4": "b", "F4": 0.1}  # fmt: skip
    heads = ["length [cm]", "mass [kg]", "target t", "z", "a = σ(z)", "a − t", "loss", "δ = ∂L/∂z"]
    cells |= {f"{c}6": head for c, head in zip("ABCDEFGH", heads, strict=True)}
    rows = [(1.2, 0.7, 1), (-0.4, 1.1, 0), (0.3, -0.9, 0), (2.1, 0.2, 1), (-1.3, 0.5, 1)]
    for r, (x, y, t) in enumerate(rows, start=7):
        cells |= {f"A{r}": x, f"B{r}": y, f"C{r}": t, f"D{r}": f"=A{r}*$B$4+B{r}*$D$4+$F$4",
                  f"E{r}": f"=1/(1+EXP(-D{r}))", f"F{r}": f"=E{r}-C{r}", f"G{r}": f"=F{r}^2/2",
                  f"H{r}": f"=F{r}*E{r}*(1-E{r})"}  # fmt: skip
    cells |= {"A13": "total loss", "G13": "=SUM(G7:G11)", "A15": "∂L/∂w1", "B15": "=SUMPRODUCT(H7:H11,A7:A11)",
              "A16": "∂L/∂w2", "B16": "=SUMPRODUCT(H7:H11,B7:B11)", "A17": "∂L/∂b", "B17": "=SUM(H7:H11)",
              "A19": "w1 new", "B19": "=B4-B3*B15", "A20": "w2 new", "B20": "=D4-B3*B16", "A21": "b new",
              "B21": "=F4-B3*B17"}  # fmt: skip
    faults = {
        "slope of z": {f"Neuron!H{r}": f"=F{r}*D{r}*(1-D{r})" for r in range(7, 12)},
        "wrong column": {"Neuron!B16": "=SUMPRODUCT(H7:H11,A7:A11)"},
        "bias of four": {"Neuron!B17": "=SUM(H7:H10)"},
    }
    return TeacherBook({"Neuron": cells}, faults, merged=("A1:H1",))


def _layer_cells(r: int) -> Cells:
    """Row of the network with a column of ones: x0 = 1, x1, x2 | h0 = 1, h1, h2 | o, target, error."""
    return {f"E{r}": f"=SUMPRODUCT($B{r}:$D{r},$B$3:$D$3)", f"F{r}": f"=SUMPRODUCT($B{r}:$D{r},$B$4:$D$4)",
            f"G{r}": 1, f"H{r}": f"=TANH(E{r})", f"I{r}": f"=TANH(F{r})",
            f"J{r}": f"=SUMPRODUCT(G{r}:I{r},$F$3:$H$3)", f"L{r}": f"=J{r}-K{r}", f"M{r}": f"=0.5*L{r}^2",
            f"N{r}": f"=L{r}*G$3*(1-H{r}^2)", f"O{r}": f"=L{r}*H$3*(1-I{r}^2)"}  # fmt: skip


def ones() -> TeacherBook:
    """tanh and a linear output, biases in columns of ones, mixed references, gradients as a row under the weights."""
    cells: Cells = {"A1": "Hidden weights (bias first)", "E1": "Output weights (bias first)", "B3": 0.1, "C3": 0.5,
                    "D3": -0.4, "B4": -0.2, "C4": 0.3, "D4": 0.8, "F3": 0.05, "G3": 0.7, "H3": -0.6,
                    "A20": "rate", "B20": 0.1}  # fmt: skip
    heads = ["n", "1", "x1", "x2", "z1", "z2", "1", "h1", "h2", "o", "t", "o-t", "E", "d1", "d2"]
    cells |= {f"{c}6": head for c, head in zip("ABCDEFGHIJKLMNO", heads, strict=True)}
    rows = [(0.5, 1.5, 0.3), (-1.0, 0.4, -0.2), (0.8, -0.6, 0.9)]
    for r, (x, y, t) in enumerate(rows, start=7):
        cells |= {f"A{r}": r - 6, f"B{r}": 1, f"C{r}": x, f"D{r}": y, f"K{r}": t} | _layer_cells(r)
    cells |= {"L10": "sum", "M10": "=SUM(M7:M9)", "A12": "grad out"}
    cells |= {f"{c}12": f"=SUMPRODUCT($L$7:$L$9,{g}7:{g}9)" for c, g in zip("FGH", "GHI", strict=True)}
    cells |= {f"{c}13": f"=SUMPRODUCT($N$7:$N$9,{c}7:{c}9)" for c in "BCD"}
    cells |= {f"{c}14": f"=SUMPRODUCT($O$7:$O$9,{c}7:{c}9)" for c in "BCD"}
    cells |= {f"{c}16": f"={c}3-$B$20*{c}12" for c in "FGH"}
    cells |= {f"{c}{r + 14}": f"={c}{r}-$B$20*{c}{r + 10}" for r in (3, 4) for c in "BCD"}
    faults = {
        "wrong slope": {f"Net!N{r}": f"=L{r}*G$3*H{r}*(1-H{r})" for r in range(7, 10)},
        "wrong weights": {f"Net!O{r}": f"=L{r}*G$3*(1-I{r}^2)" for r in range(7, 10)},
        "up the gradient": {"Net!C18": "=C4+$B$20*C14"},
    }
    return TeacherBook({"Net": cells}, faults)


def named_functions() -> TeacherBook:
    """The sigmoid as a LAMBDA with a name, deltas by LET; two inputs, two hidden units, one output, one sample."""
    cells: Cells = {"A1": "x1", "B1": 0.6, "A2": "x2", "B2": -0.4, "A3": "y", "B3": 0.8, "A4": "lr", "B4": 0.2,
                    "D1": "w1", "E1": 0.3, "D2": "w2", "E2": 0.5, "D3": "w3", "E3": -0.7, "D4": "w4", "E4": 0.2,
                    "D5": "v1", "E5": 0.9, "D6": "v2", "E6": -0.8, "G1": "h1", "H1": "=Sig(E1*B1+E2*B2)", "G2": "h2",
                    "H2": "=Sig(E3*B1+E4*B2)", "G3": "out", "H3": "=Sig(E5*H1+E6*H2)", "G4": "E",
                    "H4": "=(B3-H3)^2/2", "G6": "dE/dv1",
                    "H6": "=_xlfn.LET(_xlpm.o,H3,(_xlpm.o-B3)*_xlpm.o*(1-_xlpm.o)*H1)",
                    "G7": "dE/dv2", "H7": "=_xlfn.LET(_xlpm.o,H3,(_xlpm.o-B3)*_xlpm.o*(1-_xlpm.o)*H2)"}  # fmt: skip
    delta = "_xlfn.LET(_xlpm.d,(H3-B3)*H3*(1-H3)*{v},_xlpm.s,{h}*(1-{h}),_xlpm.d*_xlpm.s*{x})"
    for k, (v, h, x) in enumerate((("E5", "H1", "B1"), ("E5", "H1", "B2"), ("E6", "H2", "B1"), ("E6", "H2", "B2"))):
        cells |= {f"G{8 + k}": f"dE/dw{k + 1}", f"H{8 + k}": "=" + delta.format(v=v, h=h, x=x)}
    weights = ["E5", "E6", "E1", "E2", "E3", "E4"]
    cells |= {f"J{6 + k}": f"={w}-$B$4*H{6 + k}" for k, w in enumerate(weights)} | {"J5": "new"}
    faults = {
        "other input": {"Net!H9": "=" + delta.format(v="E5", h="H1", x="B1")},
        "other unit": {"Net!H10": "=" + delta.format(v="E6", h="H1", x="B1")},
        "no rate": {"Net!J7": "=E6-H7"},
    }
    return TeacherBook({"Net": cells}, faults, {"Sig": "_xlfn.LAMBDA(_xlpm.z,1/(1+EXP(-_xlpm.z)))"})


def _epoch(number: int) -> Cells:
    before = f"'Epoch {number - 1}'!"
    start = {"B2": 0.3, "B3": -0.5, "B4": 0.1}
    cells: Cells = {"A1": "parameters", "A2": "w1", "A3": "w2", "A4": "b", "D1": "data", "D2": "x1", "E2": "x2",
                    "F2": "y", "G2": "z", "H2": "p", "I2": "loss", "J2": "dz"}  # fmt: skip
    for place, value in start.items():
        cells[place] = value if number == 1 else f"={before}B{int(place[1]) + 10}"
    for r, (x, y, t) in enumerate([(0.4, 1.3, 1), (1.1, -0.2, 0), (-0.7, 0.6, 1)], start=3):
        cells |= {f"D{r}": x, f"E{r}": y, f"F{r}": t, f"G{r}": f"=B$2*D{r}+B$3*E{r}+B$4",
                  f"H{r}": f"=1/(1+EXP(-G{r}))", f"I{r}": f"=-(F{r}*LN(H{r})+(1-F{r})*LN(1-H{r}))",
                  f"J{r}": f"=(H{r}-F{r})/3"}  # fmt: skip
    cells |= {"H7": "mean", "I7": "=AVERAGE(I3:I5)", "A8": "gradients", "A9": "dw1", "B9": "=SUMPRODUCT(D3:D5,J3:J5)",
              "A10": "dw2", "B10": "=SUMPRODUCT(E3:E5,J3:J5)", "A11": "db", "B11": "=SUM(J3:J5)",
              "A12": "w1", "B12": "=B2-0.4*B9", "A13": "w2", "B13": "=B3-0.4*B10", "A14": "b",
              "B14": "=B4-0.4*B11"}  # fmt: skip
    return cells


def epochs() -> TeacherBook:
    """Logistic regression, one sheet for each epoch."""
    sheets = {f"Epoch {k}": _epoch(k) for k in range(1, 4)}
    faults = {
        "sum for mean": {f"Epoch {k}!B11": "=AVERAGE(J3:J5)" for k in range(1, 4)},
        "rows shifted": {f"Epoch {k}!B10": "=SUMPRODUCT(E2:E4,J3:J5)" for k in range(2, 3)},
        "wrong sign": {f"Epoch {k}!B13": "=B3+0.4*B10" for k in range(1, 4)},
    }
    return TeacherBook(sheets, faults)


def two_sheets() -> TeacherBook:
    """Forward on one sheet, gradients on another, ReLU and a linear output, mean squared error."""
    forward: Cells = {"A1": "W1", "A2": 0.4, "B2": -0.6, "A3": 0.7, "B3": 0.5, "D1": "b1", "D2": 0.1, "E2": 0.2,
                      "G1": "W2", "G2": 0.8, "G3": -0.3, "I1": "b2", "I2": 0.05, "A5": "X", "D5": "Z1", "G5": "A1",
                      "J5": "Yhat", "K5": "Y", "L5": "squared"}  # fmt: skip
    for r, (x, y, t) in enumerate([(1.0, 0.5, 0.7), (-0.3, 0.8, 0.1), (0.6, -1.2, 0.4), (0.9, 0.3, 1.1)], start=6):
        forward |= {f"A{r}": x, f"B{r}": y, f"D{r}": f"=A{r}*$A$2+B{r}*$A$3+$D$2",
                    f"E{r}": f"=A{r}*$B$2+B{r}*$B$3+$E$2",
                    f"G{r}": f"=MAX(0,D{r})", f"H{r}": f"=MAX(0,E{r})", f"J{r}": f"=G{r}*$G$2+H{r}*$G$3+$I$2",
                    f"K{r}": t, f"L{r}": f"=(J{r}-K{r})^2"}  # fmt: skip
    forward |= {"K11": "MSE", "L11": "=AVERAGE(L6:L9)"}
    back: Cells = {"A1": "dYhat", "C1": "dA1", "F1": "dZ1", "A8": "dW2", "C8": "db2", "E8": "dW1", "H8": "db1"}
    for r in range(2, 6):
        f = r + 4
        back |= {f"A{r}": f"=2*(Forward!J{f}-Forward!K{f})/4", f"C{r}": f"=A{r}*Forward!G$2",
                 f"D{r}": f"=A{r}*Forward!G$3",
                 f"F{r}": f"=IF(Forward!D{f}>0,C{r},0)", f"G{r}": f"=IF(Forward!E{f}>0,D{r},0)"}  # fmt: skip
    back |= {"A9": "=SUMPRODUCT(Forward!G6:G9,A2:A5)", "A10": "=SUMPRODUCT(Forward!H6:H9,A2:A5)", "C9": "=SUM(A2:A5)",
             "E9": "=SUMPRODUCT(Forward!A6:A9,F2:F5)", "F9": "=SUMPRODUCT(Forward!A6:A9,G2:G5)",
             "E10": "=SUMPRODUCT(Forward!B6:B9,F2:F5)", "F10": "=SUMPRODUCT(Forward!B6:B9,G2:G5)", "H9": "=SUM(F2:F5)",
             "I9": "=SUM(G2:G5)", "A12": "new W1"}  # fmt: skip
    back |= {"A13": "=Forward!A2-0.1*E9", "B13": "=Forward!B2-0.1*F9", "A14": "=Forward!A3-0.1*E10",
             "B14": "=Forward!B3-0.1*F10", "D12": "new b1", "D13": "=Forward!D2-0.1*H9", "E13": "=Forward!E2-0.1*I9",
             "G12": "new W2", "G13": "=Forward!G2-0.1*A9", "G14": "=Forward!G3-0.1*A10", "I12": "new b2",
             "I13": "=Forward!I2-0.1*C9"}  # fmt: skip
    faults = {
        "no mask": {f"Backward!G{r}": f"=D{r}" for r in range(2, 6)},
        "before the ReLU": {"Backward!A9": "=SUMPRODUCT(Forward!D6:D9,A2:A5)"},
        "turned": {"Backward!F9": "=SUMPRODUCT(Forward!B6:B9,F2:F5)"},
    }
    return TeacherBook({"Forward": forward, "Backward": back}, faults)


def in_place() -> TeacherBook:
    """A row for each step, the update in one formula, no gradient anywhere; stochastic descent over four samples."""
    cells: Cells = {"A1": "η", "B1": 0.15}
    heads = ["x1", "x2", "t", "w1", "w2", "b", "z", "y", "E"]
    cells |= {f"{c}3": head for c, head in zip("ABCDEFGHI", heads, strict=True)}
    data = [(0.2, 0.9, 0.8), (0.7, -0.4, 0.3), (-0.5, 0.6, 0.6), (1.1, 0.1, 0.2)] * 3
    for r, (x, y, t) in enumerate(data, start=4):
        cells |= {f"A{r}": x, f"B{r}": y, f"C{r}": t, f"G{r}": f"=D{r}*A{r}+E{r}*B{r}+F{r}", f"H{r}": f"=TANH(G{r})",
                  f"I{r}": f"=(H{r}-C{r})^2/2"}  # fmt: skip
        if r == 4:
            cells |= {"D4": 0.5, "E4": -0.3, "F4": 0.1}
        else:
            p = r - 1
            slope = f"(H{p}-C{p})*(1-H{p}^2)"
            cells |= {f"D{r}": f"=D{p}-$B$1*{slope}*A{p}", f"E{r}": f"=E{p}-$B$1*{slope}*B{p}",
                      f"F{r}": f"=F{p}-$B$1*{slope}"}  # fmt: skip
    slopes = {r: f"(H{r - 1}-C{r - 1})*(1-H{r - 1}^2)" for r in range(5, 16)}
    faults = {
        "half slope": {f"SGD!E{r}": f"=E{r - 1}-$B$1*(H{r - 1}-C{r - 1})*(1-H{r - 1})*B{r - 1}" for r in slopes},
        "other input": {f"SGD!E{r}": f"=E{r - 1}-$B$1*{each}*A{r - 1}" for r, each in slopes.items()},
        "added": {f"SGD!F{r}": f"=F{r - 1}+$B$1*{each}" for r, each in slopes.items()},
    }
    return TeacherBook({"SGD": cells}, faults)


def labels() -> TeacherBook:
    """Softmax and cross-entropy with class numbers; one-hot by IF against the header row."""
    cells: Cells = {"A1": "W", "A2": 0.2, "B2": -0.5, "C2": 0.4, "A3": 0.6, "B3": 0.1, "C3": -0.3, "A4": 0.05,
                    "B4": 0.1,
                    "C4": -0.1, "E1": "rate", "F1": 0.5}  # fmt: skip
    heads = ["x1", "x2", "class", "z1", "z2", "z3", "e1", "e2", "e3", "sum", "p1", "p2", "p3", "loss", "1", "2", "3"]
    cells |= {f"{c}6": head for c, head in zip("ABCDEFGHIJKLMNOPQ", heads, strict=True)}
    cells |= {"O6": 1, "P6": 2, "Q6": 3}
    for r, (x, y, label) in enumerate([(1.0, 0.3, 2), (-0.6, 0.9, 1), (0.4, -1.1, 3), (0.8, 0.7, 2)], start=7):
        cells |= {f"A{r}": x, f"B{r}": y, f"C{r}": label, f"J{r}": f"=SUM(G{r}:I{r})",
                  f"N{r}": f"=-LN(INDEX(K{r}:M{r},C{r}))"}  # fmt: skip
        for w, z, e, p, d in zip("ABC", "DEF", "GHI", "KLM", "OPQ", strict=True):
            cells |= {f"{z}{r}": f"=$A{r}*{w}$2+$B{r}*{w}$3+{w}$4", f"{e}{r}": f"=EXP({z}{r})",
                      f"{p}{r}": f"={e}{r}/$J{r}", f"{d}{r}": f"={p}{r}-IF($C{r}={d}$6,1,0)"}  # fmt: skip
    cells |= {"M11": "total", "N11": "=SUM(N7:N10)", "A13": "dW", "A18": "W new"}
    for w, d in zip("ABC", "OPQ", strict=True):
        cells |= {f"{w}14": f"=SUMPRODUCT($A$7:$A$10,{d}7:{d}10)", f"{w}15": f"=SUMPRODUCT($B$7:$B$10,{d}7:{d}10)",
                  f"{w}16": f"=SUM({d}7:{d}10)"}  # fmt: skip
        cells |= {f"{w}{r + 5}": f"={w}{r - 12}-$F$1*{w}{r}" for r in (14, 15, 16)}
    faults = {
        "one class off": {f"Softmax!P{r}": f"=L{r}-IF($C{r}=O$6,1,0)" for r in range(7, 11)},
        "exp for share": {f"Softmax!O{r}": f"=G{r}-IF($C{r}=O$6,1,0)" for r in range(7, 11)},
        "wrong column": {"Softmax!B15": "=SUMPRODUCT($A$7:$A$10,P7:P10)"},
    }
    return TeacherBook({"Softmax": cells}, faults)


def head() -> TeacherBook:
    """An attention head: Q, K, V by MMULT, softmax in rows, half the squared error; gradients as arrays too."""
    cells: Cells = {"A1": "X", "E1": "Wq", "H1": "Wk", "K1": "Wv", "N1": "Y", "Q1": "rate", "Q2": 0.1}
    typed = {"A2": [[1.0, 0.5, -0.3], [0.2, -0.7, 0.9]], "E2": [[0.3, -0.2], [0.5, 0.1], [-0.4, 0.6]],
             "H2": [[0.2, 0.7], [-0.3, 0.4], [0.6, -0.1]], "K2": [[0.5, -0.6], [0.1, 0.8], [0.3, 0.2]],
             "N2": [[0.4, 0.1], [-0.2, 0.3]]}  # fmt: skip
    for place, rows in typed.items():
        for i, row in enumerate(rows):
            for j, number in enumerate(row):
                cells[f"{chr(ord(place[0]) + j)}{2 + i}"] = number
    arrays = {"A7:B8": "MMULT(A2:C3,E2:F4)", "D7:E8": "MMULT(A2:C3,H2:I4)", "G7:H8": "MMULT(A2:C3,K2:L4)",
              "J7:K8": "MMULT(A7:B8,TRANSPOSE(D7:E8))/SQRT(2)", "A11:B12": "EXP(J7:K8)"}  # fmt: skip
    cells |= {place: "{=" + text + "}" for place, text in arrays.items()}
    cells |= {"A6": "Q", "D6": "K", "G6": "V", "J6": "S", "A10": "e^S", "D10": "P", "G10": "O", "J10": "loss",
              "D11": "=A11/SUM($A11:$B11)", "E11": "=B11/SUM($A11:$B11)", "D12": "=A12/SUM($A12:$B12)",
              "E12": "=B12/SUM($A12:$B12)", "G11:H12": "{=MMULT(D11:E12,G7:H8)}",
              "J11": "=SUMXMY2(G11:H12,N2:O3)/2"}  # fmt: skip
    cells |= {
        "A14": "dO",
        "D14": "dV",
        "G14": "dP",
        "J14": "dS",
        "A15:B16": "{=G11:H12-N2:O3}",
        "D15:E16": "{=MMULT(TRANSPOSE(D11:E12),A15:B16)}",
        "G15:H16": "{=MMULT(A15:B16,TRANSPOSE(G7:H8))}",
    }
    for r, p in ((15, 11), (16, 12)):
        dot = f"SUMPRODUCT($G{r}:$H{r},$D{p}:$E{p})"
        cells |= {f"J{r}": f"=D{p}*(G{r}-{dot})", f"K{r}": f"=E{p}*(H{r}-{dot})"}
    cells |= {"A18": "dQ", "D18": "dK", "A19:B20": "{=MMULT(J15:K16,D7:E8)/SQRT(2)}",
              "D19:E20": "{=MMULT(TRANSPOSE(J15:K16),A7:B8)/SQRT(2)}", "A22": "dWq", "D22": "dWk", "G22": "dWv",
              "A23:B25": "{=MMULT(TRANSPOSE(A2:C3),A19:B20)}", "D23:E25": "{=MMULT(TRANSPOSE(A2:C3),D19:E20)}",
              "G23:H25": "{=MMULT(TRANSPOSE(A2:C3),D15:E16)}", "A27": "Wq new", "D27": "Wk new", "G27": "Wv new",
              "A28:B30": "{=E2:F4-Q2*A23:B25}", "D28:E30": "{=H2:I4-Q2*D23:E25}",
              "G28:H30": "{=K2:L4-Q2*G23:H25}"}  # fmt: skip
    faults = {
        "no root": {"Head!A19:B20": "{=MMULT(J15:K16,D7:E8)}"},
        "not transposed": {"Head!D19:E20": "{=MMULT(J15:K16,A7:B8)/SQRT(2)}"},
        "scores for shares": {"Head!D15:E16": "{=MMULT(TRANSPOSE(J7:K8),A15:B16)}"},
    }
    return TeacherBook({"Head": cells}, faults)


def table() -> TeacherBook:
    """A line through points in a table with structured references, mean squared error."""
    cells: Cells = {"A1": "slope", "B1": 0.5, "A2": "intercept", "B2": 0.1, "A3": "rate", "B3": 0.05}
    row = "Data[[#This Row],[{}]]"
    heads = ["x", "t", "y", "error", "square", "e times x"]
    cells |= {f"{c}5": head for c, head in zip("ABCDEF", heads, strict=True)}
    for r, (x, t) in enumerate([(0.5, 1.1), (1.4, 1.9), (2.2, 3.3), (3.1, 3.7)], start=6):
        cells |= {f"A{r}": x, f"B{r}": t, f"C{r}": f"=$B$1*{row.format('x')}+$B$2",
                  f"D{r}": f"={row.format('y')}-{row.format('t')}", f"E{r}": f"={row.format('error')}^2",
                  f"F{r}": f"={row.format('error')}*{row.format('x')}"}  # fmt: skip
    cells |= {"D12": "MSE", "E12": "=AVERAGE(Data[square])", "A12": "d slope", "B12": "=2*AVERAGE(Data[e times x])",
              "A13": "d intercept", "B13": "=2*AVERAGE(Data[error])", "A15": "new slope", "B15": "=B1-B3*B12",
              "A16": "new intercept", "B16": "=B2-B3*B13"}  # fmt: skip
    faults = {
        "no factor": {"Line!B12": "=AVERAGE(Data[e times x])"},
        "other column": {"Line!B13": "=2*AVERAGE(Data[y])"},
        "half the rate": {"Line!B16": "=B2-B3*B13/2"},
    }
    return TeacherBook({"Line": cells}, faults, tables=(("Line", "Data", "A5:F9"),))


def pasted() -> TeacherBook:
    """The hidden layer's numbers pasted in as values; the output layer live, its gradients in the style of notes."""
    cells: Cells = {"B2": "hidden activations (pasted)", "B3": 0.59327, "C3": 0.59688, "B4": 0.61211, "C4": 0.54872,
                    "E2": "W", "E3": 0.4, "F3": 0.5, "E4": 0.45, "F4": 0.55, "H2": "bias", "H3": 0.6, "I3": 0.3,
                    "B7": "net", "E7": "out", "H7": "target", "K7": "delta", "N7": "half squares"}  # fmt: skip
    for r, h in ((8, 3), (9, 4)):
        for k, (c, o, t, d, q) in enumerate(zip("BC", "EF", "HI", "KL", "NO", strict=True)):
            w, b = "EF"[k], "HI"[k]
            cells |= {f"{c}{r}": f"=$B{h}*{w}$3+$C{h}*{w}$4+{b}$3", f"{o}{r}": f"=1/(1+EXP(-{c}{r}))",
                      f"{t}{r}": [[0.01, 0.99], [0.6, 0.2]][r - 8][k], f"{d}{r}": f"=({o}{r}-{t}{r})*{o}{r}*(1-{o}{r})",
                      f"{q}{r}": f"=({t}{r}-{o}{r})^2/2"}  # fmt: skip
    cells |= {"N11": "=SUM(N8:O9)", "B12": "grad W", "B13": "=B3*K8+B4*K9", "C13": "=B3*L8+B4*L9",
              "B14": "=C3*K8+C4*K9",
              "C14": "=C3*L8+C4*L9", "E12": "grad bias", "E13": "=K8+K9", "F13": "=L8+L9", "B16": "W+",
              "B17": "=E3-0.5*B13",
              "C17": "=F3-0.5*C13", "B18": "=E4-0.5*B14", "C18": "=F4-0.5*C14", "E16": "bias+", "E17": "=H3-0.5*E13",
              "F17": "=I3-0.5*F13"}  # fmt: skip
    faults = {
        "one delta": {"Notes!L9": "=(F9-I9)*E9*(1-E9)"},
        "one sample": {"Notes!F13": "=L8"},
        "rows mixed": {"Notes!C13": "=B3*L8+C4*L9"},
    }
    return TeacherBook({"Notes": cells}, faults)


BOOKS: Mapping[str, Callable[[], TeacherBook]] = {
    "neuron": neuron, "ones": ones, "named functions": named_functions, "a sheet for each epoch": epochs,
    "two sheets": two_sheets, "updates in place": in_place, "labels": labels, "attention head": head, "table": table,
    "pasted": pasted,
}  # fmt: skip
