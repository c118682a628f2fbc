"""Estimators of scikit-learn: the network that they are, with the loss that they minimise."""

from __future__ import annotations

from typing import Any

import numpy as np

from tracer.errors import ProblemError
from tracer.frameworks.estimator_solvers import rate_of, solver_table
from tracer.frameworks.graph import Graph, GraphOperation, Ref, Start
from tracer.frameworks.objectives import LOSS
from tracer.frameworks.optional import framework
from tracer.program import naming_policy as named

ACTIVATIONS = {"logistic": "sigmoid", "tanh": "tanh", "relu": "relu"}
KNOWN = (
    "MLPClassifier",
    "MLPRegressor",
    "LogisticRegression",
    "LinearRegression",
    "Ridge",
    "SGDClassifier",
    "Perceptron",
)


def graph_of_estimator(estimator: Any, X: Any, y: Any, name: str) -> tuple[Graph, float, dict[str, Any]]:
    """The graph, the learning rate and the `[optimizer]` of a fitted estimator. Raises ProblemError."""
    framework("sklearn", "sklearn")
    kind = type(estimator).__name__
    if kind not in KNOWN:
        raise ProblemError(name, "", f"found {kind}, expected one of {', '.join(KNOWN)}")
    if not hasattr(estimator, "coefs_" if kind.startswith("MLP") else "coef_"):
        raise ProblemError(name, "", f"{kind} has no weights yet; call fit or partial_fit first")
    return _Estimator(estimator, np.asarray(X, float), np.asarray(y), name).taken()


