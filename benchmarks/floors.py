"""What simple methods reach on the motor-cortex benchmark: the floors a model has to clear.

    python benchmarks/floors.py m1_day0.h5 --splits 5

Every penalty is chosen by cross-validation over the training trials. Counts are smoothed within a
trial, so that no method sees a bin outside the window.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tables
from recording import behavior_r2, co_bps, make_dataset

from tfp_bvae.data import SpikeDataset
from tfp_bvae.metrics import mean_response as mean_of
from tfp_bvae.metrics import poisson_read_out, ridge_read_out, smooth_observed

SMALLEST_RATE = 1e-3  # spikes per bin; a linear prediction may be negative, a rate may not
RATE_SIGMA, DECODING_SIGMA = 1.0, 2.0  # bins
LOG_OFFSET = 0.1  # spikes per bin, so that the logarithm of no spikes is finite
COLUMNS = {"co_bps": "co-smoothing, bits/spike", "force_r2": "force R2", "emg_r2": "EMG R2"}


def mean_response(data: SpikeDataset) -> dict[str, float]:
    mean = mean_of(data.train.recon, pseudo_trials=0)
    return {"co_bps": co_bps(np.broadcast_to(mean, data.valid.recon.shape), data)}


def mean_response_per_target(data: SpikeDataset) -> dict[str, float]:
    targets = (data.attrs[f"{side}_target"] for side in ("train", "valid"))
    return {"co_bps": co_bps(mean_of(data.train.recon, *targets, pseudo_trials=0), data)}


def ridge(data: SpikeDataset) -> dict[str, float]:
    train, valid = (smooth_observed(side.encod, RATE_SIGMA) for side in (data.train, data.valid))
    rates = ridge_read_out(train, data.train.recon, valid)
    features = (smooth_observed(side.encod, DECODING_SIGMA) for side in (data.train, data.valid))
    return {
        "co_bps": co_bps(np.maximum(rates, SMALLEST_RATE), data),
        **behavior_r2(*features, data),
    }


def ridge_decoding_all_channels(data: SpikeDataset) -> dict[str, float]:
    """Decoding that also sees the spikes a model is not shown; logs, as for a model's rates."""
    features = (
        np.log(smooth_observed(side.recon, DECODING_SIGMA) + LOG_OFFSET)
        for side in (data.train, data.valid)
    )
    return behavior_r2(*features, data)


def poisson_glm(data: SpikeDataset) -> dict[str, float]:
    """One generalised linear model per held-out channel, each with its own penalty."""
    x_train, x_valid = (
        smooth_observed(side.encod, RATE_SIGMA) for side in (data.train, data.valid)
    )
    rates = np.ones(data.valid.recon.shape)
    hidden = slice(data.attrs["num_held_in"], None)
    rates[..., hidden] = poisson_read_out(x_train, data.train.recon[..., hidden], x_valid)
    return {"co_bps": co_bps(rates, data)}


FLOORS: dict[str, Callable[[SpikeDataset], dict[str, float]]] = {
    "mean response": mean_response,
    "mean response per target (told the target)": mean_response_per_target,
    "ridge on smoothed counts of the 72 channels": ridge,
    "ridge on log smoothed counts of all 96 (sees the held-out)": ridge_decoding_all_channels,
    "Poisson GLM on smoothed counts, one per channel": poisson_glm,
}


def table(scores: dict[str, list[dict[str, float]]]) -> str:
    """Markdown: mean and standard deviation over splits."""
    rows = []
    for method, splits in scores.items():
        values = [[split[key] for split in splits if key in split] for key in COLUMNS]
        rows.append([method, *(tables.mean_and_spread(v) if v else "" for v in values)])
    return tables.markdown(["method", *COLUMNS.values()], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", type=Path, help="file that make_m1_day0.py wrote")
    parser.add_argument("--splits", type=int, default=3, help="seeds 0, 1, ... of the split")
    arguments = parser.parse_args()
    scores: dict[str, list[dict[str, float]]] = {method: [] for method in FLOORS}
    for seed in range(arguments.splits):
        data = make_dataset(arguments.path, seed)
        for method, floor in FLOORS.items():
            scores[method].append(floor(data))
    runs = [{"method": method, "splits": splits} for method, splits in scores.items()]
    note = f"\nMean ± SD over {arguments.splits} splits (seeds 0 and on).\n"
    tables.write("floors", runs, table(scores) + note)


if __name__ == "__main__":
    main()
