"""Our metrics of the field beside those of nlb_tools, the package of the Neural Latents Benchmark.

python benchmarks/nlb_parity.py --nlb-tools CHECKOUT

CHECKOUT is a clone of github.com/neurallatents/nlb_tools, which need not be installed: of its files
only `evaluation.py` is loaded, and one function is read out of `nwb_interface.py`, so that its pins
(pandas 1.3) do not matter. Each case is scored by both; the table says by how much they differ.
"""

from __future__ import annotations

import argparse
import ast
import importlib.util
import platform
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import scipy
import sklearn
import tables
from nlb_cases import BINS, HELD_IN, Case, collinear, lorenz, missing
from scipy import signal

from tfp_bvae import inference, metrics, models

SMOOTHING = 3.5  # bins, 70 ms of 20; of PSTHs less: the Lorenz system is fast


def of_bits(case: Case, nlb: ModuleType) -> Iterator[tuple[str, float, float]]:
    """Co-smoothing and forward prediction. Theirs changes the rates it is given: it gets copies."""
    rates, spikes = case.eval_rates, case.eval_spikes
    forward = np.arange(rates.shape[1]) >= BINS
    held_out = np.arange(rates.shape[2]) >= HELD_IN
    ours = metrics.co_smoothing(rates, spikes, held_out, forward)
    seen = np.s_[:, :BINS, HELD_IN:]
    yield "co-smoothing, bits/spike", ours, nlb.bits_per_spike(rates[seen].copy(), spikes[seen])
    ours = metrics.forward_prediction(rates, spikes, forward)
    later = np.s_[:, BINS:]
    theirs = nlb.bits_per_spike(rates[later].copy(), spikes[later])
    yield "forward prediction, bits/spike", ours, theirs


def of_psth(case: Case, nlb: ModuleType) -> Iterator[tuple[str, float, float]]:
    """PSTH R2, of all trials and of trials that were jittered, some bins of the PSTH unknown."""
    true = metrics.psth(metrics.smooth_spikes(case.train_spikes, 0.5), case.train_condition)
    true[np.isnan(true).any(axis=-1)] = np.nan
    trials = [np.flatnonzero(case.eval_condition == row) for row in range(len(true))]
    ours = metrics.psth_r2(true, case.eval_rates, case.eval_condition)
    yield "PSTH R2", ours, nlb.eval_psth(true, case.eval_rates, trials)
    jitter = np.random.default_rng(0).integers(-4, 5, size=len(case.eval_rates))
    true[:, :5] = true[:, -5:] = np.nan
    ours = metrics.psth_r2(true, case.eval_rates, trials, jitter)
    yield "PSTH R2, jittered", ours, nlb.eval_psth(true, case.eval_rates, trials, jitter)


def of_velocity(case: Case, nlb: ModuleType) -> Iterator[tuple[str, float, float]]:
    """Velocity R2: one decoder; two, by condition; behaviour two bins later."""
    one = [np.full((len(x), 1), True) for x in (case.train_rates, case.eval_rates)]
    even = [c % 2 == 0 for c in (case.train_condition, case.eval_condition)]
    two = [np.stack([mask, ~mask], axis=1) for mask in even]
    velocity = case.train_velocity, case.eval_velocity
    later = [metrics.lag_behavior(v, 2) for v in velocity]
    for name, masks, (train, evaluated) in (
        ("velocity R2", one, velocity),
        ("velocity R2, two decoders", two, velocity),
        ("velocity R2, lag of two bins", one, later),
    ):
        ours = metrics.velocity_r2(case.train_rates, train, case.eval_rates, evaluated, *masks)
        theirs = nlb.velocity_decoding(
            case.train_rates, train, masks[0], case.eval_rates, evaluated, masks[1]
        )
        yield name, ours, theirs


def of_speed(case: Case, nlb: ModuleType) -> Iterator[tuple[str, float, float]]:
    """The correlation of neural speed with an interval, bins before Set unknown."""
    rng = np.random.default_rng(1)
    count, bins, _ = case.eval_rates.shape
    behavior = np.concatenate([rng.integers(0, 2, (count, 3)), rng.random((count, 1))], axis=1)
    behavior[::7] = np.nan
    # conditions of one trial have no correlation: two conditions are enough
    behavior[:, 1:3] = np.where(np.isnan(behavior[:, 1:3]), np.nan, 0)
    observed = np.arange(bins) >= rng.integers(0, 20, size=(count, 1))
    spikes = np.where(observed[..., np.newaxis], 0.0, np.nan)
    ours = metrics.speed_correlation(case.eval_rates, behavior[:, 3], behavior[:, :3], observed)
    yield "tp correlation", ours, nlb.speed_tp_correlation(spikes, case.eval_rates, behavior)


def of_smoothing(case: Case, column: Callable) -> Iterator[tuple[str, float, float]]:
    """The largest value of smoothed spikes, gaps in them, and the largest difference from it."""
    spikes = case.eval_spikes
    ours = metrics.smooth_spikes(spikes, SMOOTHING)
    size = int(6 * SMOOTHING)
    window = signal.windows.gaussian(size, SMOOTHING, sym=True)
    window /= window.sum()
    lines = np.moveaxis(spikes, 1, -1)
    theirs = np.stack([[column((x, window, True, float)) for x in trial] for trial in lines])
    theirs = np.moveaxis(theirs, -1, 1)
    if (np.isnan(ours) != np.isnan(theirs)).any():
        raise ValueError("smoothed spikes must be NaN in the same bins")
    difference = np.nanmax(np.abs(ours - theirs))
    yield "smoothing, largest value", np.nanmax(theirs) + difference, np.nanmax(theirs)


