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
# # What beta does, and how to choose it
#
# A beta-VAE pays for what its latents say: each nat that a posterior tells beyond its prior costs
# $\beta$ nats of the loss. Here we turn this one knob over four orders of magnitude, on a problem
# whose answer is known, and watch a model go from copying spikes to saying nothing.
#
# $$
# \mathcal L = \underbrace{-\log p(x \mid f, z)}_{\text{distortion}}
#  + \beta\, \underbrace{(\mathrm{KL}_f + \mathrm{KL}_z)}_{\text{rate}}
# $$
#
# The *rate* is how much is said about a trial (a word of information theory, no firing rate), the
# *distortion* how unlikely the spikes are given what was said. Both are in nats per trial.
#
# ## A problem with a known answer
#
# Thirty neurons follow two things: the class of the trial, one of four points in a plane, and an
# oscillator that turns in another plane. So two dimensions that stay and two that move are all
# there is to tell; the rest is Poisson noise. The model, a DSAE, is given six dimensions for each:
# $f$ for what stays, $z$ for what moves. LFADS goes the same way from copying to collapse.

# %%
import matplotlib.pyplot as plt
import numpy as np
import tf_keras

from tfp_bvae import data, inference, metrics, models, plots, training

plt.rcParams.update(plots.STYLE)
dataset = data.static_dynamic(seed=0, num_trials=84, num_valid=20, num_bins=30)
model = models.dsae(
    training.data_arguments(dataset),
    {"f_size": 6, "z_size": 6, "f_encoder_units": 24, "z_encoder_units": 24,
     "z_encoder_units2": 24, "z_prior_units": 16, "factors": 16, "dropout": 0.0,
     "coordinated_dropout": 0.0, "capacity_f": 0.0, "capacity_z": 0.0},
    mean_rates=training.mean_rates(dataset.train),
)  # fmt: skip
dataset

# %% [markdown]
# Dropout is off, so that nothing but $\beta$ stands between the model and a copy of its input. The
# capacities of 0 change nothing yet; we come to them at the end.
#
# ## One model, many betas
#
# `training.fit` would do, once for each $\beta$, with a compilation each. But the weight of a KL
# term is a variable of its layer, `model.get_layer("kl_z").beta`, so one compiled step serves for
# all: give the model its first weights back, and go again. Over the first epochs, the *warm-up*,
# $\beta$ rises from near 0 to its value.

# %%
EPOCHS, LEARNING_RATE = 44, 5e-3
settings = training.FitSettings(learning_rate=LEARNING_RATE, batch_size=64, epochs=EPOCHS)
training.compile_model(model, settings, steps=None)
spikes, targets = models.model_arrays(model, dataset.train)
variables = [*model.weights, *model.optimizer.variables]
first = [variable.numpy() for variable in variables]
terms = [model.get_layer(name) for name in ("kl_f", "kl_z")]


def refit(beta, warm_up=10, capacities=(0.0, 0.0)):
    """Fit from the first weights again; the loss and the KL terms of each epoch."""
    for variable, value in zip(variables, first, strict=True):
        variable.assign(value)
    for term, capacity in zip(terms, capacities, strict=True):
        term.capacity.assign(capacity)

    def begin_epoch(epoch, logs):
        for term in terms:
            term.beta.assign(beta * min(1.0, (epoch + 1) / warm_up))
        half_cosine = 0.5 * (1 + np.cos(np.pi * epoch / EPOCHS))
        model.optimizer.learning_rate.assign(LEARNING_RATE * half_cosine)

    schedule = tf_keras.callbacks.LambdaCallback(on_epoch_begin=begin_epoch)
    history = model.fit(
        spikes, targets, batch_size=64, epochs=EPOCHS, verbose=0, callbacks=[schedule]
    ).history
    return {name: np.array(values) for name, values in history.items()}


