"""Programs of many kinds, with numbers that are drawn: formulas, and the shapes of what they start from."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

Shapes = dict[str, tuple[int, int]]


@dataclass(frozen=True)
class Sample:
    formulas: tuple[str, ...]
    given: Shapes
    parameters: Shapes
    positive: tuple[str, ...] = ()  # drawn above 0
    shares: tuple[str, ...] = ()  # rows that sum to 1
    fixed: dict[str, Any] = field(default_factory=dict)

    def numbers(self, seed: int = 0) -> tuple[dict[str, Any], dict[str, Any]]:
        random = np.random.default_rng(seed)

        def drawn(name: str, shape: tuple[int, int]) -> Any:
            if name in self.fixed:
                return self.fixed[name]
            values = random.uniform(-1, 1, shape)
            if name in self.positive:
                values = np.abs(values) + 0.1
            if name in self.shares:
                values = np.abs(values) / np.abs(values).sum(axis=1, keepdims=True)
            return values.round(12 if name in self.shares else 3).tolist()

        sides = (self.given, self.parameters)
        given, parameters = ({name: drawn(name, shape) for name, shape in side.items()} for side in sides)
        return given, parameters

    def document(self, seed: int = 0, **more: Any) -> dict[str, Any]:
        given, parameters = self.numbers(seed)
        steps = [{"formulas": [each]} for each in self.formulas]
        return {"learning_rate": 0.1, "given": given, "parameters": parameters, "steps": steps, **more}


def _of(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.strip().splitlines())


SAMPLES: dict[str, Sample] = {
    "perceptron": Sample(
        _of("""Z1 = X @ W1 + b1
               A1 = tanh(Z1)
               Z2 = A1 @ W2 + b2
               L = cross_entropy_of_logits(Z2, Y) / 3"""),
        {"X": (3, 2), "Y": (3, 2)},
        {"W1": (2, 4), "b1": (1, 4), "W2": (4, 2), "b2": (1, 2)},
        shares=("Y",),
    ),
    "lstm": Sample(
        _of("""f1 = sigmoid(x1 @ Wf + h0 @ Uf + bf)
               i1 = sigmoid(x1 @ Wi + h0 @ Ui + bi)
               g1 = tanh(x1 @ Wg + h0 @ Ug)
               c1 = f1 * c0 + i1 * g1
               h1 = sigmoid(x1 @ Wo) * tanh(c1)
               f2 = sigmoid(x2 @ Wf + h1 @ Uf + bf)
               c2 = f2 * c1 + sigmoid(x2 @ Wi + h1 @ Ui + bi) * tanh(x2 @ Wg + h1 @ Ug)
               h2 = sigmoid(x2 @ Wo) * tanh(c2)
               L = half_squared_error(h2, Y) + half_squared_error(h1, Y)"""),
        {"x1": (1, 3), "x2": (1, 3), "h0": (1, 2), "c0": (1, 2), "Y": (1, 2)},
        {**{f"W{k}": (3, 2) for k in "figo"}, **{f"U{k}": (2, 2) for k in "fig"}, "bf": (1, 2), "bi": (1, 2)},
    ),
    "gru": Sample(
        _of("""z = sigmoid(x @ Wz + h @ Uz)
               r = sigmoid(x @ Wr + h @ Ur)
               n = tanh(x @ Wn + (r * h) @ Un)
               h1 = (1 - z) * n + z * h
               L = squared_error(h1, Y) / 2"""),
        {"x": (2, 3), "h": (2, 2), "Y": (2, 2)},
        {**{f"W{k}": (3, 2) for k in "zrn"}, **{f"U{k}": (2, 2) for k in "zrn"}},
    ),
    "transformer block": Sample(
        _of("""mu = mean(X, axis=1)
               N = (X - mu) / sqrt(var(X, axis=1) + 0.00001)
               Q = N @ Wq
               K = N @ Wk
               V = N @ Wv
               P1 = softmax(Q[:, 0:2] @ K[:, 0:2].T / sqrt(2) + mask)
               P2 = softmax(Q[:, 2:] @ K[:, 2:].T / sqrt(2) + mask)
               H = X + hstack(P1 @ V[:, 0:2], P2 @ V[:, 2:]) @ Wo
               M = (H - mean(H, axis=1)) / sqrt(var(H, axis=1) + 0.00001) * gamma + beta
               O = H + gelu(M @ W1 + b1) @ W2 + b2
               L = cross_entropy_of_logits(O @ E.T, Y) / 3"""),
        {"X": (3, 4), "mask": (3, 3), "Y": (3, 5)},
        {
            "Wq": (4, 4),
            "Wk": (4, 4),
            "Wv": (4, 4),
            "Wo": (4, 4),
            "gamma": (1, 4),
            "beta": (1, 4),
            "W1": (4, 6),
            "b1": (1, 6),
            "W2": (6, 4),
            "b2": (1, 4),
            "E": (5, 4),
        },
        shares=("Y",),
        fixed={"mask": [[0, -30, -30], [0, 0, -30], [0, 0, 0]]},
    ),
    "convolution, stride and padding": Sample(
        _of("""C = conv2d(X, K1, stride=2, padding=1) + conv2d(X2, K2, 2, 1) + c
               A = leaky_relu(C, slope=0.2)
               M = max_pool(A, 2, stride=1)
               Z = reshape(M, 1, 4) @ W
               L = binary_cross_entropy(sigmoid(Z), Y)"""),
        {"X": (5, 5), "X2": (5, 5), "Y": (1, 2)},
        {"K1": (3, 3), "K2": (3, 3), "c": (1, 1), "W": (4, 2)},
        ("Y",),
        fixed={"Y": [[0.0, 1.0]]},
    ),
    "autoencoder with transposed convolution": Sample(
        _of("""H = relu(conv2d(X, K))
               P = mean_pool(H, 2)
               R = conv_transpose2d(P, T, stride=2)
               L = mean((R - X[0:4, 0:4]) ** 2)"""),
        {"X": (5, 5)},
        {"K": (2, 2), "T": (2, 2)},
    ),
    "variational autoencoder": Sample(
        _of("""h = softplus(X @ W1)
               mu = h @ Wm
               s = h @ Ws
               z = mu + exp(s / 2) * eps
               R = sigmoid(z @ Wd)
               K = -0.5 * sum(1 + s - mu ** 2 - exp(s))
               L = binary_cross_entropy(R, X) + K"""),
        {"X": (2, 3), "eps": (2, 2)},
        {"W1": (3, 4), "Wm": (4, 2), "Ws": (4, 2), "Wd": (2, 3)},
        ("X",),
    ),
    "mixture of experts": Sample(
        _of("""G = softmax(X @ Wg)
               E1 = silu(X @ A1)
               E2 = elu(X @ A2)
               O = G[:, 0] * E1 + G[:, 1] * E2
               L = sum(abs(O - Y)) + 0.1 * sum(mean(G, axis=0) ** 2)"""),
        {"X": (4, 3), "Y": (4, 2)},
        {"Wg": (3, 2), "A1": (3, 2), "A2": (3, 2)},
    ),
    "state space": Sample(
        _of("""a = exp(-softplus(d))
               s1 = a * s0 + x1 @ B
               s2 = a * s1 + x2 @ B
               s3 = a * s2 + x1 @ B
               y = vstack(s1, s2, s3) @ C
               L = half_squared_error(y, Y) / 3"""),
        {"x1": (1, 2), "x2": (1, 2), "s0": (1, 3), "Y": (3, 1)},
        {"d": (1, 3), "B": (2, 3), "C": (3, 1)},
    ),
    "embeddings": Sample(
        _of("""V = E[[2, 0, 2, 1]]
               h = max(V, axis=0) + mean(V, axis=0) + V[-1]
               c = E[1] @ V.T
               S = log_softmax(h @ U + sum(c) * u)
               L = -sum(S * Y)"""),
        {"Y": (1, 4)},
        {"E": (3, 2), "U": (2, 4), "u": (1, 4)},
    ),
    "batch norm": Sample(
        _of("""Z = X @ W
               m = mean(Z, axis=0)
               N = (Z - m) / sqrt(mean((Z - m) ** 2, axis=0) + 0.001)
               A = relu(gamma * N + beta)
               L = sum((A - Y) ** 2) / 8"""),
        {"X": (4, 3), "Y": (4, 2)},
        {"W": (3, 2), "gamma": (1, 2), "beta": (1, 2)},
    ),
    "graph convolution": Sample(
        _of("""H = relu(A @ X @ W1)
               Z = A @ H @ W2
               P = softmax(Z)
               L = cross_entropy(P, Y)"""),
        {"A": (3, 3), "X": (3, 2), "Y": (3, 2)},
        {"W1": (2, 3), "W2": (3, 2)},
        shares=("Y",),
    ),
    "contrastive": Sample(
        _of("""U = X @ W
               n = sqrt(sum(U * U, axis=1))
               C = U / n
               S = C @ C.T / t
               L = cross_entropy_of_logits(S, Y) + sum(softmax(S, axis=0) ** 2)"""),
        {"X": (3, 3), "Y": (3, 3)},
        {"W": (3, 2), "t": (1, 1)},
        ("t",),
        ("Y",),
    ),
    "powers and broken ones": Sample(
        _of("""a = X ** 3 + X ** -2 + X ** 0.5 + X ** 1.7 + X ** 0 + X ** 1
               b = -X ** 2 / (1 + exp(-X))
               c = maximum(a, b) - minimum(a, 2) + where(a > b, a, b * X)
               d = max(c) + var(c) + var(c, axis=0) @ X
               L = sum(d * log(X + 1))"""),
        {},
        {"X": (2, 2)},
        ("X",),
    ),
    "waves": Sample(
        _of("""F = sin(X @ W * pi) + cos(2 * X @ W)
               G = gelu(F, form="erf") + gelu(F)
               L = mean(detach(G) * G) + sum(F.T @ G)"""),
        {"X": (3, 1)},
        {"W": (1, 4)},
    ),
    "ties and kinks": Sample(
        _of("""r = relu(Z) + abs(Z) + leaky_relu(Z) + elu(Z)
               p = maximum(Z, 0) + minimum(Z, Z2)
               q = max(Z) + max(Z, axis=0) + max(Z, axis=1)
               t = max_pool(Z, 2, 1) + mean_pool(Z, 2, 1)
               w = where(Z >= Z2, Z, 2 * Z2) + where(Z < 0, Z, Z2)
               L = sum(r * p) + sum(q) + sum(t * t) + sum(w)"""),
        {},
        {"Z": (3, 3), "Z2": (3, 3)},
        fixed={"Z": [[0, 1, 1], [1, -1, 0], [1, 1, 0]], "Z2": [[0, 1, -1], [0, -1, 2], [1, 0, 0]]},
    ),
    "one sample and one unit": Sample(
        _of("""z = x @ W + b
               a = sigmoid(z)
               u = a @ V + c * a
               L = half_squared_error(u, y)"""),
        {"x": (1, 1), "y": (1, 1)},
        {"W": (1, 1), "b": (1, 1), "V": (1, 1), "c": (1, 1)},
    ),
    "conditions on rows and columns": Sample(
        _of("""A = where(r > 0, W, 2 * W) + where(c >= r, V, W)
               B = maximum(r, W) * minimum(c, V) + hstack(W, V)[:, 1:3]
               L = sum(where(r > 0, W, V)) + sum(A * B) + sum(maximum(c, V)) + sum(where(c > 0, r, c))"""),
        {"r": (1, 2)},
        {"W": (3, 2), "V": (3, 2), "c": (3, 1)},
        fixed={"r": [[1, -1]]},
    ),
    "a row with a column": Sample(
        _of("""D = (r - c) ** 2
               K = exp(-D / 2) @ X
               L = sum(K * c) / 4 - mean(D)"""),
        {"X": (3, 2)},
        {"r": (1, 3), "c": (2, 1)},
        fixed={},
    ),
}