def of_submission(case: Case, nlb: ModuleType) -> Iterator[tuple[str, float, float]]:
    """The whole way: a file of `inference.write_nlb`, and what the benchmark's `evaluate` says."""
    sizes = {"channels": HELD_IN, "outputs": case.eval_rates.shape[2]}
    later = {"forward_bins": case.eval_rates.shape[1] - BINS}
    model = models.dsae({**sizes, **later})  # only its settings are asked for
    parts, counts = [], {}
    for side, rates in (("train", case.train_rates), ("valid", case.eval_rates)):
        nothing = np.zeros([len(rates), 1, 1])
        posterior = inference.Posterior(rates, nothing, nothing[:, 0], nothing[:, 0])
        parts.append((side, slice(0, len(rates)), posterior))
        counts[side] = len(rates)
    true = metrics.psth(case.train_spikes, case.train_condition)[:, :BINS]
    trials = [np.flatnonzero(case.eval_condition == row) for row in range(len(true))]
    stored = np.empty(len(trials), object)  # as h5py reads them
    stored[:] = trials
    targets = {
        "eval_spikes_heldout": case.eval_spikes[:, :BINS, HELD_IN:],
        "eval_spikes_heldin_forward": case.eval_spikes[:, BINS:, :HELD_IN],
        "eval_spikes_heldout_forward": case.eval_spikes[:, BINS:, HELD_IN:],
        "train_behavior": case.train_velocity[:, :BINS],
        "eval_behavior": case.eval_velocity[:, :BINS],
        "psth": true,
        "eval_cond_idx": stored,
    }
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "submission.h5")
        inference.write_nlb(path, "mc_maze_20", model, parts, counts)
        (found,) = nlb.evaluate({"mc_maze_20": targets}, path)
    theirs = found["mc_maze_20_split"]
    train, rates = case.train_rates[:, :BINS], case.eval_rates[:, :BINS]
    ours = {
        "co-bps": metrics.co_smoothing(
            rates, case.eval_spikes[:, :BINS], np.arange(rates.shape[2]) >= HELD_IN
        ),
        "fp-bps": metrics.forward_prediction(
            case.eval_rates, case.eval_spikes, np.arange(case.eval_rates.shape[1]) >= BINS
        ),
        "vel R2": metrics.velocity_r2(
            train, targets["train_behavior"], rates, targets["eval_behavior"]
        ),
        "psth R2": metrics.psth_r2(true, rates, case.eval_condition),
    }
    if set(ours) != set(theirs):
        raise ValueError(f"evaluate must give {sorted(ours)}, got {sorted(theirs)}")
    for name, score in ours.items():
        yield f"{name} of a submission", score, theirs[name]


def load(checkout: Path) -> tuple[ModuleType, Callable]:
    """`evaluation.py`, and `smooth_column` of `nwb_interface.py`."""
    spec = importlib.util.spec_from_file_location("nlb", checkout / "nlb_tools" / "evaluation.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    tree = ast.parse((checkout / "nlb_tools" / "nwb_interface.py").read_text())
    (found,) = (node for node in tree.body if getattr(node, "name", "") == "smooth_column")
    names = {"np": np, "signal": signal}
    exec(compile(ast.Module([found], []), "smooth_column", "exec"), names)
    return module, names["smooth_column"]


def commit_of(checkout: Path) -> str:
    """The commit that is checked out, as far as git knows it."""
    words = ["git", "-C", str(checkout), "rev-parse", "--short=12", "HEAD"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def table(rows: list[dict]) -> str:
    """The largest difference of each metric, over all cases."""
    shown = []
    for metric in dict.fromkeys(row["metric"] for row in rows):
        of = [row for row in rows if row["metric"] == metric]
        scores = [row["nlb_tools"] for row in of]
        worst = max(row["difference"] for row in of)
        between = f"{min(scores):.3f} to {max(scores):.3f}"
        shown.append([metric, len(of), between, f"{worst:.1e}"])
    header = ["metric", "cases", "what nlb_tools says", "largest difference from ours"]
    return tables.markdown(header, shown)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nlb-tools", type=Path, required=True, metavar="CHECKOUT")
    parser.add_argument("--commit", help="of the checkout, where it is no git repository")
    options = parser.parse_args()
    nlb, column = load(options.nlb_tools)
    rows = []
    for case in (make(seed) for make in (lorenz, missing, collinear) for seed in (0, 1)):
        of_nlb = [pair for score in SCORES for pair in score(case, nlb)]
        for name, ours, theirs in [*of_nlb, *of_smoothing(case, column)]:
            row = {"metric": name, "data": case.name, "ours": float(ours)}
            rows.append({**row, "nlb_tools": float(theirs), "difference": abs(ours - theirs)})
    versions = f"scipy {scipy.__version__}, scikit-learn {sklearn.__version__}"
    commit = options.commit or commit_of(options.nlb_tools)
    text = (
        f"{table(rows)}\nnlb_tools at commit {commit}, numpy {np.__version__}, {versions}, "
        f"Python {platform.python_version()}.\n"
    )
    tables.write("nlb_parity", rows, text)


SCORES = (of_bits, of_psth, of_velocity, of_speed, of_submission)


if __name__ == "__main__":
    main()
