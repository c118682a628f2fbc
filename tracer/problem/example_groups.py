"""The built-in examples in groups, as `tracer examples` lists them. A new one is a file, and its name here."""

from __future__ import annotations

from collections.abc import Mapping

ELEVEN_STEPS = "The eleven steps"
ON_PAPER = "For pencil and paper"

EXAMPLE_GROUPS: Mapping[str, tuple[str, ...]] = {
    ELEVEN_STEPS: (
        "article", "article-seed42", "article-seed42-training", "blobs", "hand", "linear-regression",
        "logistic-regression", "mazur", "moons", "softmax-classifier", "xor",
    ),
    ON_PAPER: (
        "mlp-paper", "perceptron", "adaline", "softmax", "conv-paper", "self-attention-paper", "rnn-paper",
        "momentum-paper", "adam-paper", "lstm-paper", "batch-norm-paper", "skip-gram-paper", "graph", "dropout",
    ),
    "Recurrent networks": ("rnn", "lstm", "gru", "seq2seq", "mamba"),
    "Attention": ("self-attention", "causal-heads", "transformer-block", "tiny-gpt"),
    "Images": ("conv", "transposed-conv"),
    "Depth and normalisation": ("residual", "batch-norm", "layer-norm", "rms-norm"),
    "Words and pairs": ("cbow", "skip-gram", "siamese", "clip", "matrix-factorisation"),
    "Networks that generate": ("autoencoder", "vae", "gan-discriminator", "gan-generator", "diffusion"),
    "Graphs, experts and ways to learn": (
        "graph-conv", "mixture-of-experts", "reinforce", "distillation", "lora",
    ),
    "One layer": ("logistic-l2", "softmax-regression", "svm", "rbf"),
    "Optimizers, three epochs each": ("momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw"),
}  # fmt: skip
