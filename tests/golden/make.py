#!/usr/bin/env python3
"""Makes the golden cases small-*.json and small-*.safetensors in this folder: models of a few hundred numbers, computed in
double with a scalar automatic differentiation that shares nothing with foci. Python's standard library only.

    python3 tests/golden/make.py

The cases take the options that the larger golden files leave out: images that are not square, no qkv bias, first = 2,
entrywise denominators, no cut-offs, embeddings narrower than the model, heads that do not fill the width, SGD, pairs of
sequences with padding.
"""
import json
import math
import os
import random
import struct

# ------------------------------------------------------------------ automatic differentiation of numbers

tape = []


class Var:
    """A number with the derivatives by its parents."""
    __slots__ = ("x", "grad", "parents")

    def __init__(self, x, parents=()):
        self.x, self.grad, self.parents = x, 0.0, parents
        if parents:
            tape.append(self)

    def __add__(self, o):
        return Var(self.x + o.x, ((self, 1.0), (o, 1.0))) if isinstance(o, Var) else Var(self.x + o, ((self, 1.0),))

    def __mul__(self, o):
        return Var(self.x * o.x, ((self, o.x), (o, self.x))) if isinstance(o, Var) else Var(self.x * o, ((self, o),))

    def __neg__(self):
        return self * -1.0

    def __sub__(self, o):
        return self + (-o)


def dot(a, b):
    return Var(sum(p.x * q.x for p, q in zip(a, b)),
               tuple((p, q.x) for p, q in zip(a, b)) + tuple((q, p.x) for p, q in zip(a, b)))


def total(a):
    return Var(sum(p.x for p in a), tuple((p, 1.0) for p in a))


def function(f, derivative):
    return lambda a: Var(f(a.x), ((a, derivative(a.x)),))


exp = function(math.exp, math.exp)
log = function(math.log, lambda x: 1 / x)
rsqrt = function(lambda x: x ** -0.5, lambda x: -0.5 * x ** -1.5)
relu = function(lambda x: max(x, 0.0), lambda x: float(x > 0))
phi = lambda x: 0.5 * (1 + math.erf(x / math.sqrt(2)))
gelu = function(lambda x: x * phi(x), lambda x: phi(x) + x * math.exp(-x * x / 2) / math.sqrt(2 * math.pi))


def backward(out):
    out.grad = 1.0
    for v in reversed(tape):
        if v.grad:
            for p, d in v.parents:
                p.grad += v.grad * d


# ------------------------------------------------------------------ layers: a vector is a list, a matrix a list of rows

def linear(x, w, b=None):
    return [dot(x, row) + b[i] if b else dot(x, row) for i, row in enumerate(w)]


def layer_norm(x, p, name, eps):
    mean = total(x) * (1 / len(x))
    d = [v - mean for v in x]
    r = rsqrt(total([v * v for v in d]) * (1 / len(x)) + eps)
    return [v * r * w + b for v, w, b in zip(d, p[name + ".weight"], p[name + ".bias"])]


def log_softmax(x):
    largest = max(v.x for v in x)
    norm = log(total([exp(v + -largest) for v in x])) + largest
    return [v - norm for v in x]


