"""What the comments of the gallery's examples claim of their numbers is so."""

import numpy as np
from numpy.testing import assert_allclose

from tests.unit.test_example_gallery import recorded
from tracer.problem.reading import load_any


def of_first(name: str, *identifiers: str) -> list[np.ndarray]:
    return [recorded(name).first[each] for each in identifiers]


def test_the_perceptron_is_right_after_one_pattern_and_all_wrong_before() -> None:
    first, *others = recorded("perceptron").passes
    assert first["dW1"].all() and not any(one["dW1"].any() for one in others)
    X, Y = (np.concatenate([one[each] for one in [first, *others][:4]]) for each in "XY")
    assert ((X @ first["W1"] + first["b1"]) * Y < 0).all()


def test_in_the_lstm_on_paper_the_path_through_the_cell_state_is_the_larger() -> None:
    dc1, dc2, f2 = of_first("lstm-paper", "dc1", "dc2", "f2")
    assert np.abs(dc2 * f2) > np.abs(dc1 - dc2 * f2)


def test_the_gradient_of_the_recurrent_network_vanishes() -> None:
    dh1, dh3 = of_first("rnn", "dh1", "dh3")
    assert np.abs(dh1).max() < np.abs(dh3).max() / 10


def test_what_the_norms_say_of_their_gradients_holds() -> None:
    dx, dn = of_first("batch-norm-paper", "dx", "dn")
    assert_allclose(dx.sum(), 0, atol=1e-15)
    assert abs(dn.sum() / 3) > 0.1
    assert_allclose(of_first("batch-norm", "dZ")[0].sum(axis=0), 0, atol=1e-15)
    assert_allclose(of_first("layer-norm", "dZ")[0].sum(axis=1), 0, atol=1e-15)
    N, dZ = of_first("rms-norm", "N", "dZ")
    assert_allclose((N * dZ).sum(axis=1), 0, atol=2e-4)


def test_adam_starts_with_steps_of_the_learning_rate() -> None:
    w, new = of_first("adam-paper", "w", "w_next")
    assert_allclose(np.abs(new - w), 0.1, rtol=1e-6)
    assert_allclose(0.1 * 0.5 / np.sqrt(0.2), 0.112, atol=5e-4)  # without the correction


def test_the_dead_unit_of_the_residual_block_leaves_the_shortcut() -> None:
    A, dW1, dX = of_first("residual", "A", "dW1", "dX")
    assert not A[:, 2].any() and not dW1[:, 2].any() and dX.all()


def test_the_first_steps_of_the_optimizers_are_as_long_as_they_say() -> None:
    """In rates, or in gradients times the rate."""
    rates = {"adagrad": 1, "adam": 1, "rmsprop": 2.236}
    for name, long in rates.items():
        old, new = of_first(name, "W1", "W1_next")
        assert_allclose(np.abs(new - old) / load_any(name).learning_rate, long, rtol=1e-3)
    for name, long in {"momentum": 1, "nesterov": 1.9}.items():
        old, new, gradient = of_first(name, "W1", "W1_next", "dW1")
        assert_allclose((old - new) / load_any(name).learning_rate, long * gradient, rtol=1e-12)


def test_every_expert_works_and_no_score_but_the_fourth_is_beyond_the_margin() -> None:
    assert of_first("mixture-of-experts", "T")[0].any(axis=0).all()
    margins = of_first("svm", "m")[0].ravel()
    assert (margins[:2] > 0).all() and (margins[:2] < 1).all() and margins[2] < 0 and margins[3] > 1


def test_attention_on_paper_adds_up_along_the_rows_alone() -> None:
    (P,) = of_first("self-attention-paper", "P")
    assert_allclose(P.sum(axis=1), 1)
    assert np.abs(P.sum(axis=0) - 1).min() > 0.04


def test_both_ends_of_the_tiny_gpt_teach_every_word() -> None:
    assert of_first("tiny-gpt", "dE")[0].all()


def test_softmax_with_cross_entropy_comes_to_probability_less_target() -> None:
    for name in ("softmax", "rnn"):
        P, Y, dZ = of_first(name, "P", "Y", "dZ" if name == "softmax" else "dS")
        assert_allclose(dZ, (P - Y) / len(Y), atol=1e-15)


def test_the_discriminator_s_step_leaves_the_generator() -> None:
    assert not of_first("gan-discriminator", "dWg")[0].any()
