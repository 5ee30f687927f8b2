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
# # Priors over paths
#
# What a model calls surprising is up to its prior. A latent that has a value at each bin has a
# prior over *paths*: it says which values are likely, and how fast they may change. Here are the
# priors of this package, what each believes, how the KL from them is taken, and why it matters
# along which path that is done.

# %%
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
import tf_keras
from tensorflow_probability import distributions as tfd

from tfp_bvae import distributions, layers, plots

tf_keras.utils.set_random_seed(1)
plt.rcParams.update(plots.STYLE)
blue, orange, black, grey = (plots.COLOURS[c] for c in ("inferred", "mark", "true", "faint"))

# %% [markdown]
# ## What each of them believes
#
# `AR1Process` is the prior of LFADS on its inferred inputs: each bin is a fraction of the bin
# before, and something new,
#
# $$
# z_t = \phi\, z_{t-1} + e_t, \qquad \phi = e^{-1/\tau}, \qquad e_t \sim \mathcal N(0, \sigma^2),
# $$
#
# and the first bin is drawn from the stationary law $\mathcal N(0, \sigma^2 / (1 - \phi^2))$, so
# that no bin is special. `TiledMVNDiag` and `TiledMVNTriL` draw each bin anew from one and the same
# Gaussian. The paths below all have a standard deviation of 1 at every bin. What differs is time.


# %%
def ar1(tau: float, bins: int = 100) -> distributions.AR1Process:
    """An AR(1) process whose standard deviation is 1 at every bin."""
    innovation = float(np.sqrt(-np.expm1(-2 / tau)))
    return distributions.AR1Process([float(tau)], innovation, bins)


priors = {
    "tiled": distributions.TiledMVNDiag([0.0], 1.0, num_timesteps=100),
    "AR(1), tau 2 bins": ar1(2.0),
    "AR(1), tau 10 bins": ar1(10.0),
    "AR(1), tau 50 bins": ar1(50.0),
}
fig, axes = plt.subplots(2, 4, figsize=(7.2, 3.2), layout="constrained", height_ratios=[3, 2])
lags = np.arange(30)
for (above, below), (name, prior) in zip(axes.T, priors.items(), strict=True):
    paths = prior.sample(500, seed=3).numpy()[..., 0]
    for path, colour in zip(paths, (blue, orange, black), strict=False):
        above.plot(path, color=colour, lw=0.8)
    above.set(title=name, ylim=(-3.2, 3.2), xlabel="bin")
    measured = [np.mean(paths[:, : 100 - lag] * paths[:, lag:]) for lag in lags]
    below.plot(lags, measured, ".", color=blue, ms=3, label="500 samples")
    if name != "tiled":
        expected = prior.lag_covariance(lags)[:, 0]
        below.plot(lags, expected, color=grey, lw=0.8, label=r"$\phi^{lag}$")
    below.set(xlabel="lag (bins)", ylim=(-0.15, 1.1))
axes[0, 0].set_ylabel("z (a.u.)")
axes[1, 0].set_ylabel("covariance")
_ = axes[1, 3].legend(loc="lower left")

# %% [markdown]
# Dimensions can move together as well. `AR1ProcessTriL` correlates the innovations, `TiledMVNTriL`
# the values themselves; the layers `AR1Prior` and `TiledMVNPrior` take `covariance="full"` for
# that.
#
# ## A prior can be asked about a path
#
# A path has a density, and the density is a product over bins, each *given the bins before it*.
# `conditionals(path)` gives these factors. For the same path, a prior with a long time constant
# expects each bin near the last one and is surprised by a jump; the tiled prior expects the same at
# each bin, whatever came before.

# %%
path = ar1(10.0, bins=40).sample(seed=5) + 2.0 * tf.cast(tf.range(40) >= 25, tf.float32)[:, None]