class _Estimator:
    """Writes the operations of an estimator."""

    def __init__(self, estimator: Any, X: Any, y: Any, name: str) -> None:
        self.own, self.y, self.name = estimator, y, name
        self.rows = len(X)
        self.graph = Graph(type(estimator).__name__, {named.INPUTS: Start(X, "given")})

    def taken(self) -> tuple[Graph, float, dict[str, Any]]:
        match type(self.own).__name__:
            case "MLPClassifier" | "MLPRegressor":
                self._network()
                return self.graph, rate_of(self.own), self._solver()
            case "LogisticRegression":
                self._logistic()
            case "LinearRegression" | "Ridge":
                self._linear()
            case _:
                self._margins()
                return self.graph, self._rate(), {}
        self.graph.remarks.append("Its own solver is no gradient descent; here one step of it is taken.")
        return self.graph, 0.1, {}

    def _dense(self, x: str, number: int, W: Any, b: Any, name: str) -> str:
        """One layer; its weights as inputs × units."""
        weight, bias = (f"coefs_{number}", f"intercepts_{number}") if number >= 0 else ("coef", "intercept")
        self.graph.starts[weight] = Start(np.asarray(W, float), "parameter")
        arguments: dict[str, Any] = {"input": Ref(x), "weight": Ref(weight)}
        if b is not None:
            self.graph.starts[bias] = Start(np.asarray(b, float), "parameter")
            arguments["bias"] = Ref(bias)
        self.graph.operations.append(
            GraphOperation("dense", name, arguments, shown="Layer" if number >= 0 else "Model")
        )
        return name

    def _apply(self, kind: str, name: str, /, **arguments: Any) -> str:
        self.graph.operations.append(GraphOperation(kind, name, arguments, shown=arguments.pop("shown", "")))
        return name

    def _network(self) -> None:
        x, last = named.INPUTS, len(self.own.coefs_) - 1
        for k, (W, b) in enumerate(zip(self.own.coefs_, self.own.intercepts_, strict=True)):
            x = self._dense(x, k, W, b, f"z{k + 1}")
            if k < last and self.own.activation != "identity":
                x = self._apply(ACTIVATIONS[self.own.activation], f"a{k + 1}", self=Ref(x))
        if getattr(self.own, "loss", "") == "poisson":
            raise ProblemError(self.name, "loss", "found 'poisson', expected 'squared_error'")
        coefs = [f"coefs_{k}" for k in range(last + 1)]
        self._objective(x, self.own.out_activation_)
        if self.own.alpha:
            self._penalty(coefs, self.own.alpha / 2 / self.rows)

    def _objective(self, x: str, output: str) -> None:
        """The mean loss of the samples, under the name of the whole loss where nothing is added."""
        classes: Any = getattr(self.own, "classes_", None)
        if output == "softmax":
            target = np.searchsorted(classes, self.y) if self.y.ndim == 1 else self.y.astype(float)
            kind, more = "cross_entropy_loss", {"target": target}
        elif output == "logistic":
            one_column = self.y.ndim == 1
            target = (np.searchsorted(classes, self.y) if one_column else self.y).astype(float)
            kind, more = "binary_cross_entropy_with_logits", {"target": target.reshape(self.rows, -1)}
        else:
            kind, more = "half_squared_error", {"target": self.y.astype(float).reshape(self.rows, -1)}
            more["samples"] = self.rows  # as its gradients are; the loss it prints is also divided by the outputs
        self._apply(kind, LOSS, self=Ref(x), **more)
        outputs = more["target"].shape[1] if np.ndim(more["target"]) == 2 else 1
        if kind == "binary_cross_entropy_with_logits" and outputs > 1:  # summed over the outputs
            self._rename_loss("mean_over_all")
            self._apply("mul", LOSS, self=Ref("mean_over_all"), other=np.asarray(float(outputs)))
        self.graph.loss = Ref(LOSS)

    def _rename_loss(self, name: str) -> None:
        last = self.graph.operations.pop()
        self.graph.operations.append(GraphOperation(last.kind, name, last.arguments, shown=last.shown or "Loss"))

    def _penalty(self, weights: list[str], squares: float, distances: float = 0.0) -> None:
        """So much of the weights' squares, and of their distances from 0: part of the loss, so gradients hold it."""
        told = [(each, kind, factor) for kind, factor in (("square", squares), ("abs", distances)) if factor
                for each in weights]  # fmt: skip
        if not told:
            return
        self._rename_loss("misfit")
        total = ""
        for each, kind, factor in told:
            part = self._apply(kind, f"{each}_{kind}", self=Ref(each), shown="Penalty")
            summed = self._apply("sum", f"{each}_{kind}_sum", self=Ref(part), shown="Penalty")
            factor_of = np.asarray(factor)
            one = self._apply("mul", f"{each}_{kind}_penalty", self=Ref(summed), other=factor_of, shown="Penalty")
            so_far = f"{each}_{kind}_total"
            total = self._apply("add", so_far, self=Ref(total), other=Ref(one), shown="Penalty") if total else one
        self._apply("add", LOSS, self=Ref("misfit"), other=Ref(total), shown="Loss")

    def _solver(self) -> dict[str, Any]:
        table, remark = solver_table(self.own)
        self.graph.remarks += [remark] if remark else []
        return {"optimizer": table} if table else {}

    def _logistic(self) -> None:
        """The mean loss, plus half the squares of the weights over C·N."""
        own = self.own
        self._refuse_weights()
        squares, distances = self._shares_of_penalty()
        if getattr(own, "multi_class", "auto") == "ovr" and len(own.classes_) > 2:
            raise ProblemError(self.name, "", "found multi_class='ovr', expected one model for all classes")
        binary = len(own.classes_) == 2
        x = self._dense(named.INPUTS, -1, own.coef_.T, own.intercept_ if own.fit_intercept else None, "z")
        self._objective(x, "logistic" if binary else "softmax")
        weights = ["coef"] + (["intercept"] if own.solver == "liblinear" and own.fit_intercept else [])
        if np.isfinite(own.C):
            strength = 1 / (own.C * self.rows)
            self._penalty(weights, strength * squares / 2, strength * distances)

    def _shares_of_penalty(self) -> tuple[float, float]:
        """How much of a penalty is of squares, and how much of distances from 0."""
        penalty, ratio = getattr(self.own, "penalty", "l2"), getattr(self.own, "l1_ratio", None)
        if penalty is None:
            return 0.0, 0.0
        if penalty == "l1":
            return 0.0, 1.0
        mixed = penalty == "elasticnet" or penalty == "deprecated"
        return (1 - ratio, ratio) if mixed and ratio else (1.0, 0.0)

    def _refuse_weights(self) -> None:
        if getattr(self.own, "class_weight", None) is not None:
            raise ProblemError(self.name, "class_weight", "found one, expected none: every sample counts as much")

    def _linear(self) -> None:
        """The mean of the squares; Ridge adds α times those of the weights."""
        own, W = self.own, np.atleast_2d(np.asarray(self.own.coef_, float)).T
        b = np.atleast_1d(own.intercept_) if own.fit_intercept else None
        x = self._dense(named.INPUTS, -1, W, b, "z")
        target = self.y.astype(float).reshape(self.rows, -1)
        if type(own).__name__ == "Ridge":
            if np.ndim(own.alpha):
                raise ProblemError(self.name, "alpha", "found several, expected one number for all targets")
            self._apply("squared_error", LOSS, self=Ref(x), target=target, samples=1)
            self._penalty(["coef"], float(own.alpha))
        else:
            self._apply("mse_loss", LOSS, self=Ref(x), target=target)
        self.graph.loss = Ref(LOSS)

    def _margins(self) -> None:
        """Classes as −1 and 1, one column for each class where there are more than two."""
        own = self.own
        self._refuse_weights()
        loss = getattr(own, "loss", "perceptron") if type(own).__name__ == "SGDClassifier" else "perceptron"
        x = self._dense(named.INPUTS, -1, own.coef_.T, own.intercept_ if own.fit_intercept else None, "z")
        labels = np.searchsorted(own.classes_, self.y)
        several = np.arange(len(own.classes_)) if len(own.classes_) > 2 else np.array([1])
        target = np.where(labels[:, None] == several[None], 1.0, -1.0)
        self._margin_loss(loss, x, target)
        self.graph.loss = Ref(LOSS)
        squares, distances = self._shares_of_penalty()
        self._penalty(["coef"], float(own.alpha) * squares / 2, float(own.alpha) * distances)
        self.graph.remarks.append("scikit-learn steps after every sample; here the step is the mean of all.")

    def _margin_loss(self, loss: str, x: str, target: Any) -> None:
        if loss == "hinge":
            self._apply("hinge_loss", LOSS, self=Ref(x), target=target, samples=self.rows)
            return
        if loss not in ("perceptron", "log_loss", "squared_hinge", "squared_error"):
            raise ProblemError(
                self.name, "loss", f"found {loss!r}, expected hinge, log_loss, perceptron or squared_hinge"
            )
        if loss == "squared_error":
            self._apply("half_squared_error", LOSS, self=Ref(x), target=target, samples=self.rows)
            return
        margin = self._apply("mul", "margin", self=Ref(x), other=target, shown="Loss")
        if loss == "squared_hinge":
            short = self._apply("rsub", "short_of_one", self=Ref(margin), other=np.asarray(1.0), shown="Loss")
            positive = self._apply("relu", "shortfall", self=Ref(short), shown="Loss")
            each = self._apply("square", "each", self=Ref(positive), shown="Loss")
        else:
            opposite = self._apply("neg", "opposite", self=Ref(margin), shown="Loss")
            kind = "softplus" if loss == "log_loss" else "relu"
            each = self._apply(kind, "each", self=Ref(opposite), shown="Loss")
        total = self._apply("sum", "total", self=Ref(each), shown="Loss")
        self._apply("div", LOSS, self=Ref(total), other=np.asarray(float(self.rows)), shown="Loss")

    def _rate(self) -> float:
        """The first learning rate where there is one that is constant."""
        return float(getattr(self.own, "eta0", 0) or 0.1)
