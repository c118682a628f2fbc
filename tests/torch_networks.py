"""The other examples of the gallery, written in PyTorch: each returns the loss."""

from types import SimpleNamespace as Tensors

import torch
from torch import Tensor
from torch.distributions import Normal, kl_divergence
from torch.nn import functional as F  # noqa: N812 - as everybody calls it

from tests.torch_paper import half
from tests.torch_sequences import classes


def residual(t: Tensors) -> Tensor:
    return half(t.X + F.relu(F.linear(t.X, t.W1.T, t.b1[0])) @ t.W2, t.Y)


def conv(t: Tensors) -> Tensor:
    features = F.relu(F.conv2d(t.X[None, None], t.K[None, None], t.b[0], padding=1))
    return F.cross_entropy(F.linear(F.max_pool2d(features, 2).flatten(1), t.W.T, t.c[0]), classes(0))


def transposed_conv(t: Tensors) -> Tensor:
    small = torch.tanh(t.x @ t.W).reshape(1, 1, 2, 2)
    return half(F.conv_transpose2d(small, t.K[None, None], t.b[0], stride=2)[0, 0], t.Y)


def batch_norm(t: Tensors) -> Tensor:
    return half(F.relu(F.batch_norm(t.X @ t.W, None, None, t.gamma[0], t.beta[0], training=True)), t.Y) / 4


def layer_norm(t: Tensors) -> Tensor:
    return half(F.layer_norm(t.X @ t.W, [4], t.gamma[0], t.beta[0]), t.Y)


def rms_norm(t: Tensors) -> Tensor:
    return half(F.rms_norm(t.X @ t.W, [3], t.gamma[0], eps=1e-5), t.Y)


def cbow(t: Tensors) -> Tensor:
    mean = F.embedding_bag(torch.tensor([[1, 4]]), t.E, mode="mean")
    return F.cross_entropy(mean @ t.U.T, classes(2))


def skip_gram(t: Tensors) -> Tensor:
    total = torch.zeros((), dtype=torch.float64)
    for centre, neighbour, drawn in ((1, 3, (2, 5)), (4, 0, (5, 1))):
        total = total - F.logsigmoid(t.E[centre] @ t.U[neighbour])
        for word in drawn:
            total = total - F.logsigmoid(-(t.E[centre] @ t.U[word]))
    return total


def autoencoder(t: Tensors) -> Tensor:
    code = torch.sigmoid(F.linear(t.X, t.W.T, t.b[0]))
    return half(F.linear(code, t.W, t.c[0]), t.X) / 3


def vae(t: Tensors) -> Tensor:
    hidden = torch.tanh(t.X @ t.W)
    code = Normal(hidden @ t.Wm, (0.5 * (hidden @ t.Ws)).exp())
    picture = F.linear(code.loc + code.scale * t.N, t.V.T, t.c[0])
    prior = Normal(torch.zeros_like(code.loc), torch.ones_like(code.scale))
    error = F.binary_cross_entropy_with_logits(picture, t.X, reduction="sum")
    return (error + kl_divergence(code, prior).sum()) / 2


def judged(samples: Tensor, t: Tensors) -> Tensor:
    return torch.tanh(F.linear(samples, t.W.T, t.b[0])) @ t.V


def gan_discriminator(t: Tensors) -> Tensor:
    with torch.no_grad():
        forged = torch.tanh(t.N @ t.Wg)
    logits = torch.cat([judged(t.X, t), judged(forged, t)])
    right = torch.tensor([[1.0], [1.0], [0.0], [0.0]], dtype=torch.float64)
    return F.binary_cross_entropy_with_logits(logits, right, reduction="sum") / 2


def gan_generator(t: Tensors) -> Tensor:
    forged = torch.tanh(F.linear(t.N, t.Wg.T, t.bg[0])) @ t.Vg
    return -F.logsigmoid(judged(forged, t)).mean()


MODELS = {
    "residual": residual, "conv": conv, "transposed-conv": transposed_conv, "batch-norm": batch_norm,
    "layer-norm": layer_norm, "rms-norm": rms_norm, "cbow": cbow, "skip-gram": skip_gram,
    "autoencoder": autoencoder, "vae": vae, "gan-discriminator": gan_discriminator, "gan-generator": gan_generator,
}  # fmt: skip