fig, axes = plt.subplots(2, 3, figsize=(7.2, 3.4), layout="constrained", sharex=True, sharey="row")
asked = {
    "tiled": distributions.TiledMVNDiag([0.0], 1.0, num_timesteps=40),
    "AR(1), tau 2 bins": ar1(2.0, 40),
    "AR(1), tau 50 bins": ar1(50.0, 40),
}
for (above, below), (name, prior) in zip(axes.T, asked.items(), strict=True):
    steps = prior.conditionals(path)
    mean, sd = steps.mean()[:, 0], steps.stddev()[:, 0]
    above.fill_between(range(40), mean - 2 * sd, mean + 2 * sd, color=blue, alpha=0.25, lw=0)
    above.plot(mean, color=blue, label=r"$p(z_t \mid z_{<t})$, mean and 2 SD")
    above.plot(path[:, 0], ".", color=black, ms=4, label="the path")
    above.set(title=name)
    below.bar(range(40), -steps.log_prob(path), color=grey)
    below.set(xlabel="bin")
    print(f"{name:20} log p(path) = {prior.log_prob(path):7.1f} nats")
    assert np.isclose(tf.reduce_sum(steps.log_prob(path)), prior.log_prob(path), rtol=1e-5)
axes[0, 0].set_ylabel("z (a.u.)")
axes[1, 0].set_ylabel(r"$-\log p(z_t \mid z_{<t})$ (nats)")
_ = fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=2)

# %% [markdown]
# At bin 25 two were added to all that follows. To the slow prior that one step is the largest part
# of the cost; to the others it is a bin like others. So an inferred input with a short time
# constant may come as a pulse, and one with a long time constant had better drift.
#
# ## The KL, three ways
#
# A model's posterior of a trial is a Gaussian at each bin. Take one that follows a path of an AR(1)
# process, and its KL from that process. There is a closed form: `tfd.kl_divergence`. `path_kl`
# draws a path from the posterior, and takes the divergence of each bin in closed form, *given the
# bins before it on that path*; `sampled_kl` is $\log q - \log p$ of the drawn path and nothing
# else. The three agree in the mean.

# %%
truth = ar1(10.0)
followed = truth.sample(seed=7)
posterior = tfd.Independent(tfd.MultivariateNormalDiag(followed, 0.3 * tf.ones([1])), 1)

closed = float(tfd.kl_divergence(posterior, truth))
draws = posterior.sample(4000, seed=8)
estimates = {
    "path_kl": distributions.path_kl(posterior, truth, draws).numpy(),
    "sampled_kl": distributions.sampled_kl(posterior, truth, draws).numpy(),
}
print(f"closed form {closed:6.2f} nats")
fig, ax = plt.subplots(figsize=(5.4, 2.6), layout="constrained")
bins = np.linspace(*np.quantile(estimates["sampled_kl"], [0.0005, 0.9995]), 60)
for (name, values), colour in zip(estimates.items(), (blue, orange), strict=True):
    error = values.std() / np.sqrt(len(values))
    print(f"{name:11} {values.mean():6.2f} +- {error:.2f}, SD of one draw {values.std():.1f}")
    assert abs(values.mean() - closed) < 4 * error
    ax.hist(values, bins, density=True, histtype="step", lw=1.3, color=colour, label=name)
ax.axvline(closed, color=black, lw=0.8, ls="--", label="closed form")
ax.set(xlabel="estimate of the KL from one draw (nats per trial)", ylabel="density", yticks=[])
_ = ax.legend()

# %% [markdown]
# `KLDivergence` takes the second unless told otherwise (`method=`), for it needs no closed form:
# any prior that has `conditionals` has a `path_kl`, a recurrent network among them.
#
# ## Along which path?
#
# In `path_kl` the prior is conditioned on the path that was drawn *from the posterior*. A program
# that steps a recurrent prior forward has another path at hand, a sample of the prior itself, and
# several public models condition on that one. It runs, the loss falls, and it is another bound.
# Both, for many paths of the process above, as a function of the time constant that the prior is
# given:

# %%
paths = truth.sample(1000, seed=9)
near = tfd.MultivariateNormalDiag(paths, 0.1 * tf.ones([1]))  # a posterior around each path


