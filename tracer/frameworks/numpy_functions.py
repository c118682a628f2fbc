"""Programs written in numpy-like Python: the function is called once with stand-ins that note what is done to them."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Any

import numpy as np

from tracer.errors import ProblemError
from tracer.frameworks.graph import Graph, GraphOperation, Ref, Start, with_assigned_names, with_joined_products

_UNARY = {
    "exp": "exp", "log": "log", "sqrt": "sqrt", "absolute": "abs", "sin": "sin", "cos": "cos", "tanh": "tanh",
    "negative": "neg", "square": "square", "reciprocal": "reciprocal", "log1p": "log1p", "expm1": "expm1", "tan": "tan",
    "sinh": "sinh", "cosh": "cosh", "sign": "sign", "log2": "log2", "log10": "log10",
}  # fmt: skip
_BINARY = {
    "add": "add", "subtract": "sub", "multiply": "mul", "divide": "div", "true_divide": "div", "matmul": "matmul",
    "power": "pow", "float_power": "pow", "maximum": "maximum", "minimum": "minimum", "greater": "gt",
    "greater_equal": "ge", "less": "lt", "less_equal": "le",
}  # fmt: skip
_REDUCED = {"sum": "sum", "mean": "mean", "max": "amax", "amax": "amax", "min": "amin", "amin": "amin", "var": "var",
            "std": "std", "prod": "prod"}  # fmt: skip


_MOVES = ("reshape", "transpose", "swapaxes", "expand_dims", "squeeze", "flatten", "ravel", "broadcast_to", "repeat",
          "tile", "moveaxis", "flip", "take")  # fmt: skip


class StandIn(np.lib.mixins.NDArrayOperatorsMixin):
    """An array of the function: numpy's operators and functions on it are noted. It has a shape, and no numbers."""

    __array_priority__ = 1000

    def __init__(self, noting: _Noting, ref: Ref, value: Any) -> None:
        self._noting, self._ref, self._value = noting, ref, value

    shape = property(lambda self: self._value.shape)
    ndim = property(lambda self: self._value.ndim)
    size = property(lambda self: self._value.size)
    dtype = property(lambda self: self._value.dtype)

    def __len__(self) -> int:
        return len(self._value)

    def __bool__(self) -> bool:
        raise self._noting.refuse("found a branch on numbers that are computed; write it with np.where")

    def __float__(self) -> float:
        raise self._noting.refuse("found float() of what is computed, which breaks the chain of gradients")

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise self._noting.refuse(
            "found a function that takes numpy's arrays alone; use numpy's functions and operators"
        )

    def __array_ufunc__(self, function: Any, method: str, *inputs: Any, **settings: Any) -> Any:
        return self._noting.ufunc(function, method, inputs, settings)

    def __array_function__(self, function: Any, _: Any, arguments: Any, settings: Any) -> Any:
        return self._noting.called(function.__name__, arguments, settings)

    @property
    def T(self) -> Any:
        return self._noting.moved("permute", self, self._value.T, dims=list(range(self._value.ndim))[::-1])

    def __getitem__(self, place: Any) -> Any:
        return self._noting.picked(self, place)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *arguments, **settings: self._noting.called(name, (self, *arguments), settings)


