"""Modules of PyTorch, taken over: every intermediate and every gradient as PyTorch has it."""

import sys
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812 - as everybody calls it

from tests.torch_modules import FIFTEEN, OTHERS, Case, precise
from tracer.api import load, trace
from tracer.errors import TracerError
from tracer.frameworks.graph import Ref
from tracer.frameworks.models import from_sklearn, from_torch
from tracer.frameworks.pytorch import graph_of_torch
from tracer.frameworks.writing import write_program
from tracer.problem.problem import Problem
from tracer.problem.reading import problem_of_table
from tracer.run.passes import AnyProblem, Trace

CLOSE = 1e-10


def gradients(problem: AnyProblem, run: Trace[Any]) -> dict[str, Any]:
    """The derived gradients, in the shapes of the model's parameters."""
    names = {name for placed in problem.origin.values() for name, _, _ in placed.parts}
    found = {name: run[f"d{name}"] for name in names}
    return {key: placed.gathered(found) for key, placed in problem.origin.items()}


def autograd(case: Case) -> tuple[float, dict[str, Any]]:
    """PyTorch's loss, and its gradients by the parameters' names."""
    loss = case.run()
    named = dict(case.module.named_parameters())
    found = torch.autograd.grad(loss, list(named.values()), allow_unused=True)
    told = {key: each for key, each in zip(named, found, strict=True) if each is not None}
    return loss.item(), {key: each.numpy() for key, each in told.items()}


@pytest.mark.parametrize("name", [*FIFTEEN, *OTHERS])
def test_every_gradient_is_that_of_autograd(name: str) -> None:
    with precise():
        case = {**FIFTEEN, **OTHERS}[name]()
        problem = from_torch(case.module, case.inputs, case.targets, loss=case.loss)
        loss, expected = autograd(case)
    run = trace(problem)
    assert abs(run.last.loss - loss) < CLOSE
    found = gradients(problem, run)
    assert found.keys() == expected.keys()
    for key, each in expected.items():
        np.testing.assert_allclose(found[key], each, rtol=0, atol=CLOSE, err_msg=key)
    assert load(problem.to_document()).sha256 == problem.sha256


class Recorder(torch.fx.Interpreter):
    """Runs what was exported, and keeps the value of every node."""

    def __init__(self, module: Any) -> None:
        super().__init__(module)
        self.made: dict[str, Any] = {}

    def run_node(self, n: Any) -> Any:
        made = super().run_node(n)
        self.made[n.name] = made.detach().clone() if torch.is_tensor(made) else made
        return made


@pytest.mark.parametrize("name", [*FIFTEEN, "tied language", "pieces", "two layers both ways"])
def test_every_intermediate_is_that_of_the_framework(name: str) -> None:
    with precise():
        case = {**FIFTEEN, **OTHERS}[name]()
        graph, reading = graph_of_torch(case.module, case.inputs, case.targets, case.loss, {}, "", "m")
        state = {**reading.exported.state_dict, **reading.exported.constants}
        inputs = list(case.inputs) if isinstance(case.inputs, tuple) else [case.inputs]
        specs = reading.exported.graph_signature.input_specs
        values = [inputs.pop(0) if each.kind.name == "USER_INPUT" else state[each.target] for each in specs]
        recorder = Recorder(reading.exported.graph_module)
        recorder.run(*(each.detach().clone() for each in values))
    written = write_program(graph, "m", {"learning_rate": 0.1})
    run = trace(problem_of_table(written.document, "m"))
    compared = 0
    for node, ref in reading.values.items():
        if not isinstance(ref, Ref) or not torch.is_tensor(recorder.made.get(node)):
            continue
        expected = recorder.made[node].numpy().ravel()
        for matrix, of_tensor, of_matrix in written.places(ref.name, ref.part):
            made = run[matrix].ravel()[of_matrix]
            finite = np.isfinite(expected[of_tensor])  # a mask's minus infinity is a large number here
            np.testing.assert_allclose(made[finite], expected[of_tensor][finite], rtol=0, atol=CLOSE, err_msg=node)
            compared += 1
    assert compared >= 3


def test_a_plain_network_has_the_eleven_steps_and_everything_else_is_a_program() -> None:
    with precise():
        layered, program = (FIFTEEN[name]() for name in ("mlp", "layer norm"))
        taken = from_torch(layered.module, layered.inputs, layered.targets, loss="cross_entropy")
        other = from_torch(program.module, program.inputs, program.targets, loss="cross_entropy")
    assert isinstance(taken, Problem) and taken.loss == "cross_entropy"
    assert np.array_equal(taken.layers[0].weights, layered.module[0].weight.detach().numpy().T)
    assert not isinstance(other, Problem) and "layer_1_weight" in other.forward.parameters


