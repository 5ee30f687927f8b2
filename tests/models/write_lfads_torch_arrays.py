"""Write `lfads_torch_arrays.npz`: weights, inputs and outputs of models of lfads-torch.

    python tests/models/write_lfads_torch_arrays.py CHECKOUT [FILE]

In a Python that has torch, pytorch-lightning, torchmetrics and h5py; CHECKOUT is a clone of
https://github.com/arsedler9/lfads-torch (commit 007a555). Each model is its own `LFADS` with random
weights, biases among them that it keeps at zero in a fit. `test_lfads_torch.py` reads the file,
without torch. Keys are `CASE/weights/KEY`, `CASE/config` (JSON), and `CASE/NAME`, with `/SESSION`
after what each session has.
"""

from __future__ import annotations

import json
import sys

import numpy as np

BATCH, ENCODED, FORWARD = 3, 7, 2
SIZES = {
    "encod_data_dim": 5, "ic_enc_dim": 6, "ci_enc_dim": 4, "con_dim": 5, "co_dim": 2, "ic_dim": 4,
    "gen_dim": 7, "fac_dim": 3, "ext_input_dim": 0, "ci_lag": 1, "encod_seq_len": ENCODED,
    "recon_seq_len": ENCODED, "ic_enc_seq_len": 0,
}  # fmt: skip
NO_CONTROLLER = {"ci_enc_dim": 0, "con_dim": 0, "co_dim": 0}
CASES = {
    # changes of SIZES; channels of each session, encoded and predicted; prior; observations
    "controller": ({}, [(5, 5)], "ar1", "Poisson"),
    "no controller": (NO_CONTROLLER, [(5, 5)], "ar1", "Poisson"),
    "held out, forward, inputs": (
        {"recon_seq_len": ENCODED + FORWARD, "ext_input_dim": 2, "ci_lag": 0},
        [(5, 8)], "normal", "Poisson",
    ),
    "inputs alone": (NO_CONTROLLER | {"ext_input_dim": 1}, [(5, 6)], "ar1", "Poisson"),
    "sessions": ({"ci_lag": 2, "encod_data_dim": 4}, [(5, 7), (6, 6)], "ar1", "Poisson"),
    "squared error": ({}, [(5, 6)], "ar1", "MSE"),
}  # fmt: skip
CLIP = 0.8  # low enough that some states reach it


def build(case: str):
    """A model of lfads-torch with random weights."""
    import torch
    from lfads_torch.model import LFADS
    from lfads_torch.modules import augmentations, priors, recons
    from torch import nn

    changes, channels, prior, observed = CASES[case]
    sizes = SIZES | changes
    if prior == "ar1":
        co_prior = priors.AutoregressiveMultivariateNormal(10.0, 0.1, sizes["co_dim"])
    else:
        co_prior = priors.MultivariateNormal(0.0, 0.1, sizes["co_dim"])
    in_sessions = len(channels) > 1
    features, factors = sizes["encod_data_dim"], sizes["fac_dim"]
    training = {"lr_init": 4e-3, "lr_stop": 1e-5, "lr_decay": 0.95, "lr_patience": 6}
    training |= {"lr_adam_beta1": 0.9, "lr_adam_beta2": 0.999, "lr_adam_epsilon": 1e-8}
    model = LFADS(
        **sizes,
        **training,
        **{f"{of}_{name}_epoch": 0 for of in ("l2", "kl") for name in ("start", "increase")},
        **{f"l2_{of}_scale": 0.0 for of in ("ic_enc", "ci_enc", "gen", "con")},
        kl_ic_scale=1e-3, kl_co_scale=2e-3, weight_decay=0.0, loss_scale=1.0,
        recon_reduce_mean=True, lr_scheduler=False, dropout_rate=0.1, variational=True,
        reconstruction=nn.ModuleList([getattr(recons, observed)() for _ in channels]),
        co_prior=co_prior, ic_prior=priors.MultivariateNormal(0.0, 0.1, sizes["ic_dim"]),
        ic_post_var_min=1e-4, cell_clip=CLIP,
        train_aug_stack=augmentations.AugmentationStack(),
        infer_aug_stack=augmentations.AugmentationStack(),
        readin=nn.ModuleList(
            [nn.Linear(seen, features) if in_sessions else nn.Identity() for seen, _ in channels]
        ),
        readout=nn.ModuleList([nn.Linear(factors, predicted) for _, predicted in channels]),
    )  # fmt: skip
    with torch.no_grad():
        for value in model.state_dict().values():
            spread = 0.7 if value.ndim == 2 else 0.4
            value.add_(spread * torch.randn_like(value))
    return model.eval()


