"""The functions that take over a model: the problem is the one that a person would have written for it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from typing import Any

from tracer.frameworks.taking_over import problem_of_graph
from tracer.run.passes import AnyProblem

RATE = 0.1


def from_torch(
    model: Any,
    inputs: Any,
    targets: Any = None,
    *,
    loss: Any = None,
    optimizer: Any = None,
    learning_rate: float | None = None,
    masks: Mapping[str, Any] | None = None,
    samples: int | None = None,
    units: int | None = None,
    block: str | None = None,
    title: str | None = None,
    name: str = "model",
    **settings: Any,
) -> AnyProblem:
    """The problem of a PyTorch module or function.

    `inputs` is a tensor, array or tuple of them, or a dict by the names of `forward`'s arguments; of a function, those
    that require a gradient are its parameters. `loss` is one of PyTorch's by name ("cross_entropy", "mse_loss"), or
    anything that takes outputs and targets; left out, the model gives the loss itself. `optimizer` is one of
    `torch.optim`; `masks` has for a dropout's module name the mask (1: kept). `samples` takes the first so many,
    `units` the first so many of each layer, `block` a part of the model by its name, with the numbers of the whole.
    `settings` are further keys of a problem file. Raises TracerError for what cannot be taken over, naming operator,
    module and source line.
    """
    from tracer.frameworks.pytorch import graph_of_torch
    from tracer.frameworks.torch_excerpts import first_samples, graph_of_block
    from tracer.frameworks.torch_optimizers import hold_others, optimizer_table, states_of
    from tracer.frameworks.torch_units import graph_of_units

    table: dict[str, Any] = dict(settings)
    if optimizer is not None:
        own_rate, table["optimizer"] = optimizer_table(optimizer, name)
        learning_rate = own_rate if learning_rate is None else learning_rate
    called = title or str(getattr(model, "__name__", type(model).__name__))
    if samples is not None:
        inputs, targets = first_samples(inputs, targets, samples)
    if block is not None:
        graph = graph_of_block(model, inputs, targets, loss, masks or {}, block, name)
    elif units is not None:
        graph = graph_of_units(model, inputs, targets, loss, masks or {}, units, name)
    else:
        graph, _ = graph_of_torch(model, inputs, targets, loss, masks or {}, called, name)
    if optimizer is not None:
        hold_others(optimizer, model, graph)
    table["learning_rate"] = RATE if learning_rate is None else learning_rate
    found = problem_of_graph(graph, name, table)
    kept = states_of(optimizer, model, found) if optimizer is not None else {}
    if not kept:
        return found
    return problem_of_graph(graph, name, {**table, "optimizer": {**table["optimizer"], "state": kept}})


def from_sklearn(
    estimator: Any, X: Any, y: Any, *, learning_rate: float | None = None, title: str | None = None,
    name: str = "model", **settings: Any,
) -> AnyProblem:  # fmt: skip
    """The problem of a fitted estimator of scikit-learn: its loss with its penalty, and one step of its solver.

    MLPClassifier, MLPRegressor, LogisticRegression, LinearRegression, Ridge, SGDClassifier and Perceptron. X is
    (samples, features), y as `fit` takes it. `alpha` (and 1/C) is part of the loss, so that the gradients hold it.
    Raises TracerError for another estimator, or one that was not fitted.
    """
    from tracer.frameworks.estimator_solvers import states_of_solver
    from tracer.frameworks.estimators import graph_of_estimator

    graph, rate, solver = graph_of_estimator(estimator, X, y, name)
    graph.title = title or graph.title
    table = {"learning_rate": learning_rate or rate, **solver, **settings}
    found = problem_of_graph(graph, name, table)
    kept = states_of_solver(estimator, found) if solver else {}
    if not kept:
        return found
    return problem_of_graph(graph, name, {**table, "optimizer": {**table["optimizer"], "state": kept}})


def from_onnx(
    model: Any, inputs: Any, targets: Any, *, loss: str, given: Any = (), learning_rate: float = RATE,
    title: str | None = None, name: str = "model", **settings: Any,
) -> AnyProblem:  # fmt: skip
    """The problem of an ONNX model: a path, or what `onnx.load` or `torch.onnx.export` gives.

    `inputs` is an array, a tuple of them, or a dict by the inputs' names; `loss` one of PyTorch's by name; `given`
    names numbers of the model that no training changes. Nothing of the model is executed. Raises TracerError for
    what cannot be taken over, and for pickles and TorchScript, which run code when they are read.
    """
    from tracer.frameworks.onnx_files import graph_of_onnx

    graph = graph_of_onnx(model, inputs, targets, loss, given, title, name)
    return problem_of_graph(graph, name, {"learning_rate": learning_rate, **settings})


def from_keras(
    model: Any, X: Any, Y: Any, *, loss: str | None = None, learning_rate: float | None = None, training: bool = False,
    title: str | None = None, name: str = "model", **settings: Any,
) -> AnyProblem:  # fmt: skip
    """The problem of a Keras 3 model, Sequential or functional, of any backend; what was compiled is taken over.

    X is an array, or a list of them for several inputs; Y the targets; `loss` is one of PyTorch's by name in place of
    the compiled one. Batch norm uses its moving averages unless `training` is true, and dropout is off. Raises
    TracerError for a layer that cannot be taken over, by its name.
    """
    from tracer.frameworks.keras_models import graph_of_keras
    from tracer.frameworks.keras_training import EPSILON, optimizer_of_keras, states_of_keras

    graph, weights = graph_of_keras(model, X, Y, loss, training, title, name)
    own_rate, optimizer = optimizer_of_keras(model, name)
    rate = learning_rate or own_rate or RATE
    table: dict[str, Any] = {"learning_rate": rate, **({"optimizer": optimizer} if optimizer else {}), **settings}
    if "eps" in optimizer:
        graph.remarks.append(EPSILON)
    found = problem_of_graph(graph, name, table)
    kept = states_of_keras(model, found, weights, own_rate or rate) if optimizer else {}
    if not kept:
        return found
    return problem_of_graph(graph, name, {**table, "optimizer": {**optimizer, "state": kept}})


def of(
    function: Callable[..., Any], given: Mapping[str, Any] | None = None,
    parameters: Mapping[str, Any] | Collection[str] | None = None,
    *, learning_rate: float = RATE, title: str | None = None, name: str = "program", **settings: Any,
) -> AnyProblem:  # fmt: skip
    """The program of a function in numpy-like Python that returns its loss.

    `given` and `parameters` are arrays by the names of the function's arguments, which may be keywords too;
    `parameters` may also name those among them that are learned. It is called once, with stand-ins
    for them on which numpy's operators and functions are noted: `@ + - * / **`, `np.tanh`, `np.sum`, slices.
    Raises TracerError for what cannot be noted, with its line.

    >>> import numpy as np
    >>> def loss(x, y, w):
    ...     return 0.5 * np.sum((np.tanh(x @ w) - y) ** 2)
    >>> of(loss, given={"x": [[1.0, 2.0]], "y": [[1.0]]}, parameters={"w": [[0.1], [0.2]]})
    <ProgramProblem 'program': 1 step>
    """
    from tracer.frameworks.numpy_functions import graph_of_function

    own = inspect.signature(function).parameters
    numbers = {**(given or {}), **{key: settings.pop(key) for key in list(settings) if key in own}}
    learned = parameters if isinstance(parameters, Mapping) else {key: numbers.pop(key) for key in parameters or ()}
    graph = graph_of_function(function, numbers, learned, title or function.__name__, name)
    return problem_of_graph(graph, name, {"learning_rate": learning_rate, **settings})