def test_modules_keep_their_names() -> None:
    with precise():
        case = OTHERS["tied language"]()
        problem = from_torch(case.module, case.inputs, case.targets, loss="cross_entropy")
    titles = [step["title"] for step in problem.to_document()["steps"]]
    assert "mix: Linear" in titles and "head: Linear" in titles
    assert "table.weight" in problem.origin and "head.weight" not in problem.origin  # one matrix, used twice


def test_labels_are_taken_by_plain_losses_and_probabilities_by_a_model_that_ends_in_softmax() -> None:
    with precise():
        model = nn.Sequential(nn.Linear(3, 2), nn.Softmax(dim=1))
        x = torch.randn(3, 3)
        problem = from_torch(model, x, [0, 1, 1], loss="cross_entropy")
        expected = F.nll_loss(model(x).log(), torch.tensor([0, 1, 1]))
    assert abs(trace(problem).last.loss - expected.item()) < CLOSE


def test_single_precision_is_near() -> None:
    torch.manual_seed(3)
    model = nn.Sequential(nn.Conv2d(1, 2, 2), nn.BatchNorm2d(2), nn.GELU(), nn.Flatten(), nn.Linear(8, 2))
    case = Case(model, torch.randn(2, 1, 3, 3), torch.tensor([0, 1]))
    problem = from_torch(model, case.inputs, case.targets, loss="cross_entropy")
    loss, expected = autograd(case)
    run = trace(problem)
    assert abs(run.last.loss - loss) < 1e-6
    for key, each in gradients(problem, run).items():
        np.testing.assert_allclose(each, expected[key], rtol=0, atol=1e-6)


def test_the_model_is_left_as_it_was() -> None:
    torch.manual_seed(3)
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
    before = {key: each.clone() for key, each in model.state_dict().items()}
    from_torch(model, np.ones((3, 3)), np.ones(3), loss="mse_loss")
    assert all(torch.equal(each, before[key]) for key, each in model.state_dict().items()) and model.training


def test_a_function_has_as_parameters_what_asks_for_a_gradient() -> None:
    def step(x: Any, w: Any) -> Any:
        hidden = torch.tanh(x @ w)
        return (hidden**2).mean()

    x, w = torch.randn(3, 2, dtype=torch.float64), torch.randn(2, 2, dtype=torch.float64, requires_grad=True)
    problem = from_torch(step, (x, w))
    step(x, w).backward()
    run = trace(problem)
    assert set(problem.origin) == {"w"} and "hidden" in run.last.matrices
    np.testing.assert_allclose(run["dw"], w.grad.numpy(), atol=CLOSE)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
        ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.2, "weight_decay": 0.1}),
        ("Adam", {"lr": 0.01, "betas": (0.8, 0.9)}),
        ("Adam", {"lr": 0.01, "weight_decay": 0.1, "decoupled_weight_decay": True}),
        ("AdamW", {"lr": 0.01}),
        ("RMSprop", {"lr": 0.01, "centered": True}),
        ("Adagrad", {"lr": 0.1}),
    ],
)
@pytest.mark.parametrize(("name", "before"), [("layer norm", 0), ("layer norm", 3), ("mlp", 2)])
def test_an_optimizer_makes_the_same_step(kind: str, options: dict[str, Any], name: str, before: int) -> None:
    """Also one that has made steps before, with what it has kept of them."""
    with precise():
        case = FIFTEEN[name]()
        optimizer = getattr(torch.optim, kind)(case.module.parameters(), **options)
        for _ in range(before):
            optimizer.zero_grad()
            case.run().backward()
            optimizer.step()
        optimizer.zero_grad()
        problem = from_torch(case.module, case.inputs, case.targets, loss="cross_entropy", optimizer=optimizer)
        case.run().backward()
        optimizer.step()
    run = trace(problem)
    for key, parameter in case.module.named_parameters():
        made = {name: run[f"{name}_next"] for name, _, _ in problem.origin[key].parts}
        np.testing.assert_allclose(problem.origin[key].gathered(made), parameter.detach().numpy(), atol=CLOSE)


def test_what_an_optimizer_was_not_given_stays_as_it_is() -> None:
    with precise():
        case = FIFTEEN["mlp"]()
        optimizer = torch.optim.SGD(case.module[2].parameters(), lr=0.1)
        problem = from_torch(case.module, case.inputs, case.targets, loss="cross_entropy", optimizer=optimizer)
        _, expected = autograd(case)
    run = trace(problem)
    found = gradients(problem, run)
    for key, each in expected.items():
        np.testing.assert_allclose(found[key], each, rtol=0, atol=CLOSE, err_msg=key)
    changed = {name for name in run.last.matrices if name.endswith("_next")}
    assert len(changed) == 2 and "0.weight, 0.bias" in (problem.description or "")