def batch_of(case: str, rng: np.random.Generator) -> dict:
    """Random trials of each session, as its models take them."""
    import torch
    from lfads_torch.tuples import SessionBatch

    changes, channels, *_ = CASES[case]
    sizes, batch = SIZES | changes, {}
    for session, (seen, predicted) in enumerate(channels):
        counts = rng.poisson(0.7, [BATCH, sizes["recon_seq_len"], predicted]).astype(np.float32)
        ext_input = rng.normal(size=[BATCH, sizes["recon_seq_len"], sizes["ext_input_dim"]])
        encoded = counts[:, :ENCODED, :seen]
        parts = (encoded, counts, ext_input.astype(np.float32))
        batch[session] = SessionBatch(*map(torch.tensor, parts), torch.zeros(0), torch.zeros(0))
    return batch


def terms(model, batch: dict, out: dict) -> dict:
    """Its reconstruction and KL by its own modules; of the AR(1) prior at the posterior's mean."""
    import torch

    sides = [(batch[s].recon_data, out[s]) for s in batch]
    recon = [model.recon[s].compute_loss(x, o.output_params) for s, (x, o) in enumerate(sides)]
    joined = {
        name: torch.cat([getattr(o, name) for _, o in sides]) for name in ("ic_mean", "ic_std")
    }
    found = {"ic_kl": model.ic_prior(joined["ic_mean"], joined["ic_std"])}
    means, stds = (torch.cat([getattr(o, n) for _, o in sides]) for n in ("co_means", "co_stds"))
    if hasattr(model.co_prior, "log_prob") and means.shape[-1]:
        found["co_log_prob"] = model.co_prior.log_prob(means)
    elif means.shape[-1]:
        found["co_kl"] = model.co_prior(means, stds)
    return found | {f"recon/{s}": value for s, value in enumerate(recon)}


def arrays_of(case: str) -> dict[str, np.ndarray]:
    """All that is stored of one model."""
    import torch

    number = list(CASES).index(case)
    torch.manual_seed(number)
    model, batch = build(case), batch_of(case, np.random.default_rng(number))
    with torch.no_grad():
        raw = model(batch, output_means=False)
        found = terms(model, batch, raw)
        for session, out in model(batch).items():
            found |= {f"{name}/{session}": value for name, value in out._asdict().items()}
            for name in ("encod_data", "recon_data", "ext_input"):
                found[f"{name}/{session}"] = getattr(batch[session], name)
    config = {k: v for k, v in model.hparams.items() if isinstance(v, bool | int | float)}
    config["reconstruction"] = CASES[case][3]
    stored = {f"{case}/weights/{key}": value for key, value in model.state_dict().items()}
    stored |= {f"{case}/{name}": value for name, value in found.items()}
    stored[f"{case}/config"] = json.dumps(config)
    return {name: np.asarray(value) for name, value in stored.items()}


def main() -> None:
    sys.path.insert(0, sys.argv[1])
    path = (
        sys.argv[2] if len(sys.argv) > 2 else __file__.replace("write_", "").replace(".py", ".npz")
    )
    arrays = {}
    for case in CASES:
        arrays |= arrays_of(case)
    np.savez_compressed(path, **arrays)
    print(path, len(arrays), "arrays")


if __name__ == "__main__":
    main()