def cost(prior: distributions.PathDistribution, own: bool) -> float:
    """Mean KL in nats per bin, given draws of the posterior or the prior's own samples."""
    followed = prior.sample(1000, seed=10) if own else near.sample(seed=10)
    return float(tf.reduce_mean(distributions.path_kl(near, prior, followed))) / 100


taus = np.geomspace(0.2, 40.0, 25)
on_posterior = [cost(ar1(tau), own=False) for tau in taus]
on_its_own = [cost(ar1(tau), own=True) for tau in taus]
exact = float(tf.reduce_mean(tfd.kl_divergence(tfd.Independent(near, 1), truth))) / 100

fig, ax = plt.subplots(figsize=(5.4, 3.1), layout="constrained")
ax.semilogx(taus, on_its_own, color=orange, label="given the prior's own samples")
ax.semilogx(taus, on_posterior, color=blue, label="given the posterior's path")
ax.axhline(exact, color=black, lw=0.8, ls="--", label="closed form, the true process")
ax.axvline(10.0, color=grey, lw=0.8, ls=":")
ax.text(10.3, 3.6, "true\ntau", color=grey)
ax.set(xlabel="tau of the prior (bins)", ylabel="KL (nats per bin)", ylim=(0, 4))
_ = ax.legend(loc="upper left")

# %% [markdown]
# Given the posterior's path, the cost is least near the time constant that the paths were made
# with, and there it is the closed form. Given its own samples, it is least where the prior has *no
# memory at all*: a sample of the prior knows nothing of this trial's path, so that leaning on it
# can only mislead. The best that such a prior can do is to ignore history, and be the tiled one.
# What it then overcharges the posterior, at every bin and in every dimension, is what neighbouring
# bins of the process tell about each other, $-\tfrac12 \log(1 - \phi^2)$.

# %%
neighbours = -0.5 * np.log1p(-np.exp(-2 / 10.0))
print(f"least cost given the posterior's path: {min(on_posterior):.2f} nats per bin")
print(f"                given its own samples: {min(on_its_own):.2f}")
print(f"               difference: {min(on_its_own) - min(on_posterior):.2f}")
print(f"what neighbouring bins of the process tell about each other: {neighbours:.2f}")
assert 5.0 < taus[np.argmin(on_posterior)] < 20.0
assert taus[np.argmin(on_its_own)] < 1.0
assert abs(min(on_posterior) - exact) < 0.05

# %% [markdown]
# (The difference is a little less than that here, since the posterior's own width blurs each path.)
#
# ## What a fit makes of it
#
# The same with gradients. The layer `AR1Prior` holds the logarithms of $\tau$ and $\sigma$ as
# weights; both copies start at a time constant of 3 bins, and are fitted to the paths, one given
# each path, one given samples of its own.


# %%
def train(prior: layers.AR1Prior, paths: tf.Tensor, own: bool, steps: int, rate: float) -> list:
    """Make paths likely; returns nats per bin after each step."""
    optimizer = tf_keras.optimizers.Adam(rate)

    @tf.function(jit_compile=True)
    def nats(seed):
        with tf.GradientTape() as tape:
            process = prior(paths).tensor_distribution
            noise = tf.random.stateless_normal(paths.shape, seed)
            followed = process.from_noise(noise) if own else paths
            log_prob = tf.reduce_sum(process.conditionals(followed).log_prob(paths), -1)
            loss = -tf.reduce_mean(log_prob) / paths.shape[1]
        return loss, tape.gradient(loss, prior.trainable_weights)

    prior.build(paths.shape)
    curve = []
    for step in range(steps):
        loss, gradients = nats(tf.constant([step, 0]))
        optimizer.apply_gradients(zip(gradients, prior.trainable_weights, strict=True))
        curve.append(float(loss))
    return curve


fitted = {}
print(f"{'':22} tau, bins   SD of a bin   nats per bin")
for name, own in {"given the path": False, "given its own samples": True}.items():
    prior = layers.AR1Prior(1, tau=3.0, innovation_scale=0.6)
    nats = train(prior, paths, own, steps=200, rate=0.05)[-1]
    process = fitted[name] = prior(paths).tensor_distribution
    print(f"{name:22} {process.tau[0]:9.2f} {process.stationary_scale[0]:13.2f} {nats:14.2f}")
