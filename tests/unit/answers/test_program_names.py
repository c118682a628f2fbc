"""What people call the matrices of programs: cs231n's names, makemore's, PyTorch's; nothing where two are meant."""

import pytest

from tracer.answers.key import Key, key_of
from tracer.problem.reading import load_any


def key(name: str) -> Key:
    return key_of(load_any(name))


def read(name: str, heading: str) -> set[str]:
    return {each.identifier for each in key(name).aliases.read(heading)}


NAMED = [
    ("self-attention-paper", "attn", "P"), ("self-attention-paper", "scores", "S"),
    ("self-attention-paper", "context", "H"), ("self-attention-paper", "dscores", "dS"),
    ("self-attention-paper", "grad_Wq", "dWq"), ("self-attention-paper", "Wq.grad", "dWq"),
    ("self-attention-paper", "∂L/∂Q", "dQ"), ("self-attention-paper", "new Wq", "Wq_next"),
    ("self-attention-paper", "Wq′", "Wq_next"),
    ("batch-norm-paper", "xhat", "n"), ("batch-norm-paper", "dxhat", "dn"), ("batch-norm-paper", "dvar", "dv"),
    ("batch-norm-paper", "sample_mean", "m"), ("batch-norm-paper", "bnvar", "v"),
    ("batch-norm-paper", "dgamma", "dgamma"),
    ("layer-norm", "x_norm", "N"), ("layer-norm", "dbeta", "dbeta"), ("layer-norm", "std", "s"),
    ("softmax", "logits", "Z"), ("softmax", "dlogits", "dZ"), ("softmax", "probs", "P"),
    ("tiny-gpt", "dlogits", "dZ"), ("tiny-gpt", "emb", "W"), ("skip-gram-paper", "dlogits", "ds"),
    ("rnn-paper", "h_1", "h1"), ("rnn-paper", "dh_2", "dh2"), ("rnn-paper", "Whh", "u"), ("rnn-paper", "dWhh", "du"),
    ("rnn-paper", "dWxh", "dw"), ("rnn-paper", "slope of h2", "h2_slope"),
    ("rnn", "dWhy", "dV"), ("rnn", "Whh", "U"), ("rnn", "dbh", "db"), ("rnn", "by", "c"),
    ("conv-paper", "kernel", "K"), ("conv-paper", "dkernel", "dK"), ("conv-paper", "conv_out", "C"),
    ("conv-paper", "pooled", "M"), ("lstm", "c_1", "c1"), ("lstm", "dc_2", "dc2"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "heading", "meant"), NAMED)
def test_a_usual_name_means_one_matrix(name: str, heading: str, meant: str) -> None:
    assert read(name, heading) == {meant}


@pytest.mark.parametrize(
    ("name", "heading"),
    [
        ("causal-heads", "attn"),
        ("causal-heads", "scores"),
        ("rnn-paper", "h_t"),
        ("lstm-paper", "dWhh"),
        ("rbf", "logits"),
    ],
)
def test_a_name_of_two_matrices_or_of_none_is_not_read(name: str, heading: str) -> None:
    assert read(name, heading) == set()


def test_an_identifier_is_no_usual_name_of_another() -> None:
    """`u` is a recurrent weight's usual name, `mean` a mean's: whoever has a matrix of this name means that."""
    for name in ("rnn-paper", "lstm-paper", "vae"):
        assert all(read(name, each) == {each} for each in key(name).values), name
