"""Whether the controller of LFADS finds the pulses that kick a chaotic network.

    python benchmarks/chaotic.py [--seeds 0 1 2] [--normalize global trial] [--figure PATH]

One pulse per trial, in a random bin of its middle half (`tfp_bvae.data.chaotic_rnn`), of which the
model is not told. It is taken to be where the inferred inputs are farthest from their mean over the
training trials ("size"), or their step from the bin before is; beside that, where the change of
smoothed spikes is. R2 is that of the true pulse train read linearly from five bins of the inferred
inputs, of these and their squares, or of spikes: the sign of an inferred input may differ between
trials. A fit in the JSON file is not made again. Settings were chosen on another seed (100).
"""

from __future__ import annotations

import argparse
import collections
import itertools
import json
import time

import numpy as np
import tables
from lorenz import chosen
from numpy.lib.stride_tricks import sliding_window_view

from tfp_bvae import data, inference, metrics, models, training

SIMULATION = {"pulses": True, "num_conditions": 100, "num_trials": 10}
PARAMS: dict = {"z_size": 1, "lag": 0, "factors": 20, "f_size": 32, "f_encoder_units": 50,
                "z_encoder_units": 32, "controller_units": 32}  # fmt: skip
SETTINGS: dict = {"epochs": 80, "validate_every": 5}
TOLERANCE = 2  # bins
DELAYS = sorted(range(-5, 6), key=abs)  # bins, among which that of a detector is chosen
REACH = 2  # bins on each side that the regression sees
WINDOW, COMPONENTS = 5, 3  # of the change of smoothed spikes: bins each side, and dimensions kept

Sides = collections.namedtuple("Sides", ["train", "valid"])  # of training and validation trials


def run(seed: int, normalize: str, params: dict, settings: dict, picture: str | None) -> dict:
    """One fit, its scores, and its picture if there is a path for it."""
    dataset = data.synthetic.chaotic_rnn(seed, normalize=normalize, **SIMULATION)
    arguments = {"channels": dataset.train.recon.shape[-1], "bin_width": dataset.bin_width}
    model = models.lfads(arguments, params, mean_rates=dataset.train.recon.mean((0, 1)))
    start = time.perf_counter()
    history = training.fit(model, dataset, settings, verbose=False)
    seconds = time.perf_counter() - start
    sides = (dataset.train, dataset.valid)
    posterior = Sides(*(inference.sample_and_average(model, side) for side in sides))
    valid, rates = dataset.valid, posterior.valid.rates
    scores = {
        "rate_r2": metrics.rate_r2(rates, valid.truth),
        "bits_per_spike": metrics.bits_per_spike(rates, valid.recon),
        "bits_of_truth": metrics.bits_per_spike(valid.truth, valid.recon),
        **{name: history[-1][name] for name in ("kl_f", "kl_z")},
        "fit_s": seconds,
    }
    if picture:
        draw(dataset, posterior, picture)
    return scores | pulse_scores(dataset, posterior)


def pulse_scores(dataset: data.SpikeDataset, posterior: Sides) -> dict:
    """How often the pulse is found, and R2 of the pulse train, from the model and from spikes."""
    times = Sides(*(dataset.attrs[f"{side}_pulse_time"] for side in Sides._fields))
    inferred = Sides(*(side.inferred for side in posterior))
    spikes = Sides(dataset.train.recon, dataset.valid.recon)
    scores = {
        "pulse_r2": pulse_r2(inferred, times),
        "pulse_r2_square": pulse_r2(with_square(inferred), times),
        "pulse_r2_spikes": pulse_r2(spikes, times),
    }
    steps = Sides(*(np.diff(x, axis=1, prepend=x[:, :1]) for x in inferred))
    for seen, signal in {"size": inferred, "step": steps, "spikes": changes(spikes)}.items():
        error, delay = errors(detected(signal), times)
        scores[f"found_by_{seen}"] = float(np.mean(abs(error) <= TOLERANCE))
        scores[f"delay_by_{seen}"] = delay
    return scores


