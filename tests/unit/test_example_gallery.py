"""The gallery's examples: right against PyTorch, of numbers that show something, small where they are for paper."""

import re
import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from tests import torch_methods, torch_networks, torch_paper, torch_sequences
from tracer.calculus.functions import FUNCTIONS
from tracer.expression import matrix as m
from tracer.expression import scalar as s
from tracer.expression import traversal
from tracer.expression.digits import fixed
from tracer.expression.lower import lower
from tracer.presentation.shown import shown
from tracer.problem.example_groups import ELEVEN_STEPS, EXAMPLE_GROUPS, ON_PAPER
from tracer.problem.reading import EXAMPLES, example_names, load_any
from tracer.run.passes import AnyProblem, Pass, Trace
from tracer.run.training import trace, train

MODELS = torch_paper.MODELS | torch_sequences.MODELS | torch_networks.MODELS | torch_methods.MODELS
GALLERY = [name for group in EXAMPLE_GROUPS if group != ELEVEN_STEPS for name in EXAMPLE_GROUPS[group]]

OPTIMIZERS: dict[str, Callable[[list[torch.Tensor]], torch.optim.Optimizer]] = {
    "momentum-paper": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.5),
    "adam-paper": lambda p: torch.optim.Adam(p, lr=0.1, betas=(0.5, 0.8)),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
    "nesterov": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True),
    "adagrad": lambda p: torch.optim.Adagrad(p, lr=0.1),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.05, alpha=0.8),
    "adam": lambda p: torch.optim.Adam(p, lr=0.1),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.1, weight_decay=0.1),
}

# What is 0 on purpose; each file says why.
STILL = {
    "perceptron": {"W1", "b1"},  # from the second pattern on it is right
    "skip-gram-paper": {"E", "U"},  # words that took no part
    "residual": {"W1", "b1", "W2"},  # a dead unit
    "cbow": {"E"},
    "skip-gram": {"E", "U"},
    "gan-discriminator": {"Wg"},  # what the generator made is detached
}


@cache
def recorded(name: str) -> Trace[AnyProblem]:
    problem = load_any(name)
    return trace(problem, range(1, problem.epochs + 1))


def text_of(name: str) -> str:
    return (EXAMPLES / f"{name}.toml").read_text(encoding="utf-8")


def gradient_of(one: Pass, parameter: str) -> np.ndarray:
    (found,) = [each for each in one.program.assignments.values() if each.role == "gradient" and each.of == parameter]
    return one[found.id]


def made_forward(one: Pass) -> Iterator[tuple[str, m.Matrix]]:
    """The matrices that the forward pass computes."""
    for each in one.program.assignments.values():
        if each.role in ("intermediate", "loss") and each.expression is not None:
            yield each.id, each.expression


def test_every_file_is_in_one_group() -> None:
    named = [name for names in EXAMPLE_GROUPS.values() for name in names]
    assert sorted(named) == example_names()


def test_the_readme_lists_them_by_group() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| ([^|:]+)[^|]* \| ((?:`[\w-]+`(?:, )?)+) \|$", readme, re.MULTILINE))
    for group, names in EXAMPLE_GROUPS.items():
        assert rows[group].split(", ") == [f"`{name}`" for name in names]


@pytest.mark.parametrize("name", GALLERY)
def test_an_example_explains_itself(name: str) -> None:
    document = tomllib.loads(text_of(name))
    assert len(document["title"]) <= 70 and document["title"] == load_any(name).title
    assert 1 <= len(re.findall(r"[.?!](?= |$)", document["description"])) <= 3
    assert text_of(name).count("\n# Often got wrong: ") == 1
    assert all(step.get("title") and step.get("words") for step in document.get("steps", []))
    assert max(map(len, text_of(name).splitlines())) <= 120


def test_every_title_is_its_own() -> None:
    titles = [load_any(name).title for name in example_names()]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("name", GALLERY)
def test_pytorch_finds_the_same(name: str) -> None:
    """The loss, every gradient and every new parameter, pass by pass."""
    run = recorded(name)
    leaves = {each: torch.tensor(run.first[each], requires_grad=True) for each in run.first.program.parameters}
    wanted = tomllib.loads(text_of(name)).get("with_respect_to", [])
    optimizer = OPTIMIZERS.get(name, lambda p: torch.optim.SGD(p, lr=run.problem.learning_rate))(list(leaves.values()))
    for one in run.passes:
        given = {each: torch.tensor(one[each], requires_grad=each in wanted) for each in one.program.given}
        optimizer.zero_grad()
        loss = MODELS[name](SimpleNamespace(**given, **leaves))
        loss.backward()
        assert_allclose(one.loss, loss.item(), rtol=1e-12)
        for each, tensor in (leaves | {each: given[each] for each in wanted}).items():
            found = torch.zeros_like(tensor) if tensor.grad is None else tensor.grad  # None: nothing led there
            assert_allclose(gradient_of(one, each), found.numpy(), rtol=1e-9, atol=1e-13, err_msg=each)
        optimizer.step()
        for each, tensor in leaves.items():
            new = one[one.program.carried[each]]
            assert_allclose(new, tensor.detach().numpy(), rtol=1e-9, atol=1e-13, err_msg=each)


