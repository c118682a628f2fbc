"""The operators of ONNX that estimators are written with (ai.onnx.ml): their weights are settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tracer.frameworks.cells import Held
from tracer.frameworks.draft import Draft
from tracer.frameworks.graph import GraphOperation, Ref
from tracer.frameworks.onnx_rules import Inputs, operator
from tracer.frameworks.rules import applied

_AFTER: dict[str, tuple[str, dict[str, Any]]] = {"SOFTMAX": ("softmax", {"dim": -1}), "LOGISTIC": ("sigmoid", {})}
Entered = Callable[[str, Any], Ref]


@operator("Scaler")
def scaler(draft: Draft, inputs: Inputs, offset: Any = (0.0,), scale: Any = (1.0,)) -> Held:
    less = applied(draft, "sub", self=inputs[0], other=np.asarray(offset, float))
    return applied(draft, "mul", self=less, other=np.asarray(scale, float))


@operator("Normalizer")
def normalizer(draft: Draft, inputs: Inputs, order: int) -> Held:
    """Each row divided by the sum of its distances from 0 (order 1), or by its length (2)."""
    if order not in (1, 2):
        raise draft.refuse("by the largest number is not known; leave that part out")
    length = applied(draft, "norm", self=inputs[0], p=float(order), dim=-1, keepdim=True)
    return applied(draft, "div", self=inputs[0], other=length)


def linear_model(node: Any, name: str, x: Any, settings: Mapping[str, Any], enter: Entered) -> list[GraphOperation]:
    """The operations of LinearRegressor and LinearClassifier; `enter` puts numbers among the parameters."""
    rows = settings.get("targets") or len(settings.get("intercepts", ())) or 1
    table = np.asarray(settings["coefficients"], float).reshape(int(rows), -1)
    weight, bias = enter("coefficients", table), None
    if settings.get("intercepts") is not None:
        bias = enter("intercepts", np.asarray(settings["intercepts"], float))
    after = _AFTER.get(settings.get("post_transform", "NONE"))
    first = name if after is None else f"{name}.scores"
    told = {"input": x, "weight": weight, "bias": bias}
    made = [GraphOperation("linear", first, told, shown=node.op_type)]
    if after is not None:
        kind, more = after
        made.append(GraphOperation(kind, name, {"self": Ref(first), **more}, shown=node.op_type))
    return made
