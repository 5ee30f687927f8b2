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
# # Tuning, on a laptop and on a cluster
#
# How well a model of spikes does hangs on a few numbers that nobody knows beforehand: the learning
# rate, the weights of the KL terms, rates of dropout. Population based training finds them while it
# trains: a population of models with different numbers, of which the worst become copies of the
# best again and again, each copy with its numbers changed a little.
#
# This page runs a search that is much too small, four members of a tiny model on two cores, to show
# all of its parts in a minute. What follows is the same on a hundred machines.
#
# ## Three kinds of trials
#
# A search chooses by the validation trials, and so flatters itself there. To know what it found,
# keep trials that take no part: here the validation trials of the simulation are cut into two
# halves.

# %%
import dataclasses
import tempfile

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import ray

from tfp_bvae import data, inference, metrics, models, plots, training, tuning

plt.rcParams.update(plots.STYLE)
dataset = data.synthetic.lorenz(
    seed=3, num_conditions=24, num_channels=20, num_trials=8, num_valid=4, duration_ms=600
)
even, odd = np.arange(0, 96, 2), np.arange(1, 96, 2)
test = dataset.valid.select(odd)
trials = dataclasses.replace(dataset, valid=dataset.valid.select(even), attrs={})
trials, test

# %% [markdown]
# ## A search
#
# `create_run` says what is fitted to what, with settings that the search does not touch, and makes
# the folder that holds all there is to know of it. The search is one call. Two hyperparameters are
# searched here, over their usual ranges; with `space=None` it would be all that can change while a
# model trains.
#
# The first line is only there to use two processes however many cores there are; without it the
# search starts Ray by itself, takes all the cores, and ends it.

# %%
ray.init(
    address="local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR"
)
sizes = {"generator_units": 32, "f_encoder_units": 24, "z_encoder_units": 16,
         "controller_units": 16, "factors": 8, "f_size": 16, "z_size": 1}  # fmt: skip
fit = {"warm_up": 4, "batch_size": 32, "validate_every": 2, "jit_compile": False}
folder = tempfile.mkdtemp()
run = training.create_run(
    f"{folder}/tuned", "lfads", trials, training.data_arguments(trials), sizes, fit
)
tuned = tuning.population_based_training(
    run,
    trials,
    {"population": 4, "generations": 6, "epochs_per_generation": 4, "patience": None},
    space={"learning_rate": None, "beta_z": None},
)
ray.shutdown()

# %% [markdown]
# A line for each generation: the best score, the median, and what the best member trains with. The
# score is the likelihood of entries that the encoders do not see, in bits per spike.
#
# ## Who became of whom
#
# `tuned.table`, and `tuning.csv` in the folder, have a row for each member and generation. A
# `parent` is the member of which this one was a copy when the generation began.

# %%
table = pd.DataFrame(tuned.table)
table[["generation", "member", "parent", "score", "learning_rate", "beta_z"]].tail(8).round(4)

# %%
axes = plots.plot_tuning(tuned.table, axes=plots.new_axes(1, 3, (7.2, 2.8)))
axes[0].figure

# %% [markdown]
# Grey is every member, blue the line that leads to the best one of the last generation. Where a
# hyperparameter of the blue line steps, a member was replaced: the copy goes on from the weights of
# its parent, with values near those of its parent. The same seen from above: where members were,
# generation after generation.

# %%
fig, ax = plt.subplots(figsize=(5.4, 3.4), layout="constrained")
rows = {(row["generation"], row["member"]): row for row in tuned.table}
for (generation, member), row in rows.items():
    before = rows.get((generation - 1, member if row["parent"] is None else row["parent"]))
    if before is not None and before["learning_rate"] != row["learning_rate"]:
        ends = [(one["learning_rate"], one["beta_z"]) for one in (before, row)]
        ax.annotate(
            "", ends[1], ends[0], arrowprops={"arrowstyle": "->", "color": "0.6", "lw": 0.8}
        )