@pytest.mark.parametrize("name", GALLERY)
def test_every_parameter_moves_in_the_digits_that_are_shown(name: str) -> None:
    run = recorded(name)
    digits = shown(run, run.first)
    for each in set(run.first.program.parameters) - STILL.get(name, set()):
        new = run.first.program.carried[each]
        places = digits.decimals[new]
        assert places is not None and places <= 5, f"{each}: {places} decimals are needed to see it move"
        pairs = zip(run.first[each].ravel(), run.first[new].ravel(), strict=True)
        assert all(fixed(old, places) != fixed(moved, places) for old, moved in pairs), each
        assert (gradient_of(run.first, each) != 0).any(axis=1).all(), f"{each}: a row of its gradient is 0"


@pytest.mark.parametrize("name", GALLERY)
def test_the_loss_falls_and_goes_on_falling(name: str) -> None:
    run = train(load_any(name), 20)
    assert run.losses[1] < run.losses[0] and run.final.loss < 0.9 * run.losses[0]


def test_what_stays_stays() -> None:
    """The exceptions are real ones: in each there is something that does not move."""
    for name, still in STILL.items():
        for each in still:
            one = recorded(name).last
            assert (one[each] == one[one.program.carried[each]]).any(), f"{name}: all of {each} moves"


@pytest.mark.parametrize("name", GALLERY)
def test_the_numbers_can_be_typed(name: str) -> None:
    """One digit or two, and a loss that has something to say."""
    one = recorded(name).first
    typed = np.concatenate([one[each].ravel() for each in (*one.program.given, *one.program.parameters)])
    assert all(float(f"{value:.2g}") == value for value in typed)
    assert 0.02 < one.loss < 20


SATURATED = 0.98
BOUNDED = [FUNCTIONS[each].value for each in ("sigmoid", "tanh")]


@pytest.mark.parametrize("name", GALLERY)
def test_no_activation_is_saturated_dead_or_zero(name: str) -> None:
    for one in recorded(name).passes:
        for each, expression in made_forward(one):
            value = one[each]
            if isinstance(expression, m.Apply) and expression.template in BOUNDED:
                assert np.abs(value).max() < SATURATED, f"{each} is saturated"
                if expression.template == BOUNDED[0]:
                    assert value.min() > 1 - SATURATED, f"{each} is saturated"
            if isinstance(expression, m.StableForm) and name not in MASKED:  # a softmax
                assert value.max() < SATURATED, f"{each} is saturated"
            if isinstance(expression, m.Apply) and expression.template == FUNCTIONS["relu"].value:
                units = value.reshape(-1, 1) if name in IMAGES else value  # one kernel, or a unit in each column
                assert name in DEAD or (units > 0).any(axis=0).all(), f"{each}: a unit is dead in every sample"
            assert name in ZERO or (value != 0).any(axis=1).all() or one.program.loss == each, f"{each}: a row of 0"


MASKED = {"causal-heads", "tiny-gpt"}  # the first token sees itself alone
IMAGES = {"conv-paper", "conv"}
DEAD = {"residual"}  # on purpose
ZERO = {*DEAD, "svm"}  # a sample beyond the margin


def exponentials(one: Pass) -> int:
    """How often somebody presses the key e^x or tanh on the way forward; equal ones in a row are worked once."""

    def pressed(expression: s.Scalar) -> Iterator[s.Scalar]:
        if isinstance(expression, s.Stable):
            yield from pressed(expression.shown)
            return
        if isinstance(expression, s.Fold):
            expression = s.expand(expression)
        if isinstance(expression, s.Exp | s.Tanh):
            yield expression
        for part in s.children(expression):
            yield from pressed(part)

    found = set()
    for each, expression in made_forward(one):
        shown_ = traversal.rewrite(expression, lambda node: node.shown if isinstance(node, m.StableForm) else None)
        places = np.ndindex(*expression.shape)
        found |= {(each, key) for place in places for key in pressed(lower(shown_, *place))}
    return len(found)


MOST_ASKED, MOST_EXPONENTIALS = 45, 12


@pytest.mark.parametrize("name", example_names(ON_PAPER))
def test_what_is_for_paper_fits_on_it(name: str) -> None:
    passes = list(recorded(name).passes)
    asked = sum(one[each].size for one in passes for each, _ in made_forward(one))
    assert asked <= MOST_ASKED
    assert sum(map(exponentials, passes)) <= MOST_EXPONENTIALS


def test_exponentials_are_counted_as_they_are_pressed() -> None:
    counted = {name: exponentials(recorded(name).first) for name in ("mlp-paper", "softmax", "lstm-paper", "dropout")}
    assert counted == {"mlp-paper": 6, "softmax": 6, "lstm-paper": 10, "dropout": 0}
