"""Models of Keras, taken over: the compiled loss, every layer's outputs and every gradient as its backend has them."""

import os
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch

from tests.conftest import require_module
from tests.unit.frameworks.test_pytorch import gradients
from tracer.api import trace
from tracer.errors import TracerError
from tracer.frameworks.comparing import compare
from tracer.frameworks.keras_models import graph_of_keras
from tracer.frameworks.models import from_keras
from tracer.frameworks.writing import places_of, write_program
from tracer.problem.problem import Problem
from tracer.problem.reading import problem_of_table

os.environ.setdefault("KERAS_BACKEND", "torch")
RNG = np.random.default_rng(4)
CLOSE = 1e-6  # Keras multiplies matrices in single precision, whatever its policy says
Builder = Callable[[Any, Any], Any]


@pytest.fixture(autouse=True)
def keras() -> Iterator[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = require_module("keras")
        before = found.config.dtype_policy()
        found.config.set_dtype_policy("float64")
        found.config.set_floatx("float64")
        found.utils.set_random_seed(7)
        yield found
        found.config.set_dtype_policy(before)
        found.config.set_floatx("float32")


def numbers(*shape: int) -> Any:
    return RNG.normal(size=shape)


def _attention(keras: Any, layers: Any) -> Any:
    x = keras.Input((3, 4))
    mixed = layers.Add()([x, layers.MultiHeadAttention(2, 2)(x, x, use_causal_mask=True)])
    return keras.Model(x, layers.GlobalAveragePooling1D()(layers.LayerNormalization()(mixed)))


def _joined(keras: Any, layers: Any) -> Any:
    x = keras.Input((3,))
    hidden = layers.Dense(3, activation="tanh", kernel_regularizer="l2")(x)
    return keras.Model(x, layers.Dense(2)(layers.Concatenate()([x, layers.Multiply()([hidden, x])])))


def _of(made: Callable[[Any, Any, Any, Any], Any]) -> Builder:
    """A model of an input of three rows of four numbers, `x`, and of a dense layer's outputs for it, `y`."""

    def build(keras: Any, layers: Any) -> Any:
        x = keras.Input((3, 4))
        return keras.Model(x, made(keras.ops, layers, x, layers.Dense(4)(x)))

    return build


def _of_operators(ops: Any, layers: Any, x: Any, y: Any) -> Any:
    mixed = 2 * x + y / (y * y + 1.5) - (1.0 - y) ** 2 - x * -0.5
    return ops.matmul(ops.softmax(mixed @ ops.transpose(y, (0, 2, 1)), axis=1), mixed)


def _of_moves(ops: Any, layers: Any, x: Any, y: Any) -> Any:
    turned = ops.concatenate([-y[..., 2:], y[..., :2]], axis=-1)
    wide = ops.stack([y[:, -1], turned[:, 0, :]], axis=1)[:, None] + ops.expand_dims(y, 2)
    return ops.reshape(ops.squeeze(wide[:, :1], axis=1), (-1, 8))


def _of_sums(ops: Any, layers: Any, x: Any, y: Any) -> Any:
    scaled = y * ops.rsqrt(ops.mean(ops.square(y), axis=-1, keepdims=True) + 1e-6)
    spread = ops.std(y, axis=-1, keepdims=True) + ops.var(y, axis=-1, keepdims=True)
    return ops.max(scaled * spread, axis=1) + ops.sum(ops.tanh(y), axis=1) * ops.logsumexp(y, axis=1)


def _of_choices(ops: Any, layers: Any, x: Any, y: Any) -> Any:
    chosen = ops.where(y > 0, ops.gelu(x), ops.maximum(0.1 * y, ops.clip(x, -0.5, 0.5)))
    return ops.einsum("bij,bkj->bik", chosen, ops.abs(ops.exp(y)))


FUNCTIONAL: dict[str, tuple[Builder, tuple[int, ...]]] = {
    "operators": (_of(_of_operators), (3, 4)),
    "moves": (_of(_of_moves), (8,)),
    "sums": (_of(_of_sums), (4,)),
    "choices": (_of(_of_choices), (3, 3)),
    "scores by products": (_of(lambda ops, L, x, y: L.Attention(use_scale=True)([x, y, x])), (3, 4)),
    "scores by sums": (_of(lambda ops, L, x, y: L.AdditiveAttention()([x, y])), (3, 4)),
    "products along an axis": (_of(lambda ops, L, x, y: L.Dot(axes=(2, 2), normalize=True)([x, y])), (3, 3)),
    "products of rows": (_of(lambda ops, L, x, y: L.Dot(axes=1)([L.Flatten()(x), L.Flatten()(y)])), (1,)),
    "lengths of one": (_of(lambda ops, L, x, y: L.UnitNormalization()(y)), (3, 4)),
    "einsum": (_of(lambda ops, L, x, y: L.EinsumDense("abc,cd->abd", (3, 2), "tanh", "d")(y)), (3, 2)),
    "channels alone": (
        _of(lambda ops, L, x, y: L.SeparableConv1D(3, 2, depth_multiplier=2, padding="same")(y)), (3, 3),
    ),
    "signals made longer": (
        _of(lambda ops, L, x, y: L.Cropping1D((1, 0))(L.Conv1DTranspose(2, 2, strides=2)(y))), (5, 2),
    ),
    "both ways added": (
        _of(lambda ops, L, x, y: L.Bidirectional(L.GRU(2, return_sequences=True), merge_mode="ave")(y)), (3, 2),
    ),
    "in every row": (_of(lambda ops, L, x, y: L.TimeDistributed(L.Dense(2, activation="celu"))(y)), (3, 2)),
}  # fmt: skip


def _in_a_row(*shape: int) -> Callable[[Callable[[Any], list[Any]]], Builder]:
    def made(of: Callable[[Any], list[Any]]) -> Builder:
        return lambda keras, layers: keras.Sequential([keras.Input(shape), *of(layers)])

    return made


MODELS: dict[str, tuple[Builder, Any, Any, str]] = {
    "mlp": (
        _in_a_row(3)(lambda L: [L.Dense(4, activation="relu"), L.Dense(3, activation="softmax")]),
        numbers(4, 3), np.array([0, 1, 2, 1]), "sparse_categorical_crossentropy",
    ),
    "activations": (
        _in_a_row(3)(lambda L: [L.Dense(4), L.LeakyReLU(), L.Dense(4, activation="elu"), L.Dense(3, activation="gelu"),
                                L.Dense(3, activation="silu"), L.ReLU(), L.Dense(2)]),
        numbers(4, 3), numbers(4, 2), "mse",
    ),
    "cnn": (
        _in_a_row(4, 4, 1)(lambda L: [L.Conv2D(2, 3, padding="same", activation="relu"), L.MaxPooling2D(), L.Flatten(),
                                      L.Dense(2, activation="softmax")]),
        numbers(2, 4, 4, 1), np.array([[1.0, 0], [0, 1]]), "categorical_crossentropy",
    ),
    "average pool": (
        _in_a_row(5, 5, 1)(lambda L: [L.Conv2D(2, 2, strides=1), L.AveragePooling2D(2), L.GlobalMaxPooling2D()]),
        numbers(2, 5, 5, 1), numbers(2, 2), "mae",
    ),
    "windows beyond the image": (
        _in_a_row(5, 5, 1)(lambda L: [L.Conv2D(1, 2), L.UpSampling2D(2, interpolation="bilinear"),
                                      L.MaxPooling2D(3, padding="same"), L.Flatten()]),
        numbers(2, 5, 5, 1), numbers(2, 9), "mse",
    ),
    "batch norm": (
        _in_a_row(3, 3, 1)(lambda L: [L.Conv2D(2, 2), L.BatchNormalization(), L.Flatten(),
                                      L.Dense(1, activation="sigmoid")]),
        numbers(2, 3, 3, 1), np.array([[0.0], [1]]), "binary_crossentropy",
    ),
    "norms": (
        _in_a_row(3)(lambda L: [L.Dense(4), L.LayerNormalization(), L.RMSNormalization(), L.Dense(2)]),
        numbers(4, 3), numbers(4, 2), "mse",
    ),
    "rnn": (_in_a_row(3, 2)(lambda L: [L.SimpleRNN(2), L.Dense(1)]), numbers(2, 3, 2), numbers(2, 1), "mse"),
    "lstm": (
        _in_a_row(3, 2)(lambda L: [L.LSTM(2, return_sequences=True), L.Dropout(0.2), L.LSTM(2), L.Dense(1)]),
        numbers(2, 3, 2), numbers(2, 1), "mse",
    ),
    "gru": (_in_a_row(3, 2)(lambda L: [L.GRU(2), L.Dense(1)]), numbers(2, 3, 2), numbers(2, 1), "huber"),
    "gru, reset before": (
        _in_a_row(3, 2)(lambda L: [L.GRU(2, reset_after=False), L.Dense(1)]), numbers(2, 3, 2), numbers(2, 1), "mse",
    ),
    "both ways": (
        _in_a_row(3, 2)(lambda L: [L.Bidirectional(L.LSTM(2, return_sequences=True)), L.GlobalMaxPooling1D(),
                                   L.Dense(1)]),
        numbers(2, 3, 2), numbers(2, 1), "mse",
    ),
    "embedding": (
        _in_a_row(3)(lambda L: [L.Embedding(5, 3), L.Flatten(), L.Dense(2)]), np.array([[0, 1, 2], [4, 2, 1]]),
        numbers(2, 2), "mse",
    ),
    "attention": (_attention, numbers(2, 3, 4), numbers(2, 4), "mse"),
    "joined, with L2": (_joined, numbers(3, 3), numbers(3, 2), "mse"),
    "causal rows": (
        _in_a_row(4, 2)(lambda L: [L.Conv1D(2, 2, padding="causal"), L.MaxPooling1D(), L.Flatten(), L.Dense(1)]),
        numbers(2, 4, 2), numbers(2, 1), "mse",
    ),
}  # fmt: skip


def compiled(name: str, keras: Any) -> tuple[Any, Any, Any]:
    build, X, Y, loss = MODELS[name]
    model = build(keras, keras.layers)
    model.compile(optimizer=keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True), loss=loss)
    return model, X, Y


