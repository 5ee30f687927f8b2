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
# # What stays and what moves: DSAE and the swap test
#
# Some of what drives a population is the same through a trial: the target, the stimulus, the mood.
# Some changes from bin to bin: the movement, the rhythm. A *disentangled sequential autoencoder*
# (Li and Mandt 2018) has a latent for each: $f$, one vector for a trial, and $z_t$, one for each
# bin. Nobody tells it what belongs where. Does it find out, and how can we know?
#
# ## Trials with two causes
#
# Thirty neurons; the class of the trial, one of four, moves the rate of each for the whole trial,
# and a noisy oscillator, at another phase in each trial, moves it in time. A trial lasts two turns
# of it, so that its mean over a trial, which could not be told from a class, is near zero. We know
# both causes, the model does not.

# %%
import matplotlib.pyplot as plt
import numpy as np

from tfp_bvae import data, inference, metrics, models, plots, training

plt.rcParams.update(plots.STYLE)
dataset = data.static_dynamic(seed=1, num_trials=70, num_valid=20, num_bins=50)
valid, bin_width = dataset.valid, dataset.bin_width
classes, oscillator = dataset.attrs["valid_static"], dataset.attrs["valid_dynamic"]

plots.plot_spikes_with_rates(valid.recon[0], valid.truth[0], bin_width)[0].figure

# %% [markdown]
# One trial: what the model is given, and the rates that the spikes were drawn from.
#
# ## One decoder, two posteriors
#
# What is generated is the same in both forms of the model: $f \sim p(f)$, then
# $z_t \sim p(z_t \mid z_{<t})$ from a recurrent network that learns the dynamics, and the rates of
# a bin from $z_t$ and $f$ alone. They differ in what $z_t$ is inferred from:
#
# $$
# q(z_t \mid x_{1:T}, f) \;\;\text{(full)} \qquad\qquad q(z_t \mid x_t) \;\;\text{(factorized)}
# $$
#
# The full posterior reads the whole trial, and knows $f$. The factorized one sees its own bin and
# nothing else: cheap, and causal. It would also learn to copy the spikes of its bin;
# `coordinated_dropout` hides a fifth of the entries from the encoders, and only these teach.

# %%
params = {"f_size": 6, "z_size": 4, "beta_f": 1.0, "beta_z": 1.0, "f_encoder_units": 24,
          "z_encoder_units": 32, "z_prior_units": 16, "factors": 16, "dropout": 0.0,
          "coordinated_dropout": 0.2}  # fmt: skip
settings = {"epochs": 45, "warm_up": 10, "learning_rate": 5e-3, "validate_every": 15}
fitted, found = {}, {}
for posterior in ("full", "factorized"):
    fitted[posterior] = model = models.dsae(
        training.data_arguments(dataset),
        params | ({"z_encoder_units2": 24} if posterior == "full" else {}),
        posterior,
        mean_rates=training.mean_rates(dataset.train),
    )
    history = training.fit(model, dataset, settings, verbose=False)
    found[posterior] = inference.posterior_mean(model, valid)
    print(
        f"{posterior}: R2 of the rates {metrics.rate_r2(found[posterior].rates, valid.truth):.2f}, "
        f"held-out {history[-1]['val_heldout']:.2f} bits/spike"
    )

# %%
channel = int(np.argmax(np.linalg.norm(dataset.attrs["dynamic_loadings"], axis=0)))
fig, axes = plt.subplots(1, 2, figsize=(7.2, 2.4), layout="constrained", sharey=True)
for ax, (name, posterior) in zip(axes, found.items(), strict=True):
    plots.plot_channel(
        posterior.rates[0, :, channel], bin_width, key=name == "full", ax=ax,
        true=valid.truth[0, :, channel], spikes=valid.recon[0, :, channel],
    )  # fmt: skip
    ax.set_title(name, loc="right")
_ = axes[1].set_ylabel("")

# %% [markdown]
# One neuron in one trial. A single bin says little where a neuron fires once in a while, and the
# factorized posterior cannot average over bins: its rates are noisier.
#
# ## Look at the latents
#
# Each dot is a trial, in the two directions in which its latent varies most; colours are the
# classes, which no model has seen. Above $f$, below $z$ averaged over the trial.

# %%


def main_directions(x):
    """The first two principal components of each trial."""
    centred = x - x.mean(axis=0)
    return centred @ np.linalg.svd(centred, full_matrices=False)[2][:2].T


colours = np.array(["#0072B2", "#E69F00", "#009E73", "#CC79A7"])  # Okabe and Ito
fig, grid = plt.subplots(2, 2, figsize=(6.4, 5.0), layout="constrained")
for column, (name, posterior) in zip(grid.T, found.items(), strict=True):
    for ax, x, what in zip(
        column, (posterior.f, posterior.inferred.mean(axis=1)), ("f", "mean z"), strict=True
    ):
        for number, (colour, marker) in enumerate(zip(colours, "os^D", strict=True)):
            ax.plot(
                *main_directions(x)[classes == number].T, marker, ms=4, color=colour, alpha=0.8,
                mew=0, label=f"class {number}",
            )  # fmt: skip
        ax.set(xlabel="component 1", ylabel="component 2")
        ax.set_title(f"{name}: {what}")
