"""The layers of Keras over sequences: recurrent ones, and attention."""

from __future__ import annotations

from typing import Any

import numpy as np

from tracer.frameworks.graph import Ref
from tracer.frameworks.keras_layers import LayerReading, layer


@layer("SimpleRNN", "LSTM", "GRU")
def _recurrent(at: LayerReading, own: Any, given: list[Any], node: Any) -> Any:
    """Its outputs or the last one, then its states where they are asked for."""
    kind = {"SimpleRNN": "rnn", "LSTM": "lstm", "GRU": "gru"}[type(own).__name__]
    cell = own.cell
    function = getattr(cell.activation, "__name__", "")
    gate = getattr(getattr(cell, "recurrent_activation", None), "__name__", "sigmoid")
    if (function != "tanh" and not (kind == "rnn" and function == "relu")) or gate != "sigmoid":
        raise at.refuse(f"with the activations {function} and {gate} is not known")
    kernel, recurrent, bias = (at.weight(cell, name) for name in ("kernel", "recurrent_kernel", "bias"))
    after = bool(getattr(cell, "reset_after", True))
    two = kind == "gru" and after and bias is not None
    of_input = at.apply("select", "input_bias", self=bias, dim=0, index=0) if two else bias
    of_state = at.apply("select", "state_bias", self=bias, dim=0, index=1) if two else None
    turned = [at.apply("t", part, self=each) for part, each in (("w", kernel), ("u", recurrent))]
    x = at.apply("transpose", "by_time", self=given[0], dim0=0, dim1=1)
    made = at.apply(
        "recurrent_layer", input=x, w=turned[0], u=turned[1], b=of_input, c=of_state, states=given[1:] or None,
        kind=kind,
        order={"lstm": "ifgo", "gru": "urn"}.get(kind, ""), after=after, backwards=bool(own.go_backwards),
        function=function,
    )  # fmt: skip
    outputs = Ref(made.name, 0)
    if own.return_sequences:
        turned_back = at.apply("transpose", "by_sample", self=outputs, dim0=0, dim1=1)
        found: Any = at.apply("flip", "as_run", self=turned_back, dims=[1]) if own.go_backwards else turned_back
    else:
        found = Ref(made.name, 1)
    states = [Ref(made.name, k) for k in range(1, 3 if kind == "lstm" else 2)]
    return [found, *states] if own.return_state else found


@layer("Bidirectional")
def _bidirectional(at: LayerReading, own: Any, given: list[Any], node: Any) -> Any:
    if own.merge_mode is None or own.return_state:
        raise at.refuse("that keeps its two outputs apart, or with its states, is not known")
    module, made = at.module, []
    for inner in (own.forward_layer, own.backward_layer):
        at.begin(f"{module}.{inner.name}", type(inner).__name__)
        one = _recurrent(at, inner, given, node)
        if inner.go_backwards and inner.return_sequences:
            one = at.apply("flip", "in_order", self=one, dims=[1])
        made.append(one)
    at.begin(module, "Bidirectional")
    if own.merge_mode == "concat":
        return at.apply("cat", tensors=made, dim=-1)
    merged = at.apply("mul" if own.merge_mode == "mul" else "add", self=made[0], other=made[1])
    return at.apply("mul", "mean", self=merged, other=np.asarray(0.5)) if own.merge_mode == "ave" else merged


@layer("Attention", "AdditiveAttention")
def _scored(at: LayerReading, own: Any, given: list[Any], node: Any) -> Any:
    """Queries against keys, shares of the scores, and the values mixed by them."""
    told = node.arguments.kwargs
    if any(told.get(key) for key in ("return_attention_scores", "use_causal_mask")) or own.dropout:
        raise at.refuse("with its scores, a causal mask or dropout is not known")
    query, value = given[0], given[1]
    key = given[2] if len(given) > 2 else value
    scale = at.weight(own, "scale")
    if type(own).__name__ == "AdditiveAttention" or own.score_mode == "concat":
        made = _by_sums(at, query, key, scale, own)
    else:
        turned = at.apply("transpose", "turned", self=key, dim0=1, dim1=2)
        made = at.apply("matmul", "scores", self=query, other=turned)
        made = made if scale is None else at.apply("mul", "scaled", self=made, other=scale)
    shares = at.apply("softmax", "shares", self=made, dim=-1)
    return at.apply("matmul", self=shares, other=value)


