"""Why an operation cannot be taken over, where more can be said than that it is not known; and what to do."""

from __future__ import annotations

_ORDER = "picks by the order of computed numbers, which no formula here tells; look up places that are given (gather)"
_ROUNDS = "makes whole numbers of computed ones, which lets no gradient through; leave it out, or give them as an input"
_DRAWN = "draws random numbers that depend on computed ones; draw them before, and give them as an input"
_SOLVES = "solves equations, and no formula here does; work it out before and give it as an input"
_LOOPS = "runs other operators again, or not at all; export the model with its loops written out"
UNKNOWN = "is not known; take over the part of the model before or after it, as in model.head"
WHY = {
    **dict.fromkeys(("mode", "cummax", "cummin", "unique", "_unique2", "unique_dim", "searchsorted"), _ORDER),
    **dict.fromkeys(("round", "floor", "ceil", "trunc", "frac", "fmod", "remainder", "whole_numbers",
                     "floor_divide"), _ROUNDS),
    **dict.fromkeys(("bernoulli", "multinomial", "normal", "poisson", "exponential", "uniform"), _DRAWN),
    **dict.fromkeys(("linalg_inv", "linalg_inv_ex", "linalg_solve", "_linalg_solve_ex", "linalg_cholesky",
                     "linalg_cholesky_ex", "_linalg_slogdet", "_linalg_det", "_linalg_svd", "_linalg_eigh",
                     "linalg_qr"), _SOLVES),
    "onnx.Unique": _ORDER,
    **dict.fromkeys(("onnx.If", "onnx.Loop", "onnx.Scan"), _LOOPS),
    "embedding_renorm": "shortens rows of its table on the way; make the embedding without max_norm",
    "sym_size": "depends on how many numbers a mask keeps; give their places as whole numbers",
    "multilabel_margin_loss": "is not known; write it with relu and sum",
    "nonzero": "has as many numbers as others are not 0; write it with torch.where",
    "_ctc_loss": "adds up all alignments of its labels, which no formula here does; choose another loss",
    "_pack_padded_sequence": "leaves out what is padded; give each length a model of its own, or leave packing out",
}  # fmt: skip


def why_not(kind: str) -> str:
    """What to say of an operation that has no rule."""
    return WHY.get(kind, UNKNOWN)