_ = grid[0, 1].legend(loc="upper left", bbox_to_anchor=(1, 1))

# %% [markdown]
# Four clusters in $f$, in both. In the mean of $z$ of the full model the classes lie on each other,
# as they should; in that of the factorized one they shift. That is **leakage**, and pictures of two
# directions do not suffice to rule it out. `cross_probes` reads each side from each latent with
# linear decoders, on trials left out of them, and says what chance would give.

# %%
probes = {
    name: metrics.cross_probes(x.f, x.inferred, classes, oscillator, permutations=3)
    for name, x in found.items()
}
for name, probe in probes.items():
    print(f"{name}\n{probe}\n")

# %% [markdown]
# $f$ knows the class and not the oscillator, $z$ the oscillator. The class in the mean of $z$ is
# near chance for the full posterior and well above for the factorized one, and there is a reason:
# an encoder that sees one bin, and not $f$, cannot tell a neuron that fires because of the class
# from one that fires because of the oscillator. The full one is told $f$, and subtracts.

# %%
full, factorized = probes["full"], probes["factorized"]
assert min(full.f_static.score, factorized.f_static.score) > 0.95
assert max(full.f_dynamic.score, factorized.f_dynamic.score) < 0.15
assert full.z_dynamic.score > factorized.z_dynamic.score > 0.6
assert factorized.z_static.score > full.z_static.score + 0.05
assert full.z_static.score < full.z_static.chance + 0.2

# %% [markdown]
# ## The swap test
#
# A probe says what can be read from a latent, not what the decoder makes of it. So let it decode:
# the $f$ of one trial with the $z$ of another. Here are three trials of three classes; framed are
# the trials themselves, in their row the same $f$, in their column the same $z$.

# %%
three = [5, 25, 65]
pairs = inference.swap_grid(fitted["full"], valid, three)
axes = plots.plot_swaps(pairs, bin_width, names=[f"trial {number}" for number in three])
for ax in axes.flat:
    ax.set_xticks([0.0, 0.5, 1.0])
axes[0, 0].figure

# %% [markdown]
# Which neurons are bright at all follows the row; when they are follows the column. In numbers: two
# *judges* that have learned on real spikes of the training trials, one to tell the class, one to
# read the oscillator, look at 80 swapped trials.

# %%
train = dataset.train.recon, dataset.attrs
judges = (
    metrics.fit_class_judge(train[0], train[1]["train_static"]),
    metrics.fit_path_judge(train[0], train[1]["train_dynamic"]),
)
scores = {}
for name, model in fitted.items():
    made = inference.swap(model, valid)
    scores[name] = metrics.swap_scores(
        *judges, made.rates, found[name].rates, classes, oscillator, made.source
    )
    print(f"{name}\n{scores[name]}\n")

# %% [markdown]
# Row by row: the judges find in a swapped trial the class of the trial that $f$ is from and the
# path of the one that $z$ is from, as they do in trials that were not swapped, and nothing of the
# partner's other half. The path is read less well from the factorized model, which infers it less
# well.
#
# Note that the factorized model passes, although its $z$ tells the class. The decoder goes by $f$,
# and what has leaked does little. Probe and swap answer two questions: what is in a latent, and
# what is made of it. Ask both.

# %%
swapped = {name: x.swapped for name, x in scores.items()}
assert min(x.both for x in swapped.values()) > 0.8
assert all(x.swapped.both > x.unswapped.both - 0.1 for x in scores.values())
assert max(x.static_of_partner for x in swapped.values()) < 0.5
assert swapped["full"].dynamic > max(0.8, swapped["factorized"].dynamic)
assert abs(swapped["full"].dynamic - scores["full"].unswapped.dynamic) < 0.05

# %% [markdown]
# ## Along one dimension
#
# What does a dimension of $f$ stand for? `traverse` moves it over its prior and keeps all else.
# Means over trials, for the two dimensions that matter most and the three neurons they change most:

# %%
moved = inference.traverse(fitted["full"], valid.select(range(0, 80, 4)))
used = np.argsort(-moved.effect.sum(axis=1))[:2]
axes = plots.plot_traversals(moved.values, moved.rates, bin_width, dims=used)
axes[0, 0].figure

# %% [markdown]
# Each line is scaled as a whole: nothing moves in time, as it should be for what is static. The
# axes of $f$ are its own, any rotation of the plane of the classes would do.
#
# ## For your own data
#
# There the truth is not known, but the test can be had: probes and judges need a label of what
# should stay (condition, target, block) and a measurement of what should move (velocity, force,
# phase). A probe at chance where it should be, high where it should be, and swapped trials that
# judges cannot tell from real ones: then $f$ and $z$ are what their names say.
#
# Further: [DSAE full](../models/dsae.md) and [factorized](../models/dsae_factorized.md), with other
# decoders and what to watch; [the four models on this problem](../benchmarks.md).