print(f"{'the truth':22} {10:9.2f} {1:13.2f} {truth.entropy() / 100:14.2f}")
assert abs(fitted["given the path"].tau[0] - 10.0) < 1.0
assert fitted["given its own samples"].tau[0] < 1.0

# %%
fig, axes = plt.subplots(1, 3, figsize=(7.2, 1.9), layout="constrained", sharey=True)
shown = {"the truth": truth, **fitted}
for ax, (name, process), colour in zip(axes, shown.items(), (black, blue, orange), strict=True):
    for path in process.sample(2, seed=11):
        ax.plot(path, color=colour, lw=0.8)
    ax.set(title=name, xlabel="bin")
_ = axes[0].set_ylabel("z (a.u.)")

# %% [markdown]
# The marginal law is the same in all three; only the prior that followed the posterior's path has
# learned how the latent moves, and can generate it.
#
# ## A prior that learns any dynamics
#
# AR(1) cannot swing. `RecurrentMVNPrior` reads the Gaussian of each bin off a recurrent network
# that has seen the bins before, on the path it is asked about; its `conditionals` are one scan.
# Here are paths of a noisy oscillation in two dimensions (one of them dashed below), and both
# priors fitted to them. The least that any prior can pay is known: the entropy of what is new in
# each bin.

# %%
swing = 0.97 * np.array([[np.cos(0.5), -np.sin(0.5)], [np.sin(0.5), np.cos(0.5)]])
state = np.zeros([400, 2])
rng = np.random.default_rng(0)
oscillation = []
for _ in range(200):
    state = state @ swing.T + rng.normal(0, 0.3, [400, 2])
    oscillation.append(state)
oscillation = tf.constant(np.stack(oscillation[100:], 1), tf.float32)  # past the beginning
known = 2 * 0.5 * np.log(2 * np.pi * np.e * 0.3**2)

candidates = {
    "AR(1)": (layers.AR1Prior(2), 300, 0.03),
    "recurrent": (layers.RecurrentMVNPrior(2, units=24), 300, 0.01),
}
for name, (prior, steps, rate) in candidates.items():
    curve = train(prior, oscillation, own=False, steps=steps, rate=rate)
    print(f"{name:10} {curve[-1]:.2f} nats per bin")
    fitted[name] = curve[-1]
print(f"{'the least':10} {known:.2f}")
assert known < fitted["recurrent"] < known + 0.3 < known + 1.0 < fitted["AR(1)"]

# %%
fig, axes = plt.subplots(1, 3, figsize=(7.2, 2.0), layout="constrained", sharey=True)
samples = {name: layers.sample_z_prior(prior, 100, seed=[1, 2])[0][0, 0].numpy()
           for name, (prior, _, _) in candidates.items()}  # fmt: skip
samples = {"the paths": oscillation[0].numpy(), **samples}
for ax, (name, path), colour in zip(axes, samples.items(), (black, orange, blue), strict=True):
    ax.plot(path[:, 0], color=colour, lw=1.0)
    ax.plot(path[:, 1], color=colour, lw=0.8, ls="--")
    ax.set(title=name, xlabel="bin")
_ = axes[0].set_ylabel("z (a.u.)")

# %% [markdown]
# Only the recurrent one goes round. AR(1) has the right scale and the right correlation from one
# bin to the next, and no more to say.
#
# In a model it takes one word to change from one to the other: `models.lfads(arguments, {"z_prior":
# "gru"})` in place of `"ar1"`, or `"tiled"`; in a model of your own, another layer beside
# [`KLDivergence`](../drop_in.md). AR(1) suits a latent that is an input and may come at any time,
# as in LFADS; a recurrent prior suits one that has the dynamics itself, as in DSAE.
#
# More: [all prior layers](../layers.md), [why this
# design](../design.md#sequence-priors-one-protocol), and [the
# benchmark](../benchmarks.md#priors-that-recover-an-ar1), where priors inside a whole model are
# fitted to spikes in both ways.
