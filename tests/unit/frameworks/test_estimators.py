"""Estimators of scikit-learn, taken over: loss and gradients as scikit-learn's own backward pass has them."""

import inspect
import warnings
from typing import Any

import numpy as np
import pytest

from tests.conftest import require_module
from tests.unit.frameworks.test_pytorch import gradients
from tracer.api import trace
from tracer.errors import TracerError
from tracer.frameworks.models import from_sklearn
from tracer.problem.problem import Problem

RNG = np.random.default_rng(5)
X = RNG.normal(size=(8, 3))
CLASSES, TWO, NUMBERS = np.array([0, 1, 2, 0, 1, 2, 1, 1]), np.array([0, 1, 1, 0, 1, 1, 0, 1]), X @ [1.0, -2.0, 0.5]


def fitted(module: str, kind: str, y: Any, **options: Any) -> Any:
    require_module("sklearn")
    made = getattr(require_module(f"sklearn.{module}"), kind)(**options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a few passes do not converge, and need not
        return made.fit(X, y)


@pytest.mark.parametrize(
    ("kind", "y", "options"),
    [
        ("MLPClassifier", CLASSES, {"alpha": 0.1}),
        ("MLPClassifier", CLASSES, {"alpha": 0, "solver": "sgd"}),
        ("MLPClassifier", TWO, {"activation": "tanh"}),
        ("MLPRegressor", NUMBERS, {"activation": "logistic"}),
        ("MLPRegressor", X[:, :2], {"activation": "identity", "alpha": 0.5}),
    ],
)
def test_a_network_has_the_gradients_of_its_own_backward_pass(kind: str, y: Any, options: dict[str, Any]) -> None:
    model = fitted("neural_network", kind, y, hidden_layer_sizes=(4,), max_iter=3, random_state=1, **options)
    problem = from_sklearn(model, X, y)
    targets = model._label_binarizer.transform(y) if kind == "MLPClassifier" else y.reshape(len(y), -1)
    layers = model.n_layers_ - 1
    weights = [None] if "sample_weight" in inspect.signature(model._backprop).parameters else []
    given = [X, targets, *weights, [X, *[None] * layers], [None] * layers]
    loss, dW, db = model._backprop(*given, *([np.empty_like(e) for e in c] for c in (model.coefs_, model.intercepts_)))
    run = trace(problem)
    found = gradients(problem, run)
    for k in range(layers):
        np.testing.assert_allclose(found[f"coefs_{k}"], dW[k], rtol=0, atol=1e-12)
        np.testing.assert_allclose(found[f"intercepts_{k}"], db[k], rtol=0, atol=1e-12)
    if targets.shape[1] == 1 or kind == "MLPClassifier":
        assert abs(run.last.loss - loss) < 1e-12
    assert isinstance(problem, Problem) == (not model.alpha)


@pytest.mark.parametrize(
    ("kind", "y", "options"),
    [
        ("LogisticRegression", CLASSES, {"C": 0.5, "tol": 1e-10}),
        ("LogisticRegression", TWO, {"C": 2.0, "tol": 1e-10}),
        ("LogisticRegression", TWO, {"C": 2.0, "solver": "liblinear", "tol": 1e-12}),
        ("LogisticRegression", CLASSES, {"C": 20.0, "tol": 1e-10, "max_iter": 5000, "fit_intercept": False}),
        ("LinearRegression", NUMBERS + CLASSES, {}),
        ("Ridge", NUMBERS + CLASSES, {"alpha": 2.0}),
    ],
)
def test_where_an_estimator_has_arrived_the_gradient_of_its_loss_is_nothing(kind: str, y: Any, options: Any) -> None:
    model = fitted("linear_model", kind, y, **options)
    problem = from_sklearn(model, X, y)
    for each in gradients(problem, trace(problem)).values():
        np.testing.assert_allclose(each, 0, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "by_hand"),
    [
        ({"loss": "hinge"}, lambda m: np.maximum(0, 1 - m)),
        ({"loss": "log_loss"}, lambda m: np.log1p(np.exp(-m))),
        ({"loss": "squared_hinge"}, lambda m: np.maximum(0, 1 - m) ** 2),
        ({"loss": "perceptron"}, lambda m: np.maximum(0, -m)),
    ],
)
def test_margins_have_the_loss_that_scikit_learn_names(options: dict[str, Any], by_hand: Any) -> None:
    model = fitted("linear_model", "SGDClassifier", TWO, alpha=0.01, random_state=1, learning_rate="constant",
                   eta0=0.05, **options)  # fmt: skip
    margin = (2 * TWO - 1) * model.decision_function(X)
    expected = by_hand(margin).mean() + 0.01 / 2 * (model.coef_**2).sum()
    problem = from_sklearn(model, X, TWO)
    assert abs(trace(problem).last.loss - expected) < 1e-12 and problem.learning_rate == 0.05


def test_what_is_no_estimator_or_was_not_fitted_is_refused() -> None:
    linear = require_module("sklearn.linear_model")
    with pytest.raises(TracerError, match="LogisticRegression has no weights yet"):
        from_sklearn(linear.LogisticRegression(), X, TWO)
    with pytest.raises(TracerError, match="found Lasso, expected one of MLPClassifier"):
        from_sklearn(fitted("linear_model", "Lasso", NUMBERS), X, NUMBERS)


@pytest.mark.parametrize(("ratio", "penalty"), [(0.3, "elasticnet"), (1.0, "l1"), (0.0, "l2")])
def test_a_penalty_may_be_of_squares_and_of_distances(ratio: float, penalty: str) -> None:
    model = fitted("linear_model", "SGDClassifier", TWO, alpha=0.02, random_state=1, penalty=penalty, l1_ratio=ratio)
    shares = ratio * np.abs(model.coef_).sum() + (1 - ratio) / 2 * (model.coef_**2).sum()
    margin = (2 * TWO - 1) * model.decision_function(X)
    expected = np.maximum(0, 1 - margin).mean() + 0.02 * shares
    assert abs(trace(from_sklearn(model, X, TWO)).last.loss - expected) < 1e-12


@pytest.mark.parametrize(
    "options",
    [
        {"solver": "adam", "epsilon": 1e-3, "alpha": 0.1},
        {"solver": "sgd", "momentum": 0.9, "nesterovs_momentum": False},
        {"solver": "sgd", "momentum": 0.8, "alpha": 0.0},
    ],
)
def test_the_next_step_is_the_one_that_the_solver_makes(options: dict[str, Any]) -> None:
    model = fitted("neural_network", "MLPClassifier", CLASSES, hidden_layer_sizes=(4,), max_iter=3, random_state=1,
                   shuffle=False, batch_size=8, learning_rate_init=0.05, **options)  # fmt: skip
    problem = from_sklearn(model, X, CLASSES)
    run = trace(problem)
    model.partial_fit(X, CLASSES)
    for k, (W, b) in enumerate(zip(model.coefs_, model.intercepts_, strict=True)):
        for name, expected in ((f"coefs_{k}", W), (f"intercepts_{k}", b)):
            placed = problem.origin[name]
            made = placed.gathered({each: run[f"{each}_next"] for each, _, _ in placed.parts})
            np.testing.assert_allclose(made, expected, rtol=0, atol=1e-10)


def test_weights_of_classes_are_refused() -> None:
    with pytest.raises(TracerError, match="class_weight: found one, expected none"):
        from_sklearn(fitted("linear_model", "LogisticRegression", TWO, class_weight="balanced"), X, TWO)
