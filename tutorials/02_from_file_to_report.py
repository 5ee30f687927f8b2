# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Your own recording, from file to report
#
# A public recording of macaque motor cortex: 96 channels, 296 trials in which the animal pushed
# against a handle towards one of eight targets. `data.fetch` brings it, or the variable `M1_DAY0`
# says where the file is. Without either this page makes up trials of the same kind, a quarter as
# many, so that it runs anywhere; the first line that is printed tells which it was. With a file of
# your own, `path` is that file.

# %%
import os
import tempfile
from pathlib import Path

import numpy as np

from tfp_bvae import data, metrics, plots

folder = Path(tempfile.mkdtemp())


# %% tags=["hide-input"]
def made_up() -> Path:
    """Forty neurons tuned to the direction of a push, as a file of trials."""
    rng = np.random.default_rng(0)
    target = np.repeat(np.arange(8), 9)
    time = -0.2 + 0.05 * np.arange(32)
    push = 1 / (1 + np.exp(-(time - rng.normal(0.4, 0.08, [72, 1])) / 0.08))  # [trial, time]
    angle = 2 * np.pi * target / 8
    force = push[..., np.newaxis] * np.stack([np.cos(angle), np.sin(angle)], -1)[:, np.newaxis]
    tuning = rng.normal(0, 0.9, [2, 40])
    counts = rng.poisson(np.exp(0.3 + force @ tuning))
    trials = data.trials_dataset(
        counts,
        0.05,
        behavior=force,
        coords={"time": time, "condition": target, "behavior_channel": ["force x", "force y"]},
    )
    data.save(folder / "made_up.nc", trials)
    return folder / "made_up.nc"


# %%
try:
    path = os.environ.get("M1_DAY0") or data.fetch("m1-isometric-day0", progress=False)
except (ConnectionError, ImportError):
    path = made_up()
trials = data.load(path)
print(trials.attrs["source"])

# %% [markdown]
# ## What is in it
#
# `load` goes by the content of a file: NWB, MATLAB, npz, HDF5 with the keys of other packages,
# netCDF, zarr. What comes back is one labelled `xarray.Dataset`, whatever the file was.

# %%
trials

# %% [markdown]
# xarray knows the names. The mean count of each condition, before and after the push begins:

# %%
by_condition = trials.spikes.mean("channel").groupby("condition").mean("trial")
rates = by_condition / trials.attrs["bin_width"]
early, late = rates.sel(time=slice(None, 0.1)), rates.sel(time=slice(0.5, 0.9))
for condition in rates.condition.values:
    before, after = (float(x.sel(condition=condition).mean()) for x in (early, late))
    print(f"condition {condition}: {before:5.1f} spikes/s before, {after:5.1f} after")

# %% [markdown]
# ## What the model may see
#
# A fifth of the trials of each condition is for validation. Every fourth channel is held out: the
# encoders do not see it, and the model is asked to predict it. That is co-smoothing, the score by
# which models are compared.

# %%
trials = data.split_trials(trials, 0.2, by="condition", seed=0)
trials = data.hold_out_channels(trials, every=4)
data.save(folder / "trials.h5", trials)
data.to_splits(trials)

# %% [markdown]
# ## Fit, and report
#
# From here on it is two commands. In a shell: `tfp-bvae fit trials.h5 --out run ...`, and
# `tfp-bvae report run`. Forty epochs are few; the benchmark below takes 150.

# %%
from tfp_bvae.cli import main as tfp_bvae

settings = ["beta_z=0.3", "batch_size=32", "generator_units=64", "f_encoder_units=48",
            "z_encoder_units=48", "controller_units=48", "factors=20"]  # fmt: skip
options = [word for setting in settings for word in ("--set", setting)]
run = str(folder / "run")
tfp_bvae(["fit", str(folder / "trials.h5"), "--out", run, "--epochs", "40", "--quiet", *options])
tfp_bvae(["report", run])

# %% [markdown]
# `run/report.html` is one file, to open in a browser or to send: what was fitted to what, how well
# beside simple methods, pictures, and what looks wrong with what to do about it.
#
# ## The results in your own hands
#
# `tfp-bvae export` writes them with their names, here as netCDF for xarray.

# %%
import xarray as xr

tfp_bvae(["export", run, "--out", str(folder / "results.nc"), "--format", "netcdf"])
results = xr.open_dataset(folder / "results.nc", engine="h5netcdf")
results

# %% [markdown]
# Measured and inferred rates of three channels that the encoders never saw, averaged by condition;
# validation and training trials together.

# %%
spikes = trials.spikes.sel(trial=results.trial.values, channel=results.channel.values)
held_out = np.flatnonzero(trials.held_out.sel(channel=results.channel.values).values)
start = float(trials.time[0])
axes = plots.plot_psth(
    spikes.values,
    results.rates.values,
    results.condition.values,
    trials.attrs["bin_width"],
    channels=held_out[:3],
    smooth=0.05,
    start=start,
    order="circle",
)
axes[0, 0].figure

# %%
ax = plots.plot_factors(results.factors.values, conditions=results.condition.values, order="circle")
ax.figure

# %% [markdown]
# ## Behaviour from the rates
#
# A ridge regression from the log-rates to what was measured beside, its penalty chosen inside the
# training trials, scored on validation trials.

# %%
behavior = trials.behavior.sel(trial=results.trial.values).values
train = results.split.values == "train"
logs = np.log(np.maximum(results.rates.values, 1e-9))
r2 = metrics.ridge_r2(logs[train], behavior[train], logs[~train], behavior[~train])
for name, value in zip(trials.behavior_channel.values[:2], r2, strict=False):
    print(f"{name}: R2 {value:.2f}")

# %% [markdown]
# The whole benchmark on this recording, three splits and three seeds of a longer fit beside simple
# methods, is on the page of the [benchmarks](../benchmarks.md).