def metric(now, before, o):
    """m of one head: tokens x width values, a list of one or N rows of plain numbers."""
    change = lambda name: [[abs(a.x - b.x) for a, b in zip(r, s)] for r, s in zip(now[name], before[name])]
    u = change(o["num"])
    if o["den"] == "delta":
        u = [[v / o["delta"] for v in r] for r in u]
    else:
        u = [[v / (w + o["attenuation"]) for v, w in zip(r, s)] for r, s in zip(u, change(o["den"]))]
    n, width = len(u), len(u[0])
    if o["reduce"] == "median":
        m = [[sorted(r[d] for r in u)[(n - 1) // 2] for d in range(width)]]
    elif o["scope"] == "sequence":
        m = [[sum(r[d] for r in u) / n for d in range(width)]]
    else:
        m = [[sum(r[d] for r in u[:i + 1]) / (i + 1) for d in range(width)] for i in range(n)]
    for r in m:
        s = {"max": max(r), "mean": sum(r) / width, "none": 1.0}[o["scale"]]
        r[:] = [v / s if s > 0 else 1.0 for v in r]
    return m


def attend(q, k, v, heads, before, layer, o, causal, seen, bias=None):
    """q, k, v: tokens x (H*D); returns the joined heads and what the next layer needs."""
    width = len(q[0]) // heads
    cut = lambda x, h: [r[h * width:(h + 1) * width] for r in x]
    now = [{"q": cut(q, h), "k": cut(k, h), "v": cut(v, h)} for h in range(heads)]
    out = [[] for _ in q]
    for h, t in enumerate(now):
        on = o is not None and layer >= o["first"]
        m = metric(t, before[h], o) if on else None
        if on:
            seen.setdefault(layer, []).append(m)
        factor = 1.0 if on and not o["keep_scale"] else width ** -0.5
        for i, row in enumerate(t["q"]):
            if m:
                row = [a * b for a, b in zip(row, m[min(i, len(m) - 1)])]
            keys = range(i + 1 if causal else len(q))
            s = [dot(row, t["k"][j]) * factor + (bias[j] if bias else 0.0) for j in keys]
            p = [exp(v) for v in log_softmax(s)]
            out[i] += [dot(p, [t["v"][j][d] for j in keys]) for d in range(width)]
    return out, now


# ------------------------------------------------------------------ the models: one sample at a time

def vit(p, s, o, image, seen):
    """image: channels x rows x columns; returns the logits."""
    patch, dim = s["patch_size"], s["embed_dim"]
    x = [p["cls_token"][0][0]]
    for r in range(0, s["img_size"][0], patch):
        for c in range(0, s["img_size"][1], patch):
            pixels = [Var(plane[r + i][c + j]) for plane in image for i in range(patch) for j in range(patch)]
            flat = [[w for plane in k for row in plane for w in row] for k in p["patch_embed.proj.weight"]]
            x.append(linear(pixels, flat, p["patch_embed.proj.bias"]))
    x = [[a + b for a, b in zip(r, e)] for r, e in zip(x, p["pos_embed"][0])]
    before = None
    for i in range(s["depth"]):
        at = f"blocks.{i}."
        y = [layer_norm(r, p, at + "norm1", 1e-6) for r in x]
        qkv = [linear(r, p[at + "attn.qkv.weight"], p.get(at + "attn.qkv.bias")) for r in y]
        part = lambda n: [r[n * dim:(n + 1) * dim] for r in qkv]
        y, before = attend(part(0), part(1), part(2), s["num_heads"], before, i, o, False, seen)
        y = [linear(r, p[at + "attn.proj.weight"], p[at + "attn.proj.bias"]) for r in y]
        x = [[a + b for a, b in zip(r, t)] for r, t in zip(x, y)]
        y = [layer_norm(r, p, at + "norm2", 1e-6) for r in x]
        y = [[gelu(v) for v in linear(r, p[at + "mlp.fc1.weight"], p[at + "mlp.fc1.bias"])] for r in y]
        y = [linear(r, p[at + "mlp.fc2.weight"], p[at + "mlp.fc2.bias"]) for r in y]
        x = [[a + b for a, b in zip(r, t)] for r, t in zip(x, y)]
    return linear(layer_norm(x[0], p, "norm", 1e-6), p["head.weight"], p["head.bias"])


def encode(p, s, o, tokens, mask, seen):
    """One sequence; returns the mean over all positions, those that are padding as zeros."""
    x = [[a + b for a, b in zip(p["model.embeddings.word_embeddings.weight"][w], e)]
         for w, e in zip(tokens, p["model.embeddings.position_embeddings.weight"])]
    before, bias = None, [-1e6 * (1 - m) for m in mask]
    for i in range(s["layers"]):
        at = f"model.transformer_{i}."
        project = lambda rows, name: [linear(r, p[at + name + ".weight"], p[at + name + ".bias"]) for r in rows]
        y = [layer_norm(r, p, at + "norm1", 1e-5) for r in x]
        y, before = attend(project(y, "mha.W_q"), project(y, "mha.W_k"), project(y, "mha.W_v"), s["heads"], before, i, o, False,
                           seen, bias)
        x = [[a + b for a, b in zip(r, t)] for r, t in zip(x, project(y, "mha.ff"))]
        y = project([layer_norm(r, p, at + "norm2", 1e-5) for r in x], "mlpblock.0")
        y = project([[gelu(v) for v in r] for r in y], "mlpblock.3")
        x = [[a + b for a, b in zip(r, t)] for r, t in zip(x, y)]
    x = [[v * m for v in layer_norm(r, p, "model.norm", 1e-5)] for r, m in zip(x, mask)]
    return [total(c) * (1 / len(x)) for c in transpose(x)]


def classify(p, y):
    at = "seq_classifer.mlpblock."
    y = [relu(v) for v in linear(y, p[at + "0.weight"], p[at + "0.bias"])]
    return linear(y, p[at + "2.weight"], p[at + "2.bias"])


def encoder(p, s, o, rows, seen):
    """rows: (tokens, mask) of each sequence, of pairs one behind the other; returns the logits."""
    y = [encode(p, s, o, tokens, mask, seen) for tokens, mask in rows]
    if s["pair"]:
        y = [a + b + [v * w for v, w in zip(a, b)] + [v - w for v, w in zip(a, b)] for a, b in zip(y[::2], y[1::2])]
    return [classify(p, r) for r in y]


def transpose(m):
    return [list(c) for c in zip(*m)]


def lm(p, s, o, tokens, seen):
    """tokens of one window; returns the log-probabilities of the whole vocabulary at each position. div_val is 1."""
    n, dim, heads = len(tokens), s["d_model"], s["n_head"]
    joined, projected = heads * s["d_head"], s["d_embed"] != s["d_model"]
    h = []
    for t, word in enumerate(tokens):
        e = p["word_emb.emb_layers.0.weight"][word]
        e = linear(e, p["word_emb.emb_projs.0"]) if projected else e
        f = [(n - 1 - t) * 10000 ** (-2 * i / dim) for i in range(dim // 2)]
        pos = [math.sin(a) for a in f] + [math.cos(a) for a in f]
        h.append([a * math.sqrt(dim) + b for a, b in zip(e, pos)])
    before = None
    for i in range(s["n_layer"]):
        at = f"layers.{i}."
        q = [linear(r, p[at + "dec_attn.q_net.weight"]) for r in h]
        kv = [linear(r, p[at + "dec_attn.kv_net.weight"]) for r in h]
        y, before = attend(q, [r[:joined] for r in kv], [r[joined:] for r in kv], heads, before, i, o, True, seen)
        y = [linear(r, p[at + "dec_attn.o_net.weight"]) for r in y]
        h = [layer_norm([a + b for a, b in zip(r, t)], p, at + "dec_attn.layer_norm", 1e-5) for r, t in zip(h, y)]
        y = [[relu(v) for v in linear(r, p[at + "pos_ff.CoreNet.0.weight"], p[at + "pos_ff.CoreNet.0.bias"])] for r in h]
        y = [linear(r, p[at + "pos_ff.CoreNet.3.weight"], p[at + "pos_ff.CoreNet.3.bias"]) for r in y]
        h = [layer_norm([a + b for a, b in zip(r, t)], p, at + "pos_ff.layer_norm", 1e-5) for r, t in zip(h, y)]
    return [word_log_probs(p, s, r, projected) for r in h]


def word_log_probs(p, s, h, projected):
    edges = [0] + s["cutoffs"] + [s["n_token"]]
    weight, bias = p["word_emb.emb_layers.0.weight"], p["crit.out_layers.0.bias"]
    out = []
    for c, (a, b) in enumerate(zip(edges, edges[1:])):
        proj = p["crit.out_projs.0"] if c == 0 and projected else p.get("word_emb.emb_projs.0")
        x = linear(h, transpose(proj)) if projected else h
        w, d = weight[a:b], bias[a:b]
        if c == 0:
            if s["cutoffs"]:
                w, d = w + p["crit.cluster_weight"], d + p["crit.cluster_bias"]
            head = log_softmax(linear(x, w, d))
            out += head[:b]
        else:
            out += [head[-c] + v for v in log_softmax(linear(x, w, d))]
    return out


# ------------------------------------------------------------------ nested lists

def nested(shape, make):
    return make() if not shape else [nested(shape[1:], make) for _ in range(shape[0])]


def flat(x):
    return [v for r in x for v in flat(r)] if isinstance(x, list) else [x]


def single(x):
    return struct.unpack("<f", struct.pack("<f", x))[0]


def shape_of(x):
    return [len(x)] + shape_of(x[0]) if isinstance(x, list) else []


def save(path, tensors):
    header, at, data = {}, 0, b""
    for name, x in tensors.items():
        values = flat(x)
        whole = all(isinstance(v, int) for v in values)
        raw = struct.pack(f"<{len(values)}{'q' if whole else 'f'}", *values)
        header[name] = {"dtype": "I64" if whole else "F32", "shape": shape_of(x), "data_offsets": [at, at + len(raw)]}
        data, at = data + raw, at + len(raw)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)


# ------------------------------------------------------------------ a case

def vit_shapes(s):
    dim, patch = s["embed_dim"], s["patch_size"]
    n, f = s["img_size"][0] // patch * (s["img_size"][1] // patch), int(dim * s["mlp_ratio"])
    yield "cls_token", [1, 1, dim]
    yield "pos_embed", [1, n + 1, dim]
    yield "patch_embed.proj.weight", [dim, s["in_chans"], patch, patch]
    yield "patch_embed.proj.bias", [dim]
    for i in range(s["depth"]):
        at = f"blocks.{i}."
        for norm in "norm1", "norm2":
            yield at + norm + ".weight", [dim]
            yield at + norm + ".bias", [dim]
        yield at + "attn.qkv.weight", [3 * dim, dim]
        if s["qkv_bias"]:
            yield at + "attn.qkv.bias", [3 * dim]
        for name, out, into in ("attn.proj", dim, dim), ("mlp.fc1", f, dim), ("mlp.fc2", dim, f):
            yield at + name + ".weight", [out, into]
            yield at + name + ".bias", [out]
    for name, shape in ("norm.weight", [dim]), ("norm.bias", [dim]), ("head.weight", [s["num_classes"], dim]), ("head.bias", [s["num_classes"]]):
        yield name, shape


def lm_shapes(s):
    dim, joined, f, e = s["d_model"], s["n_head"] * s["d_head"], s["d_inner"], s["d_embed"]
    yield "word_emb.emb_layers.0.weight", [s["n_token"], e]
    if e != dim:
        yield "word_emb.emb_projs.0", [dim, e]
        yield "crit.out_projs.0", [dim, e]
    for i in range(s["n_layer"]):
        at = f"layers.{i}."
        yield at + "dec_attn.q_net.weight", [joined, dim]
        yield at + "dec_attn.kv_net.weight", [2 * joined, dim]
        yield at + "dec_attn.o_net.weight", [dim, joined]
        for name, out, into in ("pos_ff.CoreNet.0", f, dim), ("pos_ff.CoreNet.3", dim, f):
            yield at + name + ".weight", [out, into]
            yield at + name + ".bias", [out]
        for norm in "dec_attn.layer_norm", "pos_ff.layer_norm":
            yield at + norm + ".weight", [dim]
            yield at + norm + ".bias", [dim]
    if s["cutoffs"]:
        yield "crit.cluster_weight", [len(s["cutoffs"]), e]
        yield "crit.cluster_bias", [len(s["cutoffs"])]
    yield "crit.out_layers.0.bias", [s["n_token"]]


def encoder_shapes(s):
    dim, joined, f = s["dim"], s["heads"] * s["d_head"], s["hidden"]
    yield "model.embeddings.word_embeddings.weight", [s["vocab_size"], dim]
    yield "model.embeddings.position_embeddings.weight", [s["max_seq_len"], dim]
    layers = [(f"model.transformer_{i}." + name, out, into) for i in range(s["layers"]) for name, out, into in
              (("mha.W_q", joined, dim), ("mha.W_k", joined, dim), ("mha.W_v", joined, dim), ("mha.ff", dim, joined),
               ("mlpblock.0", f, dim), ("mlpblock.3", dim, f))]
    layers += [("seq_classifer.mlpblock.0", f, dim * (4 if s["pair"] else 1)), ("seq_classifer.mlpblock.2", s["num_classes"], f)]
    for name, out, into in layers:
        yield name + ".weight", [out, into]
        yield name + ".bias", [out]
    for norm in [f"model.transformer_{i}.norm{k}" for i in range(s["layers"]) for k in (1, 2)] + ["model.norm"]:
        yield norm + ".weight", [dim]
        yield norm + ".bias", [dim]


def initial(shapes):
    def make(name):
        centre, spread = (1.0, 0.2) if "norm" in name and name.endswith("weight") else (0.0, 0.4)
        return lambda: Var(single(random.gauss(centre, spread)))
    return {name: nested(shape, make(name)) for name, shape in shapes}


def nll_of(rows, targets):
    return [-r[t] for r, t in zip(rows, targets)]


def run(kind, p, s, o, inputs, labels, seen):
    """The outputs of a batch and its mean loss; of `seen`, layer -> metrics of all samples' heads."""
    if kind == "vit":
        out = [vit(p, s, o, x, seen) for x in inputs]
        terms = [-log_softmax(r)[t] for r, t in zip(out, labels)]
    elif kind == "encoder":
        out = encoder(p, s, o, inputs, seen)
        terms = [-log_softmax(r)[t] for r, t in zip(out, labels)]
    else:
        out = [lm(p, s, o, x, seen) for x in inputs]
        terms = [v for r, t in zip(out, labels) for v in nll_of(r, t)]
    return out, total(terms) * (1 / len(terms))


def gradients(kind, p, s, o, inputs, labels, seen):
    tape.clear()
    for x in p.values():
        for v in flat(x):
            v.grad = 0.0
    out, loss = run(kind, p, s, o, inputs, labels, seen)
    backward(loss)
    return out, loss.x


def update(p, moments, t, lr, a):
    values = [(name, v) for name, x in p.items() for v in flat(x)]
    norm = math.sqrt(sum(v.grad ** 2 for _, v in values))
    factor = min(1, a["clip"] / (norm + 1e-6)) if a["clip"] else 1
    for i, (name, v) in enumerate(values):
        g, decay = v.grad * factor, 0 if name in a["no_decay"] else a["weight_decay"]
        m = moments.setdefault(i, [0.0, 0.0])
        if a["optimizer"] == "adamw":
            v.x *= 1 - lr * decay
        else:
            g += decay * v.x
        if a["optimizer"] == "sgd":
            m[0] = a["momentum"] * m[0] + g
            v.x -= lr * m[0]
            continue
        b1, b2 = a["betas"]
        m[0], m[1] = b1 * m[0] + (1 - b1) * g, b2 * m[1] + (1 - b2) * g * g
        v.x -= lr / (1 - b1 ** t) * m[0] / (math.sqrt(m[1] / (1 - b2 ** t)) + a["eps"])


def walks(p, s, o, tokens, window):
    for walk in "disjoint", "sliding":
        for batch in 1, 3:
            n = len(tokens) // batch
            rows = [tokens[i * n:(i + 1) * n] for i in range(batch)]
            nll, count = 0.0, 0
            starts = range(0, n - 1, window) if walk == "disjoint" else range(n - window)
            for i in starts:
                w = min(window, n - 1 - i)
                for r in rows:
                    tape.clear()
                    terms = nll_of(lm(p, s, o, r[i:i + w], {}), r[i + 1:i + 1 + w])
                    terms = terms[-1:] if walk == "sliding" and i else terms
                    nll, count = nll + sum(v.x for v in terms), count + len(terms)
            yield {"walk": walk, "window": window, "batch": batch, "nll_sum": nll, "positions": count,
                   "loss": nll / count, "ppl": math.exp(nll / count)}


def make(name, kind, sizes, elliptical, train, tied=None, batch=2, batches=2, length=7):
    random.seed(name)
    p = initial({"vit": vit_shapes, "lm": lm_shapes, "encoder": encoder_shapes}[kind](sizes))
    if kind == "vit":
        image = [sizes["in_chans"]] + sizes["img_size"]
        inputs = nested([batches, batch] + image, lambda: single(random.gauss(0, 1)))
        labels = nested([batches, batch], lambda: random.randrange(sizes["num_classes"]))
        names, output = ("images", "labels"), "logits"
    elif kind == "encoder":
        rows = batch * (2 if sizes["pair"] else 1)
        tokens = nested([batches, rows, length], lambda: random.randrange(sizes["vocab_size"]))
        ends = nested([batches, rows], lambda: random.randint(2, length))
        mask = [[[float(t < end) for t in range(length)] for end in b] for b in ends]
        labels = nested([batches, batch], lambda: random.randrange(sizes["num_classes"]))
        inputs = [list(zip(*b)) for b in zip(tokens, mask)]
        names, output = ("tokens", "labels"), "logits"
    else:
        inputs, labels = (nested([batches, batch, length], lambda: random.randrange(sizes["n_token"])) for _ in range(2))
        names, output = ("tokens", "targets"), "logprob"
    plain = lambda x: [plain(r) for r in x] if isinstance(x, list) else x.x
    tensors = {f"param.{n}": plain(x) for n, x in p.items()}
    tensors.update({f"input.{names[0]}": inputs[0], f"input.{names[1]}": labels[0],
                    f"train.{names[0]}": inputs, f"train.{names[1]}": labels})
    if kind == "encoder":
        tensors.update({"input.tokens": tokens[0], "input.mask": mask[0], "train.tokens": tokens, "train.mask": mask})
    seen = {}
    out, loss = gradients(kind, p, sizes, elliptical, inputs[0], labels[0], seen)
    tensors[f"expected.{output}"] = plain(out)
    heads = sizes[{"vit": "num_heads", "lm": "n_head", "encoder": "heads"}[kind]]
    for layer, m in seen.items():  # rows one after the other, each with all its heads
        tensors[f"expected.w.{layer}"] = [m[b:b + heads] for b in range(0, len(m), heads)]
    tensors.update({f"grad.{n}": nested_gradient(x) for n, x in p.items()})
    case = {"case": name, "kind": kind, "model": sizes, "elliptical": elliptical, "tied": tied or {}, "expected": {"loss": loss},
            "no_gradient": []}
    if kind == "lm":
        tokens = [random.randrange(sizes["n_token"]) for _ in range(32)]
        tensors["eval.tokens"] = tokens
        case["eval"] = list(walks(p, sizes, elliptical, tokens, 6))
    losses, moments = [], {}
    for i, lr in enumerate(train["lr"]):
        _, loss = gradients(kind, p, sizes, elliptical, inputs[i % batches], labels[i % batches], {})
        losses.append(loss)
        update(p, moments, i + 1, lr, train)
    norms = {n: math.sqrt(sum(v.x ** 2 for v in flat(x))) for n, x in p.items() if not n.endswith(("qkv.bias", "W_k.bias"))}
    case["train"] = dict(train, steps=len(train["lr"]), batches=batches, losses=losses, param_norm=norms)
    groups = [output, "loss", "grad", "train_losses", "train_param_norm"]
    groups += ["w"] * bool(elliptical) + ["eval_loss"] * (kind == "lm")
    case["tolerance"] = {g: 2e-4 if g.startswith("train") else 2e-5 for g in groups}
    folder = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(folder, name + ".json"), "w") as f:
        json.dump(case, f, indent=1)
        f.write("\n")
    save(os.path.join(folder, name + ".safetensors"), tensors)
    print(name, loss)


def nested_gradient(x):
    return [nested_gradient(r) for r in x] if isinstance(x, list) else x.grad


def options(**changes):
    o = {"first": 1, "delta": 1.0, "scale": "max", "num": "v", "den": "delta", "attenuation": 0.001,
         "keep_scale": True, "scope": "sequence", "reduce": "mean"}
    return dict(o, **changes)


def main():
    rates = [0.02, 0.01, 0.015, 0.005, 0.01, 0.02]
    make("small-vit", "vit",
         {"img_size": [8, 12], "patch_size": 4, "in_chans": 3, "num_classes": 5, "embed_dim": 8, "depth": 3, "num_heads": 2,
          "mlp_ratio": 1.7, "qkv_bias": False},
         options(first=2, den="k", attenuation=0.05, scale="mean", keep_scale=False),
         {"optimizer": "adam", "betas": [0.8, 0.95], "eps": 1e-3, "weight_decay": 0.1, "clip": 0.7,
          "no_decay": ["cls_token", "head.bias", "blocks.1.mlp.fc1.weight"], "lr": rates})
    make("small-lm-plain", "lm",
         {"n_token": 23, "n_layer": 3, "n_head": 2, "d_model": 8, "d_head": 3, "d_inner": 10, "d_embed": 6, "cutoffs": [],
          "div_val": 1},
         options(first=2, num="k", den="q", attenuation=0.5, scale="none", scope="causal"),
         {"optimizer": "sgd", "momentum": 0.8, "weight_decay": 0.01, "clip": None, "no_decay": [], "lr": rates},
         tied={"crit.out_layers.0.weight": "word_emb.emb_layers.0.weight"})
    make("small-lm-clusters", "lm",
         {"n_token": 23, "n_layer": 2, "n_head": 2, "d_model": 8, "d_head": 4, "d_inner": 9, "d_embed": 6, "cutoffs": [5, 12],
          "div_val": 1},
         options(den="k", attenuation=0.1, reduce="median", keep_scale=False),
         {"optimizer": "adamw", "betas": [0.7, 0.9], "eps": 1e-4, "weight_decay": 0.5, "clip": 0.3,
          "no_decay": ["crit.cluster_bias"], "lr": rates},
         tied={"crit.out_layers.0.weight": "word_emb.emb_layers.0.weight", "crit.out_projs.1": "word_emb.emb_projs.0",
               "crit.out_projs.2": "word_emb.emb_projs.0"})
    for name, pair, o in (("small-encoder", False, options(scale="mean", reduce="median", delta=3.0)),
                          ("small-encoder-pair", True, options(first=2, keep_scale=False))):
        make(name, "encoder",
             {"vocab_size": 11, "max_seq_len": 8, "num_classes": 3, "dim": 6, "heads": 3, "d_head": 4, "hidden": 7, "layers": 3,
              "pair": pair}, o,
             {"optimizer": "adamw", "betas": [0.9, 0.98], "eps": 1e-6, "weight_decay": 0.1, "clip": 1.0,
              "no_decay": ["model.embeddings.position_embeddings.weight"], "lr": rates}, batch=3)


if __name__ == "__main__":
    main()