@pytest.mark.parametrize("name", MODELS)
def test_loss_and_gradients_are_those_of_the_backend(name: str, keras: Any) -> None:
    model, X, Y = compiled(name, keras)
    problem = from_keras(model, X, Y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loss = model.compute_loss(x=X, y=torch.as_tensor(Y), y_pred=model(X))
        model.zero_grad()
        loss.backward()
    run = trace(problem)
    assert abs(run.last.loss - loss.item()) < 1e-6  # it keeps probabilities 1e-7 away from 0 and 1
    expected = [each.value.grad.numpy() for each in model.trainable_variables]
    found = gradients(problem, run)
    assert len(found) == len(expected)
    for key, each in found.items():
        gaps = [np.abs(each - other).max() for other in expected if other.shape == each.shape]
        assert min(gaps) < CLOSE, (key, gaps)
    assert problem.learning_rate == 0.1 and problem.optimizer.nesterov
    assert isinstance(problem, Problem) == (name == "mlp")


@pytest.mark.parametrize("name", FUNCTIONAL)
def test_functions_and_further_layers_have_the_gradients_of_the_backend(name: str, keras: Any) -> None:
    """Held against by Keras' own paths; of a softmax down the columns the bias' gradient is nought."""
    build, shape = FUNCTIONAL[name]
    model, X, Y = build(keras, keras.layers), numbers(2, 3, 4), numbers(2, *shape)
    problem = from_keras(model, X, Y, loss="mse_loss")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loss = ((model(X) - torch.as_tensor(Y)) ** 2).mean()
        model.zero_grad()
        loss.backward()
    assert abs(trace(problem).last.loss - loss.item()) < CLOSE * max(1.0, loss.item())
    report = compare(problem, {each.path: each.value.grad.numpy() for each in model.trainable_weights})
    assert report.all_right and len(report.findings) == len(problem.origin), str(report)


def test_of_sequences_every_place_is_a_sample_of_the_loss(keras: Any) -> None:
    """Labels and rows of shares, for each place of each sequence, as Keras has them: the classes last."""
    layers, X, labels = keras.layers, np.array([[1, 2, 4], [0, 3, 3]]), np.array([[0, 1, 1], [1, 1, 0]])
    row = [keras.Input((3,)), layers.Embedding(5, 2), layers.LSTM(2, return_sequences=True)]
    model = keras.Sequential([*row, layers.TimeDistributed(layers.Dense(2, activation="softmax"))])
    for loss, targets in (("sparse_categorical_crossentropy", labels), ("categorical_crossentropy", np.eye(2)[labels])):
        model.compile(loss=loss, optimizer="sgd")
        problem = from_keras(model, X, targets)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = model.compute_loss(x=X, y=torch.as_tensor(targets), y_pred=model(X))
            model.zero_grad()
            value.backward()
        assert abs(trace(problem).last.loss - value.item()) < CLOSE
        report = compare(problem, {each.path: each.value.grad.numpy() for each in model.trainable_weights})
        assert report.all_right and len(report.findings) == 6, str(report)


@pytest.mark.parametrize("name", ["cnn", "lstm", "attention", "norms", "both ways"])
def test_the_outputs_of_every_layer_are_those_of_keras(name: str, keras: Any) -> None:
    model, X, Y = compiled(name, keras)
    graph, _ = graph_of_keras(model, X, Y, None, False, None, "m")
    written = write_program(graph, "m", {"learning_rate": 0.1})
    run = trace(problem_of_table(written.document, "m"))
    made = []
    for value in written.values.values():
        for each in value if isinstance(value, tuple) else (value,):
            if hasattr(each, "cells"):
                flat = np.full(each.cells.size, np.nan)
                for matrix, of_tensor, of_matrix in places_of(written.draft, each):
                    flat[of_tensor] = run[matrix].ravel()[of_matrix]
                made.append(flat)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for layer in model.layers[1:]:
            outputs = keras.Model(model.inputs, layer.output)(X).detach().numpy().ravel()
            gaps = [np.abs(flat - outputs).max() for flat in made if flat.size == outputs.size]
            assert np.nanmin(gaps) < CLOSE, layer.name


@pytest.mark.parametrize(("strides", "padding"), [(2, "same"), (2, "valid"), (1, "same")])
def test_a_transposed_convolution_has_the_outputs_of_keras(strides: int, padding: str, keras: Any) -> None:
    layers = keras.layers
    model = keras.Sequential([keras.Input((3, 3, 1)), layers.Conv2DTranspose(2, 3, strides=strides, padding=padding)])
    X = numbers(1, 3, 3, 1)
    with torch.no_grad():
        outputs = model(X).numpy()
    problem = from_keras(model, X, np.zeros_like(outputs), loss="mse_loss")
    assert abs(trace(problem).last.loss - (outputs**2).mean()) < CLOSE


def test_what_is_not_known_is_named(keras: Any) -> None:
    layers = keras.layers
    model = keras.Sequential([keras.Input((3, 2)), layers.Masking(name="cut"), layers.Flatten()])
    with pytest.raises(TracerError, match=r"model\.cut: keras\.layers\.Masking is not known"):
        from_keras(model, numbers(1, 3, 2), numbers(1, 2), loss="mse_loss")
    plain = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    with pytest.raises(TracerError, match="loss: found none: compile the model"):
        from_keras(plain, numbers(1, 3), numbers(1, 2))
    plain.compile(loss="categorical_crossentropy", optimizer="adam")
    with pytest.raises(TracerError, match="does not end in softmax"):
        from_keras(plain, numbers(1, 3), numbers(1, 2))


def test_batch_norm_takes_the_batch_where_training_is_asked_for(keras: Any) -> None:
    model, X, Y = compiled("batch norm", keras)
    with torch.no_grad():
        outputs = model(X, training=True).numpy()
    problem = from_keras(model, X, Y, loss="mse_loss", training=True)
    assert abs(trace(problem).last.loss - ((outputs - Y) ** 2).mean()) < CLOSE
    own = gradients(problem, trace(problem))
    assert compare(model, own, X=X, Y=Y, loss="mse_loss", training=True).all_right


ONE_HOT, SHARES = np.eye(3)[[0, 2, 1, 1]], np.array([[0.2, 0.5, 0.3]] * 4)
COMPILED: dict[str, tuple[str | None, int, Any, Callable[[Any], Any]]] = {
    "smoothed": ("softmax", 3, ONE_HOT, lambda L: L.CategoricalCrossentropy(label_smoothing=0.1)),
    "smoothed logits, a sum": (None, 3, ONE_HOT, lambda L: L.CategoricalCrossentropy(
        from_logits=True, label_smoothing=0.2, reduction="sum")),
    "labels of logits": (None, 3, np.array([0, 2, 1, 1]), lambda L: L.SparseCategoricalCrossentropy(from_logits=True)),
    "two smoothed": (None, 2, ONE_HOT[:, :2], lambda L: L.BinaryCrossentropy(from_logits=True, label_smoothing=0.1)),
    "one smoothed": ("sigmoid", 1, ONE_HOT[:, :1], lambda L: L.BinaryCrossentropy(label_smoothing=0.1)),
    "hinge of 0 and 1": (None, 3, ONE_HOT, lambda L: L.Hinge()),
    "divergence": ("softmax", 3, SHARES, lambda L: L.KLDivergence()),
    "huber": (None, 3, numbers(4, 3), lambda L: L.Huber(delta=0.4)),
    "squares, a sum": (None, 3, numbers(4, 3), lambda L: L.MeanSquaredError(reduction="sum")),
}  # fmt: skip


@pytest.mark.parametrize("name", COMPILED)
def test_a_compiled_loss_has_its_options(name: str, keras: Any) -> None:
    ends, units, Y, loss = COMPILED[name]
    model, X = keras.Sequential([keras.Input((3,)), keras.layers.Dense(units, activation=ends)]), numbers(4, 3)
    model.compile(loss=loss(keras.losses), optimizer="sgd")
    run = trace(from_keras(model, X, Y))
    expected = model.compute_loss(x=X, y=torch.as_tensor(Y), y_pred=model(X)).item()
    assert abs(run.last.loss - expected) < 2e-6


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("SGD", {"momentum": 0.9}), ("SGD", {"momentum": 0.9, "nesterov": True}), ("SGD", {"global_clipnorm": 0.1}),
        ("Adam", {"epsilon": 1e-3}), ("AdamW", {"weight_decay": 0.2}), ("Adagrad", {"epsilon": 1e-2}),
        ("RMSprop", {"rho": 0.8, "momentum": 0.5, "centered": True, "epsilon": 1e-2}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("before", [0, 2])
def test_an_optimizer_of_keras_makes_the_same_step(kind: str, options: dict[str, Any], before: int, keras: Any) -> None:
    L = keras.layers
    model, X, Y = (
        keras.Sequential([keras.Input((3,)), L.Dense(3, activation="tanh"), L.Dense(2)]),
        numbers(4, 3),
        numbers(4, 2),
    )
    model.compile(loss="mse", optimizer=getattr(keras.optimizers, kind)(0.1, **options))
    for _ in range(before):
        model.train_on_batch(X, Y)
    problem = from_keras(model, X, Y)
    run = trace(problem)
    model.train_on_batch(X, Y)
    for placed, variable in zip(problem.origin.values(), model.trainable_variables, strict=True):
        made = placed.gathered({name: run[f"{name}_next"] for name, _, _ in placed.parts})
        np.testing.assert_allclose(made, variable.numpy(), rtol=0, atol=2e-6)


@pytest.mark.parametrize(
    ("layer", "optimizer", "says"),
    [
        ({"bias_regularizer": "l2"}, {}, "has a bias_regularizer, which is not known"),
        ({"kernel_constraint": "non_neg"}, {}, "has a kernel_constraint"),
        ({}, {"clipvalue": 0.1}, "found SGD with clipvalue"),
        ({}, {"weight_decay": 0.1}, "found SGD with weight_decay"),
    ],
)
def test_what_would_change_the_numbers_is_refused(layer: Any, optimizer: Any, says: str, keras: Any) -> None:
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, **layer)])
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(0.1, **optimizer))
    with pytest.raises(TracerError, match=says):
        from_keras(model, numbers(4, 3), numbers(4, 2))
