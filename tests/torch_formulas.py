"""What PyTorch gives for a program's formulas: an interpreter of its own, over tensors, with autograd behind it."""

import ast
from collections.abc import Mapping
from typing import Any

import torch
from torch.nn import functional as F  # noqa: N812 - as everybody calls it

Tensor = torch.Tensor


def gradients(
    formulas: list[str], given: Mapping[str, Any], parameters: Mapping[str, Any], loss: str | None = None
) -> dict[str, Any]:
    """Every matrix, `d…` of every one that the loss reaches, as numpy arrays."""
    values: dict[str, Tensor] = {name: torch.tensor(each, dtype=torch.float64) for name, each in given.items()}
    for name, each in parameters.items():
        values[name] = torch.tensor(each, dtype=torch.float64, requires_grad=True)
    last = ""
    for text in formulas:
        (assign,) = ast.parse(text).body
        assert isinstance(assign, ast.Assign) and isinstance(assign.targets[0], ast.Name)
        last = assign.targets[0].id
        made = of(assign.value, values)
        assert isinstance(made, Tensor), text
        if made.requires_grad and made.is_leaf is False:
            made.retain_grad()
        values[last] = made
    if values[loss or last].requires_grad:  # not where it depends on no parameter
        values[loss or last].sum().backward()
    found: dict[str, Any] = {name: each.detach().numpy() for name, each in values.items()}
    for name, each in values.items():
        if each.requires_grad and each.grad is not None:
            found[f"d{name}"] = each.grad.numpy()
    return found


def of(node: ast.AST, values: Mapping[str, Tensor]) -> Any:
    """A tensor of two dimensions, a number or a setting."""

    def inner(part: ast.AST) -> Any:
        return of(part, values)

    match node:
        case ast.Constant(value):
            return value
        case ast.Name("pi"):
            return torch.pi
        case ast.Name(name):
            # a clone, lest a copy of a leaf be the leaf itself
            return values[name].clone() if not values[name].is_leaf else values[name]
        case ast.UnaryOp(ast.USub(), operand):
            return -inner(operand)
        case ast.BinOp(left, operator, right):
            return _operated(operator, inner(left), inner(right))
        case ast.Attribute(operand, "T"):
            return inner(operand).T
        case ast.Subscript(operand, place):
            return _picked(inner(operand), place, inner)
        case ast.Call(ast.Name("where"), [ast.Compare(left, [sign], [right]), then, other]):
            compare = {ast.Gt: torch.gt, ast.GtE: torch.ge, ast.Lt: torch.lt, ast.LtE: torch.le}[type(sign)]
            return torch.where(compare(_tensor(inner(left)), _tensor(inner(right))), inner(then), inner(other))
        case ast.Call(ast.Name(name), arguments, settings):
            named = {each.arg: inner(each.value) for each in settings if each.arg}
            return FUNCTIONS[name](*map(inner, arguments), **named)
    raise TypeError(ast.dump(node))


def _tensor(value: Any) -> Tensor:
    return value if isinstance(value, Tensor) else torch.full((1, 1), float(value), dtype=torch.float64)


def _operated(operator: ast.operator, left: Any, right: Any) -> Any:
    match operator:
        case ast.Add():
            return left + right
        case ast.Sub():
            return left - right
        case ast.Mult():
            return left * right
        case ast.Div():
            return left / right
        case ast.MatMult():
            return left @ right
        case ast.Pow():
            return left**right
    raise TypeError(operator)


def _picked(whole: Tensor, place: ast.AST, inner: Any) -> Tensor:
    parts = place.elts if isinstance(place, ast.Tuple) else [place, ast.Slice()]
    chosen = []
    for part, size in zip(parts, whole.shape, strict=True):
        match part:
            case ast.Slice(lower, upper):
                chosen.append(list(range(size))[slice(lower and inner(lower), upper and inner(upper))])
            case ast.List(elements):
                chosen.append([inner(each) % size for each in elements])
            case _:
                chosen.append([inner(part) % size])
    return whole[chosen[0]][:, chosen[1]]


def _axis(function: Any) -> Any:
    def made(A: Tensor, axis: int | None = None) -> Tensor:
        return function(A).reshape(1, 1) if axis is None else function(A, dim=axis, keepdim=True)

    return made


def _max(A: Tensor, axis: int | None = None) -> Tensor:
    return A.amax().reshape(1, 1) if axis is None else A.max(dim=axis, keepdim=True).values


def _var(A: Tensor, axis: int | None = None) -> Tensor:
    if axis is None:
        return A.var(unbiased=False).reshape(1, 1)
    return A.var(dim=axis, unbiased=False, keepdim=True)


def _conv2d(X: Tensor, K: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
    return F.conv2d(X[None, None], K[None, None], stride=stride, padding=padding)[0, 0]


def _conv_transpose2d(X: Tensor, K: Tensor, stride: int = 1) -> Tensor:
    return F.conv_transpose2d(X[None, None], K[None, None], stride=stride)[0, 0]


def _of_cells(function: Any) -> Any:
    def made(value: Any, *settings: Any, **named: Any) -> Any:
        if isinstance(value, Tensor):
            return function(value, *settings, **named)
        return float(function(torch.tensor(float(value), dtype=torch.float64), *settings, **named))

    return made


def _total(function: Any) -> Any:
    return lambda A, Y: function(A, Y).sum().reshape(1, 1)


FUNCTIONS: dict[str, Any] = {
    **{
        name: _of_cells(getattr(torch, name))
        for name in ("exp", "log", "sqrt", "abs", "tanh", "sigmoid", "sin", "cos", "arctan", "erf")
    },
    "relu": _of_cells(F.relu),
    "leaky_relu": _of_cells(lambda Z, slope=0.01: F.leaky_relu(Z, slope)),
    "elu": _of_cells(F.elu),
    "softplus": _of_cells(F.softplus),
    "silu": _of_cells(F.silu),
    "gelu": _of_cells(lambda Z, form="tanh": F.gelu(Z, approximate="tanh" if form == "tanh" else "none")),
    "maximum": lambda A, B: torch.maximum(_tensor(A), _tensor(B)),
    "minimum": lambda A, B: torch.minimum(_tensor(A), _tensor(B)),
    "detach": lambda A: A.detach(),
    "sum": _axis(torch.sum),
    "mean": _axis(torch.mean),
    "max": _max,
    "var": _var,
    "softmax": lambda A, axis=1: torch.softmax(A, axis),
    "log_softmax": lambda A, axis=1: torch.log_softmax(A, axis),
    "hstack": lambda *parts: torch.cat(parts, 1),
    "vstack": lambda *parts: torch.cat(parts, 0),
    "reshape": lambda A, rows, columns: A.reshape(rows, columns),
    "conv2d": _conv2d,
    "conv_transpose2d": _conv_transpose2d,
    "max_pool": lambda X, size, stride=None: F.max_pool2d(X[None, None], size, stride)[0, 0],
    "mean_pool": lambda X, size, stride=None: F.avg_pool2d(X[None, None], size, stride)[0, 0],
    "half_squared_error": _total(lambda A, Y: 0.5 * (A - Y) ** 2),
    "squared_error": _total(lambda A, Y: (A - Y) ** 2),
    "cross_entropy": _total(lambda A, Y: -Y * torch.log(A)),
    "binary_cross_entropy": _total(lambda A, Y: -(Y * torch.log(A) + (1 - Y) * torch.log(1 - A))),
    "cross_entropy_of_logits": _total(lambda Z, Y: -Y * torch.log_softmax(Z, 1)),
}