class _Noting:
    """Notes what a function does to its arguments, in order."""

    def __init__(self, function: Callable[..., Any], name: str, graph: Graph) -> None:
        self.function, self.file, self.graph = function, name, graph
        self._code = function.__code__

    def start(self, key: str, numbers: Any, learned: bool) -> StandIn:
        array = np.asarray(numbers, np.float64)
        self.graph.starts[key] = Start(array, "parameter" if learned else "given")
        return StandIn(self, Ref(key), array)

    def refuse(self, says: str) -> ProblemError:
        source = self._source()
        return ProblemError(self.file, self.function.__name__, says + (f" ({source})" if source else ""))

    def note(self, kind: str, value: Any, /, **arguments: Any) -> StandIn:
        """An operation, and what it gives."""
        taken = {each.name for each in self.graph.operations} | set(self.graph.starts)
        name, number = kind, 2
        while name in taken:
            name, number = f"{kind}_{number}", number + 1
        told = {key: self._told(each) for key, each in arguments.items()}
        self.graph.operations.append(GraphOperation(kind, name, told, "", self._source(), kind))
        return StandIn(self, Ref(name), np.asarray(value))

    def moved(self, kind: str, of: StandIn, value: Any, /, **arguments: Any) -> StandIn:
        return self.note(kind, value, self=of, **arguments)

    def _told(self, argument: Any) -> Any:
        if isinstance(argument, StandIn):
            return argument._ref
        if isinstance(argument, list | tuple):
            return [self._told(each) for each in argument]
        return argument

    def _source(self) -> str:
        """The line of the function that is being run."""
        frame = sys._getframe(1)
        while frame is not None and frame.f_code is not self._code:
            frame = frame.f_back  # type: ignore[assignment]
        if frame is None:
            return ""
        try:
            lines, first = inspect.getsourcelines(self._code)
        except (OSError, TypeError):
            return ""
        line = lines[frame.f_lineno - first].strip()
        return f"{PurePath(self._code.co_filename).name}:{frame.f_lineno}: {line}"

    def ufunc(self, function: Any, method: str, inputs: Any, settings: Any) -> Any:
        if method != "__call__" or settings.get("out") is not None:
            raise self.refuse(f"found np.{function.__name__}.{method}, or one that writes in place; write a new array")
        values = [each._value if isinstance(each, StandIn) else np.asarray(each, np.float64) for each in inputs]
        with np.errstate(all="ignore"):
            made = function(*values)
        name = function.__name__
        if name in _UNARY:
            return self.note(_UNARY[name], made, self=inputs[0])
        if name not in _BINARY:
            raise self.refuse(f"np.{name} is not known")
        if name == "maximum" and any(type(each) in (int, float) and each == 0 for each in inputs):
            return self.note("relu", made, self=next(each for each in inputs if isinstance(each, StandIn)))
        given = [each if isinstance(each, StandIn) else np.asarray(each, np.float64) for each in inputs]
        key = "exponent" if _BINARY[name] == "pow" else "other"
        return self.note(_BINARY[name], made, **{"self": given[0], key: given[1]})

    def called(self, name: str, arguments: Any, settings: Any) -> Any:
        """numpy's functions and the methods of its arrays."""
        first: Any = arguments[0] if arguments else None
        if name in _REDUCED:
            return self._reduced(name, arguments, settings)
        match name:
            case "where":
                made = np.where(*(self._value(each) for each in arguments))
                return self.note("where", made, condition=arguments[0], self=arguments[1], other=arguments[2])
            case "clip":
                low, high = arguments[1], arguments[2]
                return self.note("clamp", np.clip(self._value(first), low, high), self=first, min=low, max=high)
            case "dot":
                return self.note(
                    "matmul", self._value(first) @ self._value(arguments[1]), self=first, other=arguments[1]
                )
            case "einsum":
                made = np.einsum(first, *(self._value(each) for each in arguments[1:]))
                return self.note("einsum", made, equation=first, tensors=list(arguments[1:]))
            case "concatenate" | "stack" | "hstack" | "vstack" | "column_stack":
                return self._joined(name, list(first), arguments, settings)
            case "astype" | "copy":
                return first
        return self._moved(name, arguments, settings)

    def _value(self, argument: Any) -> Any:
        return argument._value if isinstance(argument, StandIn) else np.asarray(argument)

    def _reduced(self, name: str, arguments: Any, settings: Any) -> StandIn:
        told = dict(zip(("axis",), arguments[1:], strict=False)) | settings
        made = getattr(np, name)(self._value(arguments[0]), **told)
        more = {"correction": told.get("ddof", 0)} if name in ("var", "std") else {}
        keep = bool(told.get("keepdims", False))
        axis = told.get("axis")
        dim = list(axis) if isinstance(axis, tuple) else axis
        return self.note(_REDUCED[name], made, self=arguments[0], dim=dim, keepdim=keep, **more)

    def _joined(self, name: str, parts: list[Any], arguments: Any, settings: Any) -> StandIn:
        values = [self._value(each) for each in parts]
        made = getattr(np, name)(values, *arguments[1:], **settings)
        axis = arguments[1] if len(arguments) > 1 else settings.get("axis", 0)
        if name == "stack":
            return self.note("stack", made, tensors=parts, dim=axis)
        flat = values[0].ndim == 1
        if flat and name in ("vstack", "column_stack"):
            return self.note("stack", made, tensors=parts, dim=0 if name == "vstack" else 1)
        across = {"hstack": 0 if flat else 1, "vstack": 0, "column_stack": 1}.get(name, axis)
        return self.note("cat", made, tensors=parts, dim=across)

    def _moved(self, name: str, arguments: Any, settings: Any) -> StandIn:
        first = arguments[0]
        if name not in _MOVES:
            raise self.refuse(f"np.{name} is not known")
        rest = [self._value(each) if isinstance(each, StandIn) else each for each in arguments[1:]]
        places = np.arange(self._value(first).size).reshape(self._value(first).shape)
        if name in ("flatten", "reshape", "transpose") and hasattr(places, name):
            taken = getattr(places, name)(*rest, **settings)
        else:
            taken = getattr(np, name)(places, *rest, **settings)
        flat = (
            self.note("view", self._value(first).ravel(), self=first, size=[-1])
            if self._value(first).ndim != 1
            else first
        )
        return self.note("index", self._value(first).ravel()[taken], self=flat, indices=[taken])

    def picked(self, of: StandIn, place: Any) -> StandIn:
        """A part of an array: rows, columns, cells by number or by a mask that is given."""
        told = tuple(self._value(each) if isinstance(each, StandIn) else each for each in _tuple(place))
        places = np.arange(of._value.size).reshape(of._value.shape)
        taken = np.asarray(places[told])
        flat = self.note("view", of._value.ravel(), self=of, size=[-1]) if of._value.ndim != 1 else of
        return self.note("index", of._value.ravel()[taken], self=flat, indices=[taken])