# %% [markdown]
# After each fit we ask three things. What was the objective made of? How well are the spikes of
# validation trials predicted if the encoders *see* them? And how well are those that they *do not
# see*: `HeldOut` hides a fifth of the entries (a neuron in a bin) at random, and scores only these.
# Scores are in bits per spike, beyond knowing the mean rate of each neuron.

# %%
held_out = training.HeldOut(model, dataset.valid, batch_size=64, jit_compile=False)
betas = np.array([0.01, 0.3, 1.0, 3.0, 10.0, 100.0])
fits, found, unseen, kl = [], [], [], {"f": [], "z": []}
for beta in betas:
    fits.append(refit(beta))
    found.append(inference.posterior_mean(model, dataset.valid))
    unseen.append(held_out())
    for latent, beside in inference.compare_with_prior(model, dataset.valid).items():
        kl[latent].append(beside.kl)

rate = np.array([fit["kl_f"][-1] + fit["kl_z"][-1] for fit in fits])
distortion = np.array([fit["loss"][-1] for fit in fits]) - betas * rate
seen = [metrics.bits_per_spike(x.rates, dataset.valid.recon) for x in found]
r2 = [metrics.rate_r2(x.rates, dataset.valid.truth) for x in found]
print("  beta    rate  distortion    seen  unseen  R2 of rates")
for row in zip(betas, rate, distortion, seen, unseen, r2, strict=True):
    print("{:6g}  {:6.1f}      {:6.0f}  {:6.3f}  {:6.3f}  {:11.2f}".format(*row))

# %% [markdown]
# ## Rate and distortion
#
# Left: what a trial costs to tell, and how well it is told. Right: what that is worth.

# %%
of_truth = metrics.bits_per_spike(dataset.valid.truth, dataset.valid.recon)
noise = metrics.poisson_nll(dataset.train.truth, dataset.train.recon) / dataset.train.num_trials
shades = plt.colormaps["viridis"](np.linspace(0.0, 0.9, len(betas)))

fig, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.2), layout="constrained")
left.axhline(noise, color="black", ls="--", lw=0.9)
left.annotate("true rates", (0, noise), xytext=(0, 3), textcoords="offset points")
left.plot(rate, distortion, color=plots.COLOURS["faint"], lw=0.8, zorder=1)
left.scatter(rate, distortion, color=shades, s=32, zorder=2)
for beta, x, y in zip(betas, rate, distortion, strict=True):
    left.annotate(f"{beta:g}", (x, y), xytext=(5, 3), textcoords="offset points")
left.set_xscale("symlog", linthresh=1.0)
left.set_title("numbers: β", loc="right")
left.set(xlim=(-0.15, 1500), xticks=[0, 1, 10, 100], xticklabels=["0", "1", "10", "100"])
left.set(xlabel="rate: KL (nats/trial)", ylabel="distortion (nats/trial)")
right.axhline(of_truth, color="black", ls="--", lw=0.9, label="true rates")
right.plot(betas, seen, "s-", color=plots.COLOURS["mark"], ms=4, label="entries it sees")
right.plot(betas, unseen, "o-", color=plots.COLOURS["inferred"], ms=4, label="unseen entries")
right.set(xscale="log", xlabel="β", ylabel="score (bits/spike)")
_ = right.legend(loc="lower left")

# %% [markdown]
# **Small β copies.** The dashed lines are of the true rates, those that the spikes were drawn from:
# nobody can predict spikes better. A model that seems to, below the line on the left and above it
# on the right, has taken the noise of these very spikes into its latents. Of spikes it did not see
# it knows the less.
#
# **Large β collapses.** First what a latent says gets coarser, then it says nothing, and what is
# left is the mean rate of each neuron.
#
# **Between them β is a price.** A nat is told only if it makes the spikes $\beta$ nats likelier. So
# of two neighbours on the curve, the distortion that is saved for each further nat of rate is about
# their $\beta$:

