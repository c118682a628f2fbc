"""The examples of recurrent networks and of attention, written in PyTorch: each returns the loss."""

from types import SimpleNamespace as Tensors

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F  # noqa: N812 - as everybody calls it

from tests.torch_paper import half


def zeros(size: int) -> Tensor:
    return torch.zeros(size, dtype=torch.float64)


def classes(*chosen: int) -> Tensor:
    return torch.tensor(chosen)


def rnn(t: Tensors) -> Tensor:
    weights = {"weight_ih": t.W.T, "weight_hh": t.U.T, "bias_ih": t.b[0], "bias_hh": zeros(2)}
    h, cell = t.h0, nn.RNNCell(2, 2)
    for x in t.X.split(1):
        h = functional_call(cell, weights, (x, h))
    return F.cross_entropy(F.linear(h, t.V.T, t.c[0]), classes(1))


def lstm(t: Tensors) -> Tensor:
    weights = {"weight_ih": t.W.T, "weight_hh": t.U.T, "bias_ih": t.b[0], "bias_hh": zeros(8)}
    state, cell = (t.h0, t.c0), nn.LSTMCell(2, 2)
    for x in t.X.split(1):
        state = functional_call(cell, weights, (x, state))
    return half(state[0], t.Y)


def gru(t: Tensors) -> Tensor:
    """PyTorch has reset gate, update gate and candidate one below the other."""
    weights = {
        "weight_ih": torch.cat([t.Wr.T, t.Wz.T, t.Wn.T]),
        "weight_hh": torch.cat([t.Ur.T, t.Uz.T, t.Un.T]),
        "bias_ih": torch.cat([t.br[0], t.bz[0], t.bn[0]]),
        "bias_hh": zeros(6),
    }
    h, cell = t.h0, nn.GRUCell(2, 2)
    for x in t.X.split(1):
        h = functional_call(cell, weights, (x, h))
    return half(h, t.Y)


def seq2seq(t: Tensors) -> Tensor:
    memories, h = [], t.h0
    for x in t.X.split(1):
        h = torch.tanh(x @ t.W + h @ t.U)
        memories.append(h)
    encoded, losses = torch.cat(memories), []
    for x, right in zip(t.T.split(1), (0, 1), strict=True):
        h = torch.tanh(x @ t.Wd + h @ t.Ud)
        context = torch.einsum("kw,kd->wd", F.softmax(encoded @ h.T, dim=0), encoded)
        losses.append(F.cross_entropy(torch.cat([context, h], dim=1) @ t.V, classes(right)))
    return torch.stack(losses).sum()


def attended(X: Tensor, t: Tensors, mask: Tensor | None = None) -> Tensor:
    """One head over the tokens of X; PyTorch divides the scores by √d itself."""
    Q, K, V = (X @ W for W in (t.Wq, t.Wk, t.Wv))
    return F.scaled_dot_product_attention(Q[None], K[None], V[None], attn_mask=mask)[0]


def self_attention(t: Tensors) -> Tensor:
    return F.cross_entropy((attended(t.X, t).mean(0) @ t.Wo)[None], classes(1))


def causal_heads(t: Tensors) -> Tensor:
    """Tokens × 4 to heads × tokens × 2."""
    Q, K, V = ((t.X @ W).reshape(3, 2, 2).transpose(0, 1) for W in (t.Wq, t.Wk, t.Wv))
    mixed = F.scaled_dot_product_attention(Q, K, V, attn_mask=t.M)
    return half(mixed.transpose(0, 1).reshape(3, 4) @ t.Wo, t.Y)


def transformer_block(t: Tensors) -> Tensor:
    R = t.X + attended(F.layer_norm(t.X, [4], t.g1[0], t.s1[0]), t) @ t.Wo
    inside = F.gelu(F.linear(F.layer_norm(R, [4], t.g2[0], t.s2[0]), t.W1.T, t.b1[0]), approximate="tanh")
    return half(R + F.linear(inside, t.W2.T, t.b2[0]), t.Y)


def tiny_gpt(t: Tensors) -> Tensor:
    X = F.embedding(classes(1, 3, 2), t.E) + t.T
    H = X + attended(F.layer_norm(X, [3]), t, t.M)
    O = H + F.relu(H @ t.W1) @ t.W2  # noqa: E741 - as in the file
    return F.cross_entropy(O @ t.E.T, classes(3, 2, 0))


MODELS = {
    "rnn": rnn, "lstm": lstm, "gru": gru, "seq2seq": seq2seq, "self-attention": self_attention,
    "causal-heads": causal_heads, "transformer-block": transformer_block, "tiny-gpt": tiny_gpt,
}  # fmt: skip
