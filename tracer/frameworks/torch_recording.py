"""What PyTorch records of a model, made plain: no regions without gradients, and no writing into parts of a value."""

from __future__ import annotations

import linecache
import re
import traceback
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import Any

from tracer.errors import ProblemError
from tracer.frameworks.optional import framework
from tracer.frameworks.refusals import why_not

OWN_FRAME = "torch_inputs.py"  # the file that calls the model
_LONGEST = 200  # letters of what another program says
_BY_NUMBERS = re.compile(r"data-dependent|unbacked|\.item\(\)|u0")


def recorded(whole: Any, arguments: tuple[Any, ...], name: str) -> Any:
    """The program that torch.export records, plain. Raises ProblemError with the module and the line of code."""
    torch = framework("torch", "torch")
    try:
        with warnings.catch_warnings(), _without_looking(torch):
            warnings.simplefilter("ignore")
            made = torch.export.export(whole, arguments, strict=False)
            _inline_regions(torch, made.graph_module, name)
            return made.run_decompositions({}) if _writes_into_parts(torch, made.graph.nodes) else made
    except ProblemError:
        raise
    except Exception as wrong:
        raise _unrecorded(whole, wrong, name) from wrong


@contextmanager
def _without_looking(torch: Any) -> Iterator[None]:
    """Nothing looks into numbers while a model is recorded: transformers into their masks, to see whether they are
    causal and can be done faster; distributions into what they are given, which was fit when the model was run."""
    rooms, kind = torch.nn.modules.transformer, torch.distributions.Distribution
    before, checks = getattr(rooms, "_detect_is_causal_mask", None), kind._validate_args
    if before is not None:
        rooms._detect_is_causal_mask = lambda mask, is_causal=None, size=None: bool(is_causal)
    kind.set_default_validate_args(False)
    try:
        yield
    finally:
        kind.set_default_validate_args(checks)
        if before is not None:
            rooms._detect_is_causal_mask = before


def _unrecorded(whole: Any, wrong: Exception, name: str) -> ProblemError:
    """What torch.export says, with the module and the line of the model's own code."""
    says = first_line(wrong)
    hint = "; take over the part of the model before or after it"
    if _BY_NUMBERS.search(says):
        hint = "; it depends on computed numbers, as an if, .item() or a mask of shapes: write it with torch.where"
    paths = {id(each): key for key, each in whole.named_modules()}
    place, source = "", ""
    for frame, line in traceback.walk_tb(wrong.__traceback__):
        if frame.f_locals.get("batch_sizes") is not None:  # inside a recurrent layer of PyTorch's
            says, hint = "a packed sequence", f" {why_not('_pack_padded_sequence')}"
        place = paths.get(id(frame.f_locals.get("self")), place)
        file = frame.f_code.co_filename
        if is_own_code(file):
            code = linecache.getline(file, line).strip()
            source = f" ({PurePath(file).name}:{line}: {code})" if code else source
    module = place.removeprefix("model").removeprefix(".")
    return ProblemError(
        f"{name}.{module}" if module else name, "", f"torch.export cannot record it: {says}{hint}{source}"
    )


def is_own_code(file: str) -> bool:
    """Whether a file is the model's own code, and neither PyTorch's nor the one that calls the model."""
    plain = file.replace("\\", "/")
    hidden = plain.startswith("<") or PurePath(plain).name in (OWN_FRAME, PurePath(__file__).name)
    return not hidden and "/torch/" not in plain


def first_line(wrong: Exception) -> str:
    return (str(wrong).strip().splitlines() or [type(wrong).__name__])[0][:_LONGEST]


def taken_apart(torch: Any, program: Any, unknown: set[Any]) -> Any:
    """The same program, in which PyTorch itself takes apart operations that have no rule; None where it cannot."""
    ways = torch.export.default_decompositions()
    table = {each: ways[each] for each in unknown if each in ways}
    if not table:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return program.run_decompositions(table)


def user_outputs(program: Any, outputs: Iterable[Any]) -> list[Any]:
    """What the model itself gives, of all that a program gives: a changed buffer is none of it."""
    kinds = [each.kind.name for each in program.graph_signature.output_specs]
    return [each for each, kind in zip(outputs, kinds, strict=True) if kind == "USER_OUTPUT"]


def _inline_regions(torch: Any, module: Any, name: str) -> None:
    """`with torch.no_grad():` as what it does: no gradient goes through what leaves it."""
    region = torch.ops.higher_order.wrap_with_set_grad_enabled
    found = [node for node in module.graph.nodes if node.target is region]
    for node in found:
        enabled, body, *given = node.args
        inner = getattr(module, body.target).graph
        if any(each.target is region for each in inner.nodes):
            raise ProblemError(name, "", "gradients are turned on within torch.no_grad(), which is not known")
        values = dict(zip([each for each in inner.nodes if each.op == "placeholder"], given, strict=True))
        with module.graph.inserting_before(node):
            made = module.graph.graph_copy(inner, values)
            made = list(made) if isinstance(made, list | tuple) else [made]
            if not enabled:
                made = [_detached(torch, module.graph, each) for each in made]
        for user in list(node.users):
            user.replace_all_uses_with(made[user.args[1]])
            module.graph.erase_node(user)
        module.graph.erase_node(node)
    if found:
        module.recompile()


def _detached(torch: Any, graph: Any, node: Any) -> Any:
    made = graph.call_function(torch.ops.aten.detach.default, (node,))
    made.meta = dict(node.meta)
    return made


def _writes_into_parts(torch: Any, nodes: Iterable[Any]) -> bool:
    """Whether something is changed in place that shares its numbers with another value."""
    for node in nodes:
        schema = getattr(node.target, "_schema", None)
        changed = node.args[0] if schema is not None and schema.is_mutable and node.args else None
        if not isinstance(changed, torch.fx.Node):
            continue
        if _is_part(changed) or any(_is_part(user) for user in changed.users if user is not node):
            return True
    return False


def _is_part(node: Any) -> bool:
    """Whether a value may be a view of another."""
    schema = getattr(node.target, "_schema", None)
    if schema is None:
        return bool(node.op == "call_function")  # one of several values of another node
    return any(each.alias_info is not None and not each.alias_info.is_write for each in schema.returns)