# %%
saved = -np.diff(distortion) / np.diff(rate)
for low, high, nats in zip(betas[:-1], betas[1:], saved, strict=True):
    print(f"from beta {high:5g} down to {low:4g}: {nats:7.2f} nats of distortion for a nat of rate")

# %%
best = int(np.argmax(unseen))
assert betas[best] in (0.3, 1.0, 3.0), unseen  # what the page says of copying and collapse
assert seen[0] > of_truth > unseen[0] and unseen[0] < unseen[best]
assert distortion[0] < noise < distortion[-1] and abs(unseen[-1]) < 0.03
assert r2[best] > max(r2) - 0.05 and np.argmax(seen) < best

# %% [markdown]
# The same on one neuron in one trial, at the smallest β, the best, and the largest. At the left the
# inferred rate runs after single spikes (ticks below), in the middle it is about the true rate, at
# the right the trial is not heard any more.

# %%
shown = [0, best, len(betas) - 1]
channel = int(np.argmax(np.linalg.norm(dataset.attrs["dynamic_loadings"], axis=0)))
fig, axes = plt.subplots(1, 3, figsize=(7.2, 2.3), layout="constrained", sharex=True, sharey=True)
for ax, number in zip(axes, shown, strict=True):
    plots.plot_channel(
        found[number].rates[0, :, channel], dataset.bin_width, ax=ax, key=False,
        true=dataset.valid.truth[0, :, channel], spikes=dataset.valid.recon[0, :, channel],
    )  # fmt: skip
    ax.set_title(f"β = {betas[number]:g}")
highest = max(found[number].rates[0, :, channel].max() for number in shown) / dataset.bin_width
axes[0].set_ylim(-0.2 * highest, 1.05 * highest)
for ax in axes[1:]:
    ax.set_ylabel("")
_ = axes[2].legend(loc="upper center")

# %% [markdown]
# ## Dimensions die one by one
#
# What each dimension tells, for each $\beta$. There are six for $f$ and six for $z$; one is dropped
# where the nats it costs outweigh the nats it saves. At $\beta = 3$ two are left of $f$, enough for
# four classes, and two have most of what $z$ tells, as many as an oscillator has variables. The
# others are all but *dead*: their posterior is their prior. That does no harm. A whole latent that
# dies does. (After a fit as short as these, a third or fourth dimension of $z$ may have a part of
# it still. So count what is dead, and do not take what is alive for the number of causes.)

# %%
fig, axes = plt.subplots(1, 2, figsize=(7.2, 2.9), layout="constrained", sharey=True)
for ax, latent, what in zip(axes, "fz", ("static", "dynamic"), strict=True):
    for dimension in np.sort(kl[latent], axis=1).T[::-1]:
        ax.plot(betas, np.maximum(dimension, 1e-3), "o-", ms=3, color=plots.COLOURS["inferred"])
    ax.axhspan(1e-3, 0.1, color="0.92", lw=0)
    ax.set(xscale="log", yscale="log", xlabel="β", ylim=(1e-3, 150))
    ax.set_title(f"{latent}, {what}")
axes[0].set_ylabel("KL of a dimension (nats/trial)")
_ = axes[0].annotate("dead", (0.01, 0.1), va="top", xytext=(0, -3), textcoords="offset points")

# %%
told = {latent: np.sort(kl[latent], axis=1)[:, ::-1] for latent in "fz"}
at_three = list(betas).index(3.0)
for latent in "fz":
    print(f"{latent} at beta 3, nats by dimension:", told[latent][at_three].round(2))
    assert told[latent][0].min() > 0.1 > told[latent][-1].max()
assert told["f"][at_three, 1] > 4 * told["f"][at_three, 2]
assert told["z"][at_three, :2].sum() > told["z"][at_three, 2:].sum()
at_ten = list(betas).index(10.0)
assert np.sum(kl["z"][at_ten]) < 1 < np.sum(kl["f"][at_ten])