scatter = ax.scatter(
    table["learning_rate"], table["beta_z"], c=table["generation"], s=34, cmap="viridis", zorder=3
)
fig.colorbar(scatter, label="generation", ticks=range(1, 7))
start = tuned.table[0]
place = start["learning_rate"], start["beta_z"]
ax.annotate("defaults", place, (-8, -4), textcoords="offset points", ha="right")
ax.plot(tuned.params.learning_rate, tuned.params.beta_z, "o", mfc="none", ms=12, zorder=4,
        color=plots.COLOURS["mark"], label="of the best weights")  # fmt: skip
ax.set(xscale="log", yscale="log", xlabel="learning rate", ylabel="beta_z (weight of the KL of z)")
for axis, ticks in ((ax.xaxis, (3e-4, 1e-3, 3e-3, 1e-2)), (ax.yaxis, (0.02, 0.05, 0.1))):
    axis.set_ticks(ticks, labels=ticks)
    axis.set_minor_formatter("")
_ = ax.legend(loc="lower left")

# %% [markdown]
# The colour is the last generation in which a member stood there. An arrow goes from a parent to
# its copy, whose hyperparameters were perturbed; members that are not replaced stay where they are.
#
# ## Better than the defaults?
#
# An ordinary fit of the defaults, for as many epochs as a member had, and both scored on the trials
# that took no part.

# %%
plain = models.lfads(
    training.data_arguments(trials), sizes, mean_rates=training.mean_rates(trials.train)
)
training.fit(plain, trials, fit | {"epochs": 24}, verbose=False)
for name, model in {"defaults": plain, "tuned": tuned.model}.items():
    rates = inference.sample_and_average(model, test, num_samples=20).rates
    bits, r2 = metrics.bits_per_spike(rates, test.recon), metrics.rate_r2(rates, test.truth)
    print(f"{name:9} {bits:.3f} bits per spike, R2 of the rates {r2:.2f}")
print(f"(true rates: {metrics.bits_per_spike(test.truth, test.recon):.3f} bits per spike)")

# %% [markdown]
# Read such a comparison with care. One search of four members is no evidence: ordinary fits differ
# from seed to seed too, and a search costs as many fits as it has members. What it should be
# compared with is the best of as many ordinary fits.
#
# ## What is left
#
# The folder is an ordinary run: `tfp-bvae infer`, `evaluate`, `export` and `report` take it, and
# `run.json` has the settings that the best weights were trained with.

# %%
print(sorted(path.name for path in run.path.iterdir()))

# %% [markdown]
# ## On a cluster
#
# In a shell all of the above is one command, and on a cluster it is the same command with an
# address. Start Ray on each machine once,
#
# ```bash
# ray start --head --port 6379                # on the first
# ray start --address FIRST:6379              # on each of the others
# ```
#
# and search on the first:
#
# ```bash
# tfp-bvae tune trials.h5 --model lfads --out /shared/runs/tuned \
#     --population 20 --generations 30 --address auto
# ```
#
# In Python it is `address="auto"`. Each machine needs `tfp_bvae`, and the folder of the run on a
# disk that all of them see; both are checked before anything begins. Trials go through Ray, so that
# only the first machine needs the file. Twenty members on ten cores take turns, which makes no
# difference to the result. With GPUs, `--gpus 0.5` puts two members on each.
#
# **A machine that is lost** takes nothing with it: its members go on elsewhere, from the checkpoint
# of their last generation, and a line of the table says so.
#
# **A search that is stopped**, by you, by the scheduler of the cluster or by a power cut, goes on
# from the last generation that all members had finished, and finds what the undisturbed one would
# have found:
#
# ```bash
# tfp-bvae tune trials.h5 --out /shared/runs/tuned --resume --address auto
# ```
#
# or `resume=True`. When nothing becomes better for `--patience` generations it ends by itself.
#
# More: [what happens in a generation, how a perturbation is drawn, random search,
# costs](../tuning.md), and [the command line](../command_line.md).
