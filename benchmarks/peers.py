"""lfads-torch beside this package: its training step, its posterior averaging, a fit with it.

    python benchmarks/peers.py CHECKOUT JOB '{...}' [--threads N]

Run as a worker (`turns.py`) by `speed.py`, `overhead.py` and `time_to_score.py`, in a Python that
has torch, pytorch-lightning, torchmetrics, h5py and scikit-learn. CHECKOUT is a clone of
https://github.com/arsedler9/lfads-torch; its `LFADS` is used as it stands, with its own
`training_step` and `predict_step`. What Lightning's trainer would do around the step is done
here: gradients to zero, backward, clipping, its optimiser. What the trainer would do besides is
left out (its 2025 code asks for Lightning 1.6, whose hooks have other arguments today), so
logging costs nothing. Threads are torch's default unless told otherwise.
"""

from __future__ import annotations

import argparse
import json
import sys

import numpy as np
import torch
import turns

CLIP_NORM = 200.0  # of its shipped configuration
LOSS_SCALE = 1e4  # likewise
L2 = 1e-4  # on recurrent weights of generator and controller


def make_class():
    """Its model, with an epoch that can be set and no trainer that wants to be told."""
    from lfads_torch.model import LFADS

    class WithoutTrainer(LFADS):
        current_epoch = 0

        def log(self, *args, **kwargs):
            pass

        def log_dict(self, *args, **kwargs):
            pass

    return WithoutTrainer


def build(sizes: dict):
    """Its model.

    Args:
        sizes: names of `products.Workload`, with `f_size`, `z_size`, `static_units` (of the
            encoder of f), `dropout`, `coordinated_dropout`, `beta` and `warm_up`, epochs.
    """
    from lfads_torch.modules import augmentations, priors, readin_readout, recons
    from torch import nn

    # it divides the likelihood by the number of entries, and only those that are hidden teach
    kl_scale = sizes["beta"] * sizes["coordinated_dropout"] / (sizes["bins"] * sizes["outputs"])
    masks = augmentations.CoordinatedDropout(
        cd_rate=sizes["coordinated_dropout"], cd_pass_rate=0.0, ic_enc_seq_len=0
    )
    ramps = {"start_epoch": 0, "increase_epoch": sizes["warm_up"]}
    return make_class()(
        encod_data_dim=sizes["channels"], encod_seq_len=sizes["encoded"],
        recon_seq_len=sizes["bins"], ext_input_dim=0, ic_enc_seq_len=0,
        ic_enc_dim=sizes["static_units"], ci_enc_dim=sizes["units"], ci_lag=1,
        con_dim=sizes["units"], co_dim=sizes["z_size"], ic_dim=sizes["f_size"],
        gen_dim=sizes["generator"], fac_dim=sizes["factors"], dropout_rate=sizes["dropout"],
        reconstruction=nn.ModuleList([recons.Poisson()]), variational=True,
        co_prior=priors.AutoregressiveMultivariateNormal(10.0, 0.1, sizes["z_size"]),
        ic_prior=priors.MultivariateNormal(0.0, 0.1, sizes["f_size"]),
        ic_post_var_min=1e-4, cell_clip=5.0,
        train_aug_stack=augmentations.AugmentationStack([masks], [0], [0]),
        infer_aug_stack=augmentations.AugmentationStack(),
        readin=nn.ModuleList([nn.Identity()]),
        readout=nn.ModuleList([readin_readout.FanInLinear(sizes["factors"], sizes["outputs"])]),
        loss_scale=LOSS_SCALE, recon_reduce_mean=True, lr_scheduler=False, lr_init=4e-3,
        lr_stop=1e-5, lr_decay=0.95, lr_patience=6, lr_adam_beta1=0.9, lr_adam_beta2=0.999,
        lr_adam_epsilon=1e-8, weight_decay=0.0, l2_ic_enc_scale=0.0, l2_ci_enc_scale=0.0,
        l2_gen_scale=L2, l2_con_scale=L2,
        kl_ic_scale=kl_scale, kl_co_scale=kl_scale,
        **{f"{of}_{name}": value for of in ("l2", "kl") for name, value in ramps.items()},
    )  # fmt: skip