# %% [markdown]
# `plots.plot_kl` and `metrics.collapse_report` say this of a fit; a report of a run has both.
#
# ## A latent that has collapsed
#
# At $\beta = 10$ nothing is left of $z$. Is it too dear at this price? Not quite: early in a fit
# the decoder cannot use $z$ yet, so telling costs and saves nothing, and once the posterior is at
# its prior no gradient says what might be gained. Two cures, on the same model:
#
# - **A longer warm-up**: $z$ is cheap for the first part of the fit, until it is of use.
# - **A capacity** $C$ (Burgess et al. 2018): the KL term is $\beta\,|\mathrm{KL} - C|$, which holds
#   the rate at $C$ nats whatever $\beta$ is. With $C = 0$, as up to here, it is the plain KL.

# %%
LARGE = 10.0
cures = {
    "no warm-up": {"warm_up": 1},
    "warm-up of 30 epochs": {"warm_up": 30},
    "capacity: 4 nats for f, 15 for z": {"capacities": (4.0, 15.0)},
}
fig, ax = plt.subplots(figsize=(5.6, 3.0), layout="constrained")
outcome = {}
for (name, how), colour in zip(cures.items(), ("#000000", "#0072B2", "#D55E00"), strict=True):
    fit = refit(LARGE, **how)
    outcome[name] = fit["kl_z"][-1], held_out(), fit["loss"][-1]
    ax.plot(np.arange(1, EPOCHS + 1), fit["kl_z"], color=colour, label=name)
    print(f"{name}: KL of z {outcome[name][0]:.1f} nats, unseen {outcome[name][1]:.3f} bits/spike")
ax.set(xlabel="epoch", ylabel="KL of z (nats/trial)", ylim=(0, None))
ax.set_title(f"β = {LARGE:g}")
_ = ax.legend()

# %%
(dead, score, loss), (alive, cured, less), (held, with_capacity, _) = outcome.values()
assert dead < 1.0 < 3.0 < alive and cured > score + 0.1 and with_capacity > score + 0.1
assert less < loss and 12.0 < held < 18.0
print(f"the same objective at the end: {loss:.0f} nats without, {less:.0f} with the warm-up")

# %% [markdown]
# With the warm-up the *same* objective ends lower: the collapse was where the fit got stuck, not
# what $\beta$ asked for. In `training.fit` the settings are `warm_up` and `beta_schedule`
# (`"cyclical"` lets $\beta$ rise several times, `"capacity"` lets $C$ rise). Those of a model are
# `capacity_f` and `capacity_z`, or `free_bits_f` and `free_bits_z`: so many nats of each dimension
# cost nothing. And there is the plain cure, a smaller $\beta$.
#
# ## How to choose
#
# 1. Begin at $\beta = 1$, where the loss is a bound on $-\log p(x)$, and with a warm-up.
# 2. Judge by entries, neurons or bins that the encoders do **not** see. `training.fit` does:
#    `val_heldout` in its history, by which it keeps its best weights. Among the fits above, that
#    score finds one whose rates are about as near to the true ones as any, and its top is broad: no
#    need to hit $\beta$ within a factor of two. The score on seen entries picks a copy.
# 3. Look at the KL of both latents, and of each dimension. `beta_f` and `beta_z` are separate: a
#    cheap $z$ can tell what was meant for $f$, and the other way round.
# 4. *Coordinated dropout* is another guard against copying: an entry teaches only where it was
#    hidden from the encoders. With it a smaller $\beta$ does; LFADS here has it by default, and
#    betas of 0.1.
#
# A weight from another LFADS package is not a $\beta$: there the reconstruction is a mean over bins
# and neurons, so that $\beta = k\,T N$. A weight of $10^{-4}$ for 180 bins of 182 neurons:

# %%
print(f"beta = {1e-4 * 180 * 182:.2f}")

# %% [markdown]
# Further: [units, and the KL weights of other packages](../notation.md), [tuning, where betas
# change during the fit](../tuning.md), [all figures](../gallery.md).