def detected(signal: Sides) -> Sides:
    """For each trial the bin in which `signal` `[trial, time, dim]` is farthest from its mean."""
    mean = signal.train.mean(axis=0)
    precision = np.linalg.inv(np.atleast_2d(np.cov(np.concatenate(signal.train - mean).T)))
    return Sides(*(((x - mean) @ precision * (x - mean)).sum(-1).argmax(1) for x in signal))


def errors(found: Sides, times: Sides) -> tuple[np.ndarray, int]:
    """Bins from the true to the detected pulse, less the delay that suits training trials best."""
    delay = max(DELAYS, key=lambda d: np.mean(abs(found.train - times.train - d) <= TOLERANCE))
    return found.valid - times.valid - delay, delay


def pulse_r2(signal: Sides, times: Sides) -> float:
    """R2 of a train of unit pulses read from `signal` and its neighbouring bins, linearly."""
    features = Sides(*map(with_lags, signal))
    pulses = Sides(*(np.eye(signal.train.shape[1])[t][..., None] for t in times))
    weights = np.linalg.lstsq(np.concatenate(features.train), np.concatenate(pulses.train))[0]
    return float(metrics.r2_per_channel(features.valid @ weights, pulses.valid)[0])


def with_square(signal: Sides) -> Sides:
    """How far it is from its mean over training trials, and the square of that."""
    deviation = [x - signal.train.mean(axis=0) for x in signal]
    return Sides(*(np.concatenate([x, x**2], axis=-1) for x in deviation))


def with_lags(signal: np.ndarray) -> np.ndarray:
    """Each bin with its neighbours beside it (zeros beyond the ends), and a one."""
    padded = np.pad(signal.astype(float), [(0, 0), (REACH, REACH), (0, 0)])
    windows = sliding_window_view(padded, 2 * REACH + 1, axis=1)
    features = windows.reshape(*signal.shape[:2], -1)
    return np.pad(features, [(0, 0), (0, 0), (0, 1)], constant_values=1.0)


def changes(spikes: Sides) -> Sides:
    """Counts of the bins from each bin on, less those before it; in their main directions."""
    pad, kernel = [(0, 0), (WINDOW, WINDOW - 1), (0, 0)], np.repeat([-1.0, 1.0], WINDOW)
    windows = (sliding_window_view(np.pad(x, pad, "edge"), 2 * WINDOW, axis=1) for x in spikes)
    change = Sides(*(x @ kernel for x in windows))
    mean = change.train.mean(axis=0)
    _, directions = np.linalg.eigh(np.cov(np.concatenate(change.train - mean).T))
    return Sides(*((x - mean) @ directions[:, -COMPONENTS:] for x in change))


def draw(dataset: data.SpikeDataset, posterior: Sides, path: str) -> None:
    """Three validation trials, by the time of their pulse: inferred input, and three rates."""
    import matplotlib
    from PIL import Image

    from tfp_bvae import plots

    truth, model, width = dataset.valid.truth, posterior.valid, dataset.bin_width
    times, bins = dataset.attrs["valid_pulse_time"], (np.arange(truth.shape[1]) + 0.5) * width
    thirds = np.array([1, 3, 5]) / 6  # their middles; not by how well anything was inferred
    trials = np.argsort(times, kind="stable")[(thirds * len(times)).astype(int)]
    channels = np.argsort(-truth.var(1).mean(0))[(thirds * truth.shape[-1]).astype(int)]
    blue = plots.COLOURS["inferred"]
    mark = {"color": plots.COLOURS["mark"], "lw": 1.2, "ls": "--", "label": "true start of pulse"}
    with matplotlib.rc_context(plots.STYLE):
        figure = plots.NotebookFigure(figsize=(9, 6.2), layout="constrained")
        grid = figure.subplots(1 + len(channels), len(trials), sharex=True, sharey="row")
        for (top, *below), trial in zip(grid.T, trials, strict=True):
            z, sd = model.inferred[trial, :, 0], model.inferred_scale[trial, :, 0]
            top.fill_between(bins, z - sd, z + sd, color=blue, alpha=0.25, lw=0)
            top.plot(bins, z, color=blue)
            top.set(title=f"validation trial {trial}", ylabel="inferred input")
            for ax, channel in zip(below, channels, strict=True):
                one = (trial, slice(None), channel)
                plots.plot_channel(
                    model.rates[one],
                    width,
                    scale=model.rates_scale[one],
                    true=truth[one],
                    spikes=dataset.valid.recon[one],
                    key=False,
                    ax=ax,
                )
                ax.set_ylabel(f"neuron {channel}\nrate (spikes/s)")
            for ax in (top, *below):
                ax.axvline(times[trial] * width, **mark)
                ax.label_outer()
        for row in grid[1:]:  # the scale that all its panels need
            seen = np.array([(ax.dataLim.ymin, ax.dataLim.ymax) for ax in row])
            row[0].set_ylim(1.05 * seen[:, 0].min(), 1.05 * seen[:, 1].max())
        figure.legend(*below[0].get_legend_handles_labels(), loc="outside lower center", ncols=5)
        plots.save_figure(figure, path)
    Image.open(path).convert("RGB").quantize(64).save(path, optimize=True)  # a third of the size


