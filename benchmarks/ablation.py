"""Which defaults of LFADS do it, and why beta = 1 silences the static latent.

    python benchmarks/ablation.py [--seed 100] [--epochs 60]

Each row changes the default fit of the Lorenz benchmark in one respect (or that of beta = 1).
"""

from __future__ import annotations

import argparse
from typing import NamedTuple

import numpy as np
import tables

from tfp_bvae import data, inference, metrics, models, training

ONE = {"beta_f": 1.0, "beta_z": 1.0}
CONDITIONS = 30  # less than half of the benchmark's, for time


class Variant(NamedTuple):
    """What differs from the defaults."""

    params: dict = {}  # noqa: RUF012
    settings: dict = {}  # noqa: RUF012
    init_scale: float | None = None  # of q(f) and q(z); None: that of their priors
    bias: bool = True  # whether the read-out starts at the mean rates


VARIANTS = {
    "the defaults": Variant(),
    "posteriors start at scale 1": Variant(init_scale=1.0),
    "read-out bias starts at 0": Variant(bias=False),
    "gradient of coordinated dropout not divided by its rate": Variant(
        {"beta_f": 0.1 / 0.3, "beta_z": 0.1 / 0.3}
    ),
    "no coordinated dropout": Variant({"coordinated_dropout": 0.0}),
    "one inferred input": Variant({"z_size": 1}),
    "no controller": Variant({"z_size": 0}),
    "no warm-up": Variant(settings={"warm_up": 0}),
    "learning rate constant": Variant(settings={"final_rate": 1.0}),
    "beta 1": Variant(ONE),
    "beta 1, posteriors start at scale 1": Variant(ONE, init_scale=1.0),
    "beta 1, no warm-up": Variant(ONE, {"warm_up": 0}),
    "beta 1, no controller": Variant(ONE | {"z_size": 0}),
}


def run(name: str, seed: int, epochs: int) -> dict:
    """One fit: its KL terms at the end, and the R2 of its rates on validation trials."""
    variant = VARIANTS[name]
    dataset = data.synthetic.lorenz(seed=seed, num_conditions=CONDITIONS)
    mean_rates = dataset.train.recon.mean((0, 1)) if variant.bias else None
    model = models.lfads({"channels": dataset.train.encod.shape[-1]}, variant.params, mean_rates)
    if variant.init_scale is not None:
        start_at_scale(model, variant.init_scale)
    history = training.fit(model, dataset, {"epochs": epochs} | variant.settings)
    rates = inference.sample_and_average(model, dataset.valid).rates
    return {
        "variant": name,
        "kl_f": history[-1]["kl_f"],
        "kl_z": history[-1].get("kl_z", 0.0),
        "kl_first": sum(history[0].get(kl, 0.0) for kl in ("kl_f", "kl_z")),
        "rate_r2": metrics.rate_r2(rates, dataset.valid.truth),
    }


def start_at_scale(model, scale: float) -> None:
    """Shifts the biases that give the posteriors' scales, so that they start at `scale`."""
    cell = model.get_layer("generator").cell
    size = cell.inferred_inputs
    for bias, first, wanted in (
        (model.get_layer("f_scale").bias, 0, model.get_layer("q_f").init_scale),
        (cell.posterior_bias, size, cell.init_scale),
    ):
        raw = np.log(np.expm1(scale)) - np.log(np.expm1(wanted))
        bias.assign(np.where(np.arange(bias.shape[0]) < first, 0.0, raw))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=60)
    args = parser.parse_args()
    runs = []
    for name in VARIANTS:
        runs.append(run(name, args.seed, args.epochs))
        write(runs, args)


def write(runs: list[dict], args: argparse.Namespace) -> None:
    """What there is so far, on disk."""
    header = ["variant", "KL f", "KL z", "both in the first epoch", "rate R2"]
    rows = [
        [
            r["variant"],
            *(f"{r[n]:.1f}" for n in ("kl_f", "kl_z", "kl_first")),
            f"{r['rate_r2']:.3f}",
        ]
        for r in runs
    ]
    note = (
        f"\nLorenz with {CONDITIONS} conditions, seed {args.seed}, {args.epochs} epochs, one fit "
        f"each; KL in nats per trial. {tables.machine()}.\n"
    )
    tables.write("ablation", runs, tables.markdown(header, rows) + note)


if __name__ == "__main__":
    main()
