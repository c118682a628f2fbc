"""Where a small change can be made to Python or JavaScript, and what it is.

Left alone is what no test can see by its nature: annotations and type aliases, docstrings, the words of errors,
assertions, what a class says of itself to a programmer.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE), ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,), ast.NotIn: (ast.In,),
}  # fmt: skip
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult, ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
    ast.LShift: ast.RShift, ast.RShift: ast.LShift,
}  # fmt: skip
FUNCTIONS = {"any": "all", "all": "any", "min": "max", "max": "min"}
# Lengths are equal, text is UTF-8, a cache may be of any size, a field is shown to a programmer alone.
UNSEEN_KEYWORDS = {"strict", "encoding", "maxsize", "repr"}
UNSEEN_FIELDS = {"annotation", "returns", "type_params", "pattern", "decorator_list"}
BUDGET = 1000  # a whole number from here on is a bound that somebody chose: one more or less is no fault
TYPES = {"TypeAlias", "TypeVar", "Literal", "Annotated", "cast"}

# Strings and comments come first, so that what stands in them is passed over.
SCRIPT = re.compile(
    r"""(?P<passed>//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`"""
    r"""|(?<=[(,=:])\s*/(?![/*])(?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\\n])+/)"""
    r"""|(?<= )(?P<operator>===|!==|<=|>=|<|>|&&|\|\||\+|-|\*|/)(?= )"""
    r"""|(?<![\w.$])(?P<number>\d+(?:\.\d+)?)(?![\w.])|\b(?P<truth>true|false)\b""",
    re.DOTALL,
)
SCRIPT_OPERATORS = {
    "===": ("!==",), "!==": ("===",), "<": ("<=", ">="), "<=": ("<", ">"), ">": (">=", "<="), ">=": (">", "<"),
    "&&": ("||",), "||": ("&&",), "+": ("-",), "-": ("+",), "*": ("/",), "/": ("*",),
    "true": ("false",), "false": ("true",),
}  # fmt: skip


@dataclass(frozen=True)
class Place:
    """One change: what stands from `start` to `end` in the text of a file becomes `new`.

    `lines` are those of the statement, for what is known of them; the first of them is where the change is.
    """

    path: str
    lines: tuple[int, ...]
    start: int
    end: int
    old: str
    new: str

    def applied(self, text: str) -> str:
        return text[: self.start] + self.new + text[self.end :]

    def __str__(self) -> str:
        return f"{self.path}:{self.lines[0]}  {_short(self.old)} → {_short(self.new)}"


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 100 else f"{text[:60]} … {text[-37:]}"


def places(path: str, text: str) -> Iterator[Place]:
    """All changes of a file, by the ending of its name."""
    return python_places(path, text) if path.endswith(".py") else script_places(path, text)


def script_places(path: str, text: str) -> Iterator[Place]:
    for found in SCRIPT.finditer(text):
        old, line = found[0], text.count("\n", 0, found.start()) + 1
        others = SCRIPT_OPERATORS.get(old, ())
        if found["number"]:
            others = (str(float(old) + 1),) if "." in old else (str(int(old) + 1), str(int(old) - 1))
        for new in () if found["passed"] else others:
            yield Place(path, (line,), *found.span(), old, new)


def python_places(path: str, text: str) -> Iterator[Place]:
    lines = text.splitlines(keepends=True)
    before = [0, *accumulate(map(len, lines))]

    def at(line: int, column: int) -> int:
        """A place of the syntax tree, which counts bytes, in characters of the whole text."""
        return before[line - 1] + len(lines[line - 1].encode()[:column].decode())

    for node, statement, is_condition in _seen(ast.parse(text), None, False):
        start, end = at(node.lineno, node.col_offset), at(node.end_lineno or 0, node.end_col_offset or 0)
        around = range(statement.lineno, (statement.end_lineno or 0) + 1)
        of = range(node.lineno, (node.end_lineno or 0) + 1)
        seen = tuple(dict.fromkeys((*of, *around)))
        for changed in _changes(node, is_condition):
            new = ast.unparse(ast.fix_missing_locations(changed))
            bare = isinstance(changed, ast.Constant | ast.Call | ast.stmt)
            yield Place(path, seen, start, end, text[start:end], new if bare else f"({new})")


Node = ast.expr | ast.stmt


def _seen(node: ast.AST, statement: Node | None, is_condition: bool) -> Iterator[tuple[Node, Node, bool]]:
    """What may be changed, the statement that it is in or the head of one, and whether it is a condition as a whole."""
    if _unseen(node):
        return
    if isinstance(node, ast.stmt):
        statement = node
    for name, value in ast.iter_fields(node):
        if name in UNSEEN_FIELDS or (isinstance(node, ast.keyword) and node.arg in UNSEEN_KEYWORDS):
            continue
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, ast.AST):
                head = isinstance(part, ast.expr) and hasattr(node, "body")  # of an if, a loop, a function
                yield from _seen(part, part if head else statement, name in ("test", "ifs"))
    if isinstance(node, ast.expr | ast.AugAssign) and statement is not None:
        yield node, statement, is_condition


def _unseen(node: ast.AST) -> bool:
    match node:
        case ast.Raise() | ast.Assert() | ast.Import() | ast.ImportFrom():
            return True
        case ast.JoinedStr():  # positions in it are wrong before Python 3.12
            return True
        case ast.AnnAssign(annotation=ast.Name(id="TypeAlias")) | ast.FunctionDef(name="__repr__"):
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")) | ast.If(test=ast.Compare(left=ast.Name(id="__name__"))):
            return True
        case ast.Subscript(value=ast.Name(id=name)) | ast.Call(func=ast.Name(id=name)):
            return name in TYPES
    return False


def _changes(node: Node, is_condition: bool) -> Iterator[ast.AST]:
    if is_condition and not isinstance(node, ast.Compare | ast.UnaryOp):
        yield ast.UnaryOp(ast.Not(), node)  # type: ignore[arg-type]
    match node:
        case ast.Compare(left, ops, comparators):
            for k, op in enumerate(ops):
                for other in COMPARED[type(op)]:
                    yield ast.Compare(left, [*ops[:k], other(), *ops[k + 1 :]], comparators)
        case ast.BinOp(left, op, right) if type(op) in OPERATORS and not (_is_text(left) or _is_text(right)):
            yield ast.BinOp(left, OPERATORS[type(op)](), right)
        case ast.AugAssign(target, op, value) if type(op) in OPERATORS and not _is_text(value):
            yield ast.AugAssign(target, OPERATORS[type(op)](), value)
        case ast.BoolOp(op, values):
            yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
            for k in range(len(values)):
                rest = values[:k] + values[k + 1 :]
                yield ast.BoolOp(op, rest) if len(rest) > 1 else rest[0]
        case ast.UnaryOp(ast.Not() | ast.USub(), operand):
            yield operand
        case ast.Constant(bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(int(value)):
            others = (value + 1, value - 1) if abs(value) < BUDGET else (2 * value, value // 2)
            yield from map(ast.Constant, others)
        case ast.Constant(float(value)):
            yield ast.Constant(value + 1)
        case ast.Call(func, arguments, keywords):
            if isinstance(func, ast.Name) and func.id in FUNCTIONS:
                yield ast.Call(ast.Name(FUNCTIONS[func.id]), arguments, keywords)
            for k, each in enumerate(keywords):
                if each.arg is not None and each.arg not in UNSEEN_KEYWORDS:
                    yield ast.Call(func, arguments, keywords[:k] + keywords[k + 1 :])


def _is_text(node: ast.expr) -> bool:
    """Text, of which a difference or product is an error at once."""
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))