def table(runs: list[dict]) -> str:
    """Two tables, on the pulses and on the rates."""
    pulses = {
        "found by size": "found_by_size", "found by step": "found_by_step",
        "found in spikes": "found_by_spikes", "pulse R2": "pulse_r2",
        "with its square": "pulse_r2_square", "pulse R2 from spikes": "pulse_r2_spikes",
    }  # fmt: skip
    rates = {
        "rate R2": "rate_r2", "bits/spike": "bits_per_spike",
        "bits/spike of the true rates": "bits_of_truth", "KL f, nats": "kl_f", "KL z, nats": "kl_z",
    }  # fmt: skip
    delays = ", ".join(str(r[f"delay_by_{seen}"]) for seen in ("size", "step") for r in runs)
    note = (
        f"Found: within {TOLERANCE} bins (a bin at random: 0.05 of trials, the middle: 0.10), less "
        f"a delay of each fit, fixed on its training trials: by size, then by step, {delays} bins."
    )
    seconds = f"A fit took {min(r['fit_s'] for r in runs):.0f} s or more beside other work."
    return f"{rows(runs, pulses)}\n{note}\n\n{rows(runs, rates)}\n{seconds} {tables.machine()}.\n"


def rows(runs: list[dict], columns: dict[str, str]) -> str:
    """One row for each fit, and for several of one normalisation their mean."""
    found = []
    for kind in dict.fromkeys(r["normalize"] for r in runs):
        group = [r for r in runs if r["normalize"] == kind]
        found += [[kind, r["seed"], *(f"{r[n]:.3f}" for n in columns.values())] for r in group]
        spread = (tables.mean_and_spread([r[n] for r in group]) for n in columns.values())
        if len(group) > 1:
            found.append([kind, "mean ± SD", *spread])
    return tables.markdown(["normalised by", "seed", *columns], found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--normalize", nargs="+", default=["global", "trial"])
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--name", default="chaotic")
    parser.add_argument("--figure", metavar="PATH", help="PNG of the first fit, which is made anew")
    args = parser.parse_args()
    params, settings = chosen(args.set)
    same = {"params": PARAMS | params, "settings": SETTINGS | settings, "data": SIMULATION}
    path = tables.RESULTS / f"{args.name}.json"
    runs = json.loads(path.read_text()) if path.exists() else []
    runs = [r for r in runs if all(r[name] == value for name, value in same.items())]
    for index, (kind, seed) in enumerate(itertools.product(args.normalize, args.seeds)):
        drawn = args.figure if index == 0 else None
        others = [r for r in runs if (r["normalize"], r["seed"]) != (kind, seed)]
        if len(others) == len(runs) or drawn:
            scores = run(seed, kind, same["params"], same["settings"], drawn)
            runs = [*others, {"normalize": kind, "seed": seed} | scores | same]
            runs.sort(key=lambda r: (r["normalize"], r["seed"]))
        tables.write(args.name, runs, table(runs))  # what there is so far


if __name__ == "__main__":
    main()