def _tuple(place: Any) -> tuple[Any, ...]:
    return place if isinstance(place, tuple) else (place,)


def graph_of_function(
    function: Callable[..., Any], given: Mapping[str, Any], parameters: Mapping[str, Any], title: str, name: str
) -> Graph:
    """The graph of a function of numpy's arrays that returns its loss. Raises ProblemError."""
    wanted = inspect.signature(function).parameters
    graph = Graph(title)
    noting = _Noting(function, name, graph)
    arguments: dict[str, Any] = {}
    unknown = [each for each in (*given, *parameters) if each not in wanted]
    if unknown:
        raise ProblemError(name, unknown[0], f"{function.__name__} has no such argument, expected {', '.join(wanted)}")
    for key, each in wanted.items():
        source = parameters if key in parameters else given
        if key not in source and each.default is inspect.Parameter.empty:
            says = "found nothing for it; give it under given={…} or parameters={…}"
            raise ProblemError(name, f"{function.__name__}: {key}", says)
        value = source.get(key, each.default)
        numeric = np.asarray(value).dtype.kind == "f"
        whole = key in given and np.asarray(value).dtype.kind in "iub"
        arguments[key] = (
            np.asarray(value)
            if whole
            else noting.start(key, value, key in parameters)
            if numeric or key in parameters
            else value
        )
    made = function(**arguments)
    made = made[0] if isinstance(made, tuple) else made
    if not isinstance(made, StandIn):
        raise noting.refuse("gives nothing that depends on its parameters, expected the loss")
    graph.loss = made._ref
    return with_assigned_names(with_joined_products(graph))