def _by_sums(at: LayerReading, query: Any, key: Any, scale: Any, own: Any) -> Any:
    """Scores Σ s·tanh(q + k)."""
    if type(own).__name__ == "Attention":
        raise at.refuse("with score_mode='concat' is not known, only 'dot'")
    rows, columns = (at.apply("unsqueeze", "wide", self=each, dim=d) for each, d in ((query, 2), (key, 1)))
    bent = at.apply("tanh", "bent", self=at.apply("add", "pairs", self=rows, other=columns))
    weighed = bent if scale is None else at.apply("mul", "weighed", self=bent, other=scale)
    return at.apply("sum", "scores", self=weighed, dim=-1)


@layer("MultiHeadAttention")
def _attention(at: LayerReading, own: Any, given: list[Any], node: Any) -> Any:
    """Heads beside each other in one matrix for queries, keys and values."""
    arguments = node.arguments
    called = {"query": 0, "value": 1, "key": 2}
    tensors = {each: k for k, each in enumerate(map(id, node.input_tensors))}
    own_arguments = {**dict(zip(called, arguments.args, strict=False)), **arguments.kwargs}
    query, value = (given[tensors[id(own_arguments[name])]] for name in ("query", "value"))
    key_tensor = own_arguments.get("key")
    key = value if key_tensor is None else given[tensors[id(key_tensor)]]
    if own_arguments.get("attention_mask") is not None:
        raise at.refuse("with a mask that is computed is not known; use_causal_mask is")
    heads, module = int(own.num_heads), at.module
    parts = {}
    for name, x, width in (("query", query, own.key_dim), ("key", key, own.key_dim), ("value", value, own.value_dim)):
        dense = getattr(own, f"_{name}_dense")
        at.begin(f"{module}.{name}", "Dense")
        weight = _flat_weight(at, dense, "kernel", int(width) * heads)
        bias = _flat_weight(at, dense, "bias", int(width) * heads, row=True)
        made = at.apply("dense", input=x, weight=weight, bias=bias)
        split = at.apply("unflatten", "heads", self=made, dim=-1, sizes=[heads, int(width)])
        parts[name] = at.apply("transpose", "by_head", self=split, dim0=1, dim1=2)
    at.begin(module, "MultiHeadAttention")
    causal = bool(own_arguments.get("use_causal_mask", False))
    mixed = at.apply("scaled_dot_product_attention", "attention", **parts, is_causal=causal)
    beside = at.apply("transpose", "by_place", self=mixed, dim0=1, dim1=2)
    joined = at.apply("flatten", "joined", self=beside, start_dim=2)
    at.begin(f"{module}.attention_output", "Dense")
    output = own._output_dense
    width = int(output.kernel.shape[-1])
    kernel = at.weight(output, "kernel", (int(np.prod(output.kernel.shape[:-1])), width))
    flat = at.apply("view", "flat", self=kernel, size=[-1, width])
    return at.apply("dense", input=joined, weight=flat, bias=at.weight(output, "bias"))


def _flat_weight(at: LayerReading, own: Any, attribute: str, width: int, row: bool = False) -> Any:
    """A weight with a dimension for the heads, as one matrix with the heads beside each other."""
    variable = getattr(own, attribute, None)
    if variable is None:
        return None
    rows = 1 if row else int(variable.shape[0])
    found = at.weight(own, attribute, (rows, width))
    return at.apply("view", f"flat_{attribute}", self=found, size=[width] if row else [rows, width])