def test_dropout_is_off_unless_its_mask_is_given() -> None:
    with precise():
        model = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5), nn.Linear(4, 1))
        x, y, mask = torch.randn(2, 3), torch.randn(2, 1), torch.tensor([[1.0, 0, 1, 1], [0, 1, 1, 0]])
        off = from_torch(model, x, y, loss="mse_loss")
        given = from_torch(model, x, y, loss="mse_loss", masks={"1": mask})
        expected = F.mse_loss(model[2](model[0](x) * mask / 0.5), y).item()
        without = F.mse_loss(model.eval()(x), y).item()
    assert abs(trace(off).last.loss - without) < CLOSE and "Dropout is off here (1)" in (off.description or "")
    assert abs(trace(given).last.loss - expected) < CLOSE


class Gamma(nn.Module):
    def forward(self, x: Any) -> Any:
        return torch.lgamma(x)


def test_what_is_not_known_is_named_with_operator_module_and_line() -> None:
    model = nn.Sequential()
    model.features = nn.Sequential(nn.Linear(4, 4), Gamma())
    with pytest.raises(TracerError) as refused:
        from_torch(model, torch.ones(1, 4), torch.ones(1, 4), loss="mse_loss")
    says = str(refused.value)
    assert says.startswith("model.features[1]: aten.lgamma is not known; take over the part")
    assert "test_pytorch.py" in says and "return torch.lgamma(x)" in says


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"loss": "cross_entropi"}, "cross_entropi.*did you mean"),
        ({"targets": None}, "targets: found none"),
        ({"inputs": np.ones((3, 7))}, "inputs: the model does not take them"),
        ({"targets": np.array([0, 1, 5])}, "labels"),
    ],
)
def test_what_does_not_fit_is_said(changes: dict[str, Any], says: str) -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 2))
    given = {"inputs": np.ones((3, 3)), "targets": np.array([0, 1, 1]), "loss": "cross_entropy"} | changes
    with pytest.raises(TracerError, match=says):
        from_torch(model, given["inputs"], given["targets"], loss=given["loss"])


@pytest.mark.parametrize("block", ["layers.1", "layers.0.self_attn", "head"])
def test_an_excerpt_has_the_gradients_of_the_whole(block: str) -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.ModuleList(
                nn.TransformerEncoderLayer(4, 2, 4, dropout=0.0, batch_first=True) for _ in range(2)
            )
            self.head = nn.Linear(4, 2)

        def forward(self, x: Any) -> Any:
            for layer in self.layers:
                x = layer(x)
            return self.head(x.mean(dim=1))

    with precise():
        case = Case(Two(), torch.randn(2, 3, 4), torch.tensor([0, 1]))
        problem = from_torch(case.module, case.inputs, case.targets, loss="cross_entropy", block=block)
        _, expected = autograd(case)
    found = gradients(problem, trace(problem))
    assert found.keys() == {key for key in expected if key.startswith(f"{block}.")}
    for key, each in found.items():
        np.testing.assert_allclose(each, expected[key], rtol=0, atol=CLOSE)
    assert "An excerpt" in (problem.description or "")


def test_the_first_units_have_the_numbers_of_the_whole() -> None:
    model = nn.Sequential(nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 3)).double()
    x, y = torch.randn(2, 784, dtype=torch.float64), torch.tensor([0, 2])
    problem = from_torch(model, x, y, loss="cross_entropy", units=3)
    run = trace(problem)
    loss, expected = autograd(Case(model, x, y))
    assert abs(run.last.loss - loss) < CLOSE and "first 3 units of each layer" in (problem.description or "")
    with torch.no_grad():
        hidden = model[:4](x)[:, :3].numpy()
    made = [each for each in run.last.matrices.values() if each.shape == hidden.shape]
    assert any(np.allclose(each, hidden, rtol=0, atol=CLOSE) for each in made)
    found = gradients(problem, run)
    assert found.keys() == expected.keys() and found["0.weight"].shape == (3, 3) and found["4.weight"].shape == (3, 3)
    for key, each in found.items():
        part = expected[key][tuple(map(slice, each.shape))]
        np.testing.assert_allclose(each, part, rtol=0, atol=CLOSE, err_msg=key)
    with pytest.raises(TracerError, match=r"model\.1: units: LayerNorm takes all units of a layer together"):
        from_torch(nn.Sequential(nn.Linear(9, 8), nn.LayerNorm(8), nn.Linear(8, 2)), torch.ones(1, 9),
                   torch.tensor([0]), loss="cross_entropy", units=2)  # fmt: skip


