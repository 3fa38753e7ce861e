"""Times training steps of one case in PyTorch on the CPU; prints one JSON line. compare.py sets the environment and runs it.

    python3 peer.py CASE [--dtype fp32|bf16] [--steps N] [--threads T]

CASE is a name of VIT, LM or GPT below, with -elliptical appended for elliptical attention. The models are those of the
configs beside this file: same shapes, same mathematics, written for the fewest passes over memory that PyTorch allows.
"""
import argparse
import json
import os
import statistics
import time

arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
arguments.add_argument("case")
arguments.add_argument("--dtype", choices=("fp32", "bf16"), default="fp32")
arguments.add_argument("--steps", type=int, default=5)
arguments.add_argument("--threads", type=int, default=2)
a = arguments.parse_args()
os.environ["OMP_NUM_THREADS"] = str(a.threads)  # read when torch is loaded

import torch
import torch.nn as nn
import torch.nn.functional as F

WARM_UP = 2

VIT = {  # batch, pixels, patch, classes; all of width 192, depth 12, 3 heads
    "deit-tiny": (32, 224, 16, 1000),
    "vit-cifar10": (128, 32, 4, 10),
}
LM = {  # batch, window, width; all of 16 layers, 8 heads, feed-forward 2048
    "lm-small": (16, 256, 128),
    "lm-medium": (8, 384, 256),
}
GPT = {"gpt2-64": (4, 64), "gpt2-1024": (4, 1024)}  # batch, window; all GPT-2 of 124 M parameters
EDGES = (0, 20000, 40000, 200000, 267735)  # clusters of the vocabulary; the first one is the shortlist


class Attention(nn.Module):
    """Dot product, or elliptical where `metric` is set: q is stretched by the mean change of v since the layer before."""

    def __init__(self, width, heads, bias, metric):
        super().__init__()
        self.heads, self.metric = heads, metric
        self.qkv, self.out = nn.Linear(width, 3 * width, bias=bias), nn.Linear(width, width, bias=bias)

    def forward(self, x, v_before, mask):  # x [B, N, C], mask [N, N] or None
        B, N, C = x.shape
        H, D = self.heads, C // self.heads
        q, k, v = self.qkv(x).view(B, N, 3, H, D).permute(2, 0, 3, 1, 4).unbind(0)
        factor = D ** -0.5
        if self.metric:
            with torch.no_grad():
                m = (v - v_before).abs_().mean(2, keepdim=True)  # [B, H, 1, D]
                factor = m * (factor / m.amax(-1, keepdim=True))
        q, k, w = ((t * factor if t is q else t).reshape(B * H, N, D) for t in (q, k, v))
        kt = k.transpose(1, 2)
        s = torch.bmm(q, kt) if mask is None else torch.baddbmm(mask, q, kt)
        y = torch.bmm(s.softmax(-1), w).view(B, H, N, D).transpose(1, 2).reshape(B, N, C)
        return self.out(y), v


class ViTBlock(nn.Module):
    def __init__(self, width, heads, metric):
        super().__init__()
        self.attention = Attention(width, heads, True, metric)
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x, v_before):
        y, v = self.attention(self.norm1(x), v_before, None)
        x = x + y
        return x + self.down(F.gelu(self.up(self.norm2(x)))), v