def batch_of(counts: np.ndarray, sizes: dict) -> dict:
    """Trials as its steps take them: one session, no external input, no true rates."""
    from lfads_torch.tuples import SessionBatch

    whole = torch.tensor(counts, dtype=torch.float32)
    seen = whole[:, : sizes["encoded"], : sizes["channels"]].contiguous()
    nothing = torch.zeros(len(whole), sizes["encoded"], 0)
    batch = SessionBatch(seen, whole, nothing, torch.zeros(0), torch.ones_like(seen))
    return {0: (batch, ())}


def random_batch(sizes: dict) -> dict:
    shape = (sizes["batch"], sizes["bins"], sizes["outputs"])
    return batch_of(np.random.default_rng(0).poisson(0.3, shape), sizes)


def take_step(model, optimizer, batch: dict) -> float:
    """One training step; the loss."""
    optimizer.zero_grad()
    loss = model.training_step(batch, 0)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP_NORM)
    optimizer.step()
    return float(loss.detach())


def averaged_rates(model, batch: dict, samples: int) -> np.ndarray:
    """Mean of its rates over samples from the posterior, as its `run_posterior_sampling` does."""
    model.eval()
    total = 0.0
    with torch.no_grad():
        for _ in range(samples):
            total = total + model.predict_step(batch, 0)[0].output_params
    model.train()
    return (total / samples).numpy()


def serve_steps(sizes: dict) -> None:
    model, batch = build(sizes), random_batch(sizes)
    optimizer = model.configure_optimizers()

    def step() -> None:
        take_step(model, optimizer, batch)

    about = {"first_s": turns.seconds(step), "threads": torch.get_num_threads()}
    step()
    turns.serve(about, lambda: {"ms": turns.milliseconds(step)})


def serve_samples(sizes: dict) -> None:
    """Posterior averaging of all trials, `batch_size` at a time."""
    whole = np.random.default_rng(0).poisson(0.3, (sizes["batch"], sizes["bins"], sizes["outputs"]))
    model, size = build(sizes), sizes["batch_size"]
    batches = [batch_of(whole[i : i + size], sizes) for i in range(0, len(whole), size)]

    def run() -> None:
        for batch in batches:
            averaged_rates(model, batch, sizes["samples"])

    averaged_rates(model, batches[0], 1)
    turns.serve({"threads": torch.get_num_threads()}, lambda: {"s": turns.seconds(run)})


def serve_fit(sizes: dict) -> None:
    """A fit, an epoch at a time: how long it takes, and rates of the validation trials.

    `sizes` names two files besides: `counts`, an `.npz` of `train` and `valid`,
    `[trial, time, channel]`, and `rates`, where the `.npy` of these is put after each epoch.
    """
    torch.manual_seed(sizes["seed"])
    rng = np.random.default_rng(sizes["seed"])
    counts, model = np.load(sizes["counts"]), build(sizes)
    train, valid = counts["train"], batch_of(counts["valid"], sizes)
    optimizer = model.configure_optimizers()

    def epoch() -> None:
        order = rng.permutation(len(train))
        for first in range(0, len(order), sizes["batch"]):
            trials = order[first : first + sizes["batch"]]
            take_step(model, optimizer, batch_of(train[trials], sizes))
        model.current_epoch += 1

    def measure() -> dict:
        taken = turns.seconds(epoch)
        np.save(sizes["rates"], averaged_rates(model, valid, sizes["samples"]))
        return {"s": taken}

    turns.serve({"threads": torch.get_num_threads()}, measure)


JOBS = {"step": serve_steps, "samples": serve_samples, "fit": serve_fit}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkout")
    parser.add_argument("job", choices=JOBS)
    parser.add_argument("sizes", type=json.loads)
    parser.add_argument("--threads", type=int)
    args = parser.parse_args()
    sys.path.insert(0, args.checkout)
    if args.threads:
        torch.set_num_threads(args.threads)
    JOBS[args.job](args.sizes)


if __name__ == "__main__":
    main()