def test_what_is_too_large_is_refused_with_its_sizes_and_an_excerpt_is_offered() -> None:
    model = nn.Sequential(nn.Linear(784, 600), nn.LayerNorm(600), nn.Linear(600, 2))
    x, y = torch.zeros(3, 784), torch.tensor([0, 1, 1])
    with pytest.raises(TracerError, match=r"473,402 parameters, and 0\.weight is 600×784.*samples=1, units=4, or bl"):
        from_torch(model, x, y, loss="cross_entropy")
    with pytest.raises(TracerError, match="block: found '7', expected a part of the model: 0, 1, 2"):
        from_torch(model, x, y, loss="cross_entropy", block="7")
    small = from_torch(nn.Linear(2, 2), torch.eye(2), torch.tensor([0, 1]), loss="cross_entropy", samples=1)
    assert isinstance(small, Problem) and small.rows == 1


def test_a_framework_that_is_missing_is_said_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(TracerError, match=r'sklearn is not installed: pip install "backprop-tracer\[sklearn\]"'):
        from_sklearn(object(), [[1.0]], [1])


def test_inputs_by_name_go_to_the_arguments_of_that_name() -> None:
    class Named(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(2, 1)

        def forward(self, a: Any, *, scale: Any = 1.0, b: Any = None) -> Any:
            return self.fc(a - b) * scale

    with precise():
        model, a, b = Named(), torch.randn(2, 2), torch.randn(2, 2)
        problem = from_torch(model, {"b": b, "a": a}, torch.zeros(2, 1), loss="mse_loss")
        expected = (model(a, b=b) ** 2).mean().item()
    assert abs(trace(problem).last.loss - expected) < CLOSE and {"a", "b"} <= set(problem.to_document()["given"])


class OfNumbers(nn.Module):
    """A function of numbers that no parameter goes into, times a weight."""

    def __init__(self, function: Any) -> None:
        super().__init__()
        self.function, self.weight = function, nn.Parameter(torch.tensor([0.5, -1.0, 2.0]))
        self.register_buffer("numbers", torch.tensor([0.3, 1.7, 2.2]))
        self.register_buffer("others", torch.tensor([0.9, 0.2, 0.4]))

    def forward(self, x: Any) -> Any:
        return x * self.weight * self.function(self.numbers, self.others)


FOLDED = {
    **{each.__name__: (lambda a, b, f=each: f(a)) for each in (
        torch.relu, torch.sigmoid, torch.tanh, torch.exp, torch.log, torch.log2, torch.log1p, torch.expm1, torch.sqrt,
        torch.rsqrt, torch.abs, torch.sin, torch.cos, torch.tan, torch.sinh, torch.neg, torch.square,
        torch.reciprocal, F.silu, F.mish, F.softsign, F.logsigmoid, F.hardswish, F.relu6, F.selu, F.gelu, F.elu,
        F.softplus, F.softshrink, torch.sign,
    )},
    "arithmetic": lambda a, b: (a - 2 * b) / (a + b) ** 1.5 - torch.maximum(a, b) * torch.where(a > 1, a, b),
    "clamp": lambda a, b: torch.clamp(a, 0.5, 2.0) + torch.lerp(a, b, 0.3),
    "mse_loss": lambda a, b: F.mse_loss(a, b),
    "l1_loss": lambda a, b: F.l1_loss(a, b),
    "smooth_l1_loss": lambda a, b: F.smooth_l1_loss(a, b),
    "huber_loss": lambda a, b: F.huber_loss(a, b, delta=0.7),
    "bce_with_logits": lambda a, b: F.binary_cross_entropy_with_logits(a, b),
    "bce": lambda a, b: F.binary_cross_entropy(torch.sigmoid(a), b),
    "kl_div": lambda a, b: F.kl_div(torch.log(b), torch.softmax(a, 0), reduction="batchmean"),
    "soft_margin_loss": lambda a, b: F.soft_margin_loss(a, torch.sign(b - 0.3)),
    "poisson": lambda a, b: F.poisson_nll_loss(a, b),
    "cosine": lambda a, b: F.cosine_similarity(a[None], b[None]),
}  # fmt: skip


@pytest.mark.parametrize("name", FOLDED)
def test_what_is_made_of_numbers_alone_is_what_its_formula_gives(name: str) -> None:
    with precise():
        module, x = OfNumbers(FOLDED[name]), torch.tensor([[0.2, 0.4, -0.6], [1.0, 0.5, 0.3]])
        problem = from_torch(module, x, torch.ones(2, 3), loss="mse_loss")
        loss = F.mse_loss(module(x), torch.ones(2, 3))
        (expected,) = torch.autograd.grad(loss, [module.weight])
    run = trace(problem)
    assert abs(run.last.loss - loss.item()) < CLOSE
    np.testing.assert_allclose(gradients(problem, run)["weight"].ravel(), expected.numpy(), rtol=0, atol=CLOSE)