class ViT(nn.Module):
    def __init__(self, batch, pixels, patch, classes, elliptical, width=192, depth=12, heads=3):
        super().__init__()
        self.patches = nn.Conv2d(3, width, patch, patch)
        self.token = nn.Parameter(torch.zeros(1, 1, width))
        self.position = nn.Parameter(torch.zeros(1, (pixels // patch) ** 2 + 1, width))
        self.blocks = nn.ModuleList(ViTBlock(width, heads, elliptical and i > 0) for i in range(depth))
        self.norm, self.head = nn.LayerNorm(width, eps=1e-6), nn.Linear(width, classes)
        self.images, self.labels = torch.randn(batch, 3, pixels, pixels), torch.randint(classes, (batch,))
        self.items = batch

    def loss(self):
        x = self.patches(self.images).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(len(x), -1, -1), x], 1) + self.position
        v = None
        for block in self.blocks:
            x, v = block(x, v)
        return F.cross_entropy(self.head(self.norm(x)[:, 0]), self.labels)


class LMBlock(nn.Module):  # norms after the sums
    def __init__(self, width, heads, inner, metric):
        super().__init__()
        self.attention = Attention(width, heads, False, metric)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.up, self.down = nn.Linear(width, inner), nn.Linear(inner, width)

    def forward(self, x, v_before, mask):
        y, v = self.attention(x, v_before, mask)
        x = self.norm1(x + y)
        return self.norm2(x + self.down(F.relu(self.up(x)))), v


class LM_(nn.Module):
    """Embedding and adaptive softmax share their weights; each cluster is computed for the rows whose word is in it."""

    def __init__(self, batch, window, width, elliptical, depth=16, heads=8, inner=2048):
        super().__init__()
        words, clusters = EDGES[-1], len(EDGES) - 2
        self.weight, self.bias = nn.Parameter(torch.randn(words, width) * 0.02), nn.Parameter(torch.zeros(words))
        self.cluster_weight, self.cluster_bias = nn.Parameter(torch.zeros(clusters, width)), nn.Parameter(torch.zeros(clusters))
        self.blocks = nn.ModuleList(LMBlock(width, heads, inner, elliptical and i > 0) for i in range(depth))
        angles = torch.outer(torch.arange(window - 1.0, -1, -1), 10000.0 ** (-torch.arange(0.0, width, 2) / width))
        self.position = torch.cat([angles.sin(), angles.cos()], -1)
        self.mask = torch.full((window, window), float("-inf")).triu(1)
        uniform = torch.rand(batch, window + 1)  # words by Zipf's law, as `foci bench` draws them
        text = ((words + 1) ** uniform - 1).long().clamp_(max=words - 1)
        self.ids, self.targets = text[:, :-1].contiguous(), text[:, 1:].flatten()
        self.items = batch * window

    def loss(self):
        x, v = F.embedding(self.ids, self.weight) * self.weight.shape[1] ** 0.5 + self.position, None
        for block in self.blocks:
            x, v = block(x, v, self.mask)
        x, y, first = x.flatten(0, 1), self.targets, EDGES[1]
        cluster = torch.bucketize(y, torch.tensor(EDGES[1:-1]), right=True)  # 0: in the shortlist
        head = F.linear(x, torch.cat([self.weight[:first], self.cluster_weight]), torch.cat([self.bias[:first], self.cluster_bias]))
        loss = F.cross_entropy(head, torch.where(cluster == 0, y, len(head[0]) - cluster), reduction="sum")
        for i in range(1, len(EDGES) - 1):
            rows, part = (cluster == i).nonzero()[:, 0], slice(EDGES[i], EDGES[i + 1])
            if len(rows):
                tail = F.linear(x[rows], self.weight[part], self.bias[part])
                loss = loss + F.cross_entropy(tail, y[rows] - EDGES[i], reduction="sum")
        return loss / len(y)


class GPTBlock(nn.Module):
    def __init__(self, width, heads, metric):
        super().__init__()
        self.attention = Attention(width, heads, True, metric)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x, v_before, mask):
        y, v = self.attention(self.norm1(x), v_before, mask)
        x = x + y
        return x + self.down(F.gelu(self.up(self.norm2(x)), approximate="tanh")), v


class GPT_(nn.Module):
    """The head is the embedding."""

    def __init__(self, batch, window, elliptical, words=50257, width=768, depth=12, heads=12):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(words, width) * 0.02)
        self.position = nn.Parameter(torch.randn(window, width) * 0.02)
        self.blocks = nn.ModuleList(GPTBlock(width, heads, elliptical and i > 0) for i in range(depth))
        self.norm = nn.LayerNorm(width)
        self.mask = torch.full((window, window), float("-inf")).triu(1)
        text = torch.randint(words, (batch, window + 1))
        self.ids, self.targets = text[:, :-1].contiguous(), text[:, 1:].flatten()
        self.items = batch * window

    def loss(self):
        x, v = F.embedding(self.ids, self.weight) + self.position, None
        for block in self.blocks:
            x, v = block(x, v, self.mask)
        return F.cross_entropy(F.linear(self.norm(x), self.weight).flatten(0, 1), self.targets)


def model_of(case):
    name = case[:-len("-elliptical")] if case.endswith("-elliptical") else case
    if name in VIT:
        return ViT(*VIT[name], elliptical=name != case)
    if name in LM:
        return LM_(*LM[name], elliptical=name != case)
    if name in GPT:
        return GPT_(*GPT[name], elliptical=name != case)
    arguments.error(f"no case `{case}`; there are {', '.join([*VIT, *LM, *GPT])}, and each of them with -elliptical")


def resident_mb():
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


torch.set_num_threads(a.threads)
torch.set_flush_denormal(True)
torch.manual_seed(0)
model = model_of(a.case)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, foreach=True)


def step():
    """Milliseconds of a training step, and of its forward pass, backward pass and update."""
    t0 = time.perf_counter()
    optimizer.zero_grad(set_to_none=True)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=a.dtype == "bf16"):
        loss = model.loss()
    t1 = time.perf_counter()
    loss.backward()
    t2 = time.perf_counter()
    optimizer.step()
    t3 = time.perf_counter()
    assert torch.isfinite(loss)
    return [1e3 * t for t in (t3 - t0, t1 - t0, t2 - t1, t3 - t2)]


times = [step() for _ in range(WARM_UP + a.steps)][WARM_UP:]
total, forward, backward, update = (statistics.median(t) for t in zip(*times))
print(json.dumps({
    "step_ms": round(total, 4), "forward_ms": round(forward, 4), "backward_ms": round(backward, 4), "update_ms": round(update, 4),
    "items_per_s": round(1e3 * model.items / total, 3), "rss_mb": round(resident_mb(), 2),
    "parameters": sum(p.numel() for p in model.parameters()), "version": torch.__version__}))
