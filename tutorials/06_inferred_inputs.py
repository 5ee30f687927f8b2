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
# # Inferred inputs: finding when something pushed the system
#
# A network that runs by itself is predictable: its state now says where it will be. What it cannot
# predict came from elsewhere, a stimulus, another area, a change of mind. LFADS has a place for
# that, the *inferred inputs*: a controller reads the spikes and tells the generator, bin by bin,
# what its own dynamics did not foresee. Here a system is pushed at moments that we know and the
# model does not. Does it find them?
#
# ## A system, and pushes
#
# Two variables that turn around each other, and slowly die away. In each trial something pushes
# them at no, one or two random moments, to the right or to the left. The logarithms of the rates of
# 30 neurons follow the two variables.

# %%
import matplotlib.pyplot as plt
import numpy as np

from tfp_bvae import data, inference, metrics, models, plots, training

BIN, BINS, TRIALS, TRAIN = 0.02, 50, 400, 320  # bins of 20 ms
rng = np.random.default_rng(0)


def pushed_system() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pushes of every trial, 1 to the right and -1 to the left; the state; and rates."""
    pushes = np.zeros([TRIALS, BINS])
    for trial in pushes:
        number = rng.integers(0, 3)
        when = rng.choice(np.arange(5, BINS - 5, 10), number, replace=False)
        trial[when + rng.integers(0, 5, number)] = rng.choice([-1, 1], number)
    angle = 2 * np.pi * 2.0 * BIN  # two turns per second
    turn = 0.97 * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    state, path = rng.normal(size=[TRIALS, 2]), []
    for push in pushes.T:
        state = state @ turn.T + 2.5 * push[:, np.newaxis] * [1, 0]
        path.append(state)
    path = np.stack(path, axis=1)  # [trial, bin, 2]
    return pushes, path, np.exp(path @ rng.normal(0, 0.5, [2, 30]) + np.log(0.2))


pushes, path, rates = pushed_system()
spikes = rng.poisson(rates).astype("float32")
train, valid = (
    data.Split(spikes[part], spikes[part], truth=rates[part].astype("float32"))
    for part in (slice(TRAIN), slice(TRAIN, None))
)
dataset = data.SpikeDataset(train, valid, bin_width=BIN)
pushed = pushes[TRAIN:]  # of the validation trials
trials = [np.flatnonzero(np.abs(pushed).sum(1) == number)[0] for number in (0, 1, 2)]

# %%
plt.rcParams.update(plots.STYLE)
blue, orange, black, grey = (plots.COLOURS[c] for c in ("inferred", "mark", "true", "faint"))
seconds = BIN * (0.5 + np.arange(BINS))


def mark(ax, trial):
    """A line where each push began."""
    for when in np.flatnonzero(pushed[trial]):
        ax.axvline(BIN * when, color=orange, lw=1.2, ls="--")


fig, axes = plt.subplots(2, 3, figsize=(7.2, 3.2), layout="constrained", sharex=True, sharey="row")
for (above, below), trial in zip(axes.T, trials, strict=True):
    above.plot(seconds, path[TRAIN + trial, :, 0], color=black, label="first")
    above.plot(seconds, path[TRAIN + trial, :, 1], color=grey, label="second")
    below.imshow(valid.recon[trial].T, aspect="auto", cmap="Greys", vmax=3, extent=(0, 1, 30, 0))
    mark(above, trial)
    mark(below, trial)
    above.set(title=f"pushes: {np.abs(pushed[trial]).sum():.0f}")
    below.set(xlabel="time (s)")
axes[0, 0].set_ylabel("state (a.u.)")
axes[0, 0].legend(loc="lower left", ncols=2)
_ = axes[1, 0].set_ylabel("neuron")

# %% [markdown]
# Above the state, below the spikes; dashed: pushes. Rates go up and down all the time, so that a
# change alone is no sign of a push; what counts is a change that the state of the system does not
# explain.
#
# ## LFADS with two inferred inputs
#
# Four settings matter here. `z_size` is the number of inferred inputs: as many as there are
# directions in which the system can be pushed, for which the next section has a reason. With
# `lag=0` the inputs of a bin may depend on the spikes of that bin. Their prior draws each bin anew,
# so that an input costs what it is in each bin; under the AR(1) prior of LFADS, whose time constant
# is learned, one that lasts can come cheaper than a short one ([priors](07_priors.py)). `beta_z` is
# what a nat of input costs: with little of it, inputs also follow noise.

# %%
sizes = {"generator_units": 64, "f_encoder_units": 48, "z_encoder_units": 32,
         "controller_units": 32, "factors": 8, "f_size": 16}  # fmt: skip
arguments = {"channels": 30, "bin_width": BIN}
settings = {"epochs": 35, "batch_size": 32, "learning_rate": 8e-3, "warm_up": 5,
            "validate_every": 5}  # fmt: skip
with_inputs = models.lfads(
    arguments,
    {**sizes, "z_size": 2, "lag": 0, "z_prior": "standard_normal", "beta_z": 0.5},
    mean_rates=train.recon.mean((0, 1)),
)
history = training.fit(with_inputs, dataset, settings, verbose=False)
posterior = inference.sample_and_average(with_inputs, valid, num_samples=20)

# %%
neuron = np.argsort(-valid.truth.var(1).mean(0))[2]
fig, axes = plt.subplots(3, 3, figsize=(7.2, 4.6), layout="constrained", sharex=True, sharey="row")
for (*above, below), trial in zip(axes.T, trials, strict=True):
    plots.plot_inputs(
        posterior.inferred, BIN, scale=posterior.inferred_scale, trial=trial, axes=np.array(above)
    )
    plots.plot_channel(
        posterior.rates[trial, :, neuron],
        BIN,
        scale=posterior.rates_scale[trial, :, neuron],
        true=valid.truth[trial, :, neuron],
        spikes=valid.recon[trial, :, neuron],
        key=False,
        ax=below,
    )
    above[0].set(title=f"pushes: {np.abs(pushed[trial]).sum():.0f}")
    for ax in (*above, below):
        mark(ax, trial)
        ax.label_outer()
highest = max(ax.dataLim.ymax for ax in axes[2])
_ = axes[2, 0].set_ylim(-0.12 * highest, 1.05 * highest)

# %% [markdown]
# Top: the two inferred inputs, with one standard deviation over posterior samples. Below: a neuron,
# inferred (blue) and true (black) rate, and its spikes. Where the system runs by itself the inputs
# are near zero, since an input costs nats; at a push they go up or down.
#
# ## Around all pushes
#
# Cut out 0.2 s on each side of every push of the validation trials, and as a control, of random
# moments of trials without any.

# %%
reach = 10
padded = np.pad(posterior.inferred, [(0, 0), (reach, reach), (0, 0)], constant_values=np.nan)
quiet = np.flatnonzero(~pushed.any(1))
moments = {
    "no push": (quiet, rng.integers(5, BINS - 5, len(quiet))),
    "pushed left": np.nonzero(pushed < 0),
    "pushed right": np.nonzero(pushed > 0),
}
cut, names = [], []
for name, places in moments.items():
    cut += [padded[trial, when : when + 2 * reach + 1] for trial, when in zip(*places, strict=True)]
    names += [name] * len(places[0])
cut = np.stack(cut)
axes = plots.plot_inputs(cut, BIN, conditions=names, start=-reach * BIN)
axes[-1].set(xlabel="time from the push (s)")
at_push = cut[:, reach - 1 : reach + 2].mean(1)
both = [at_push[np.array(names) == f"pushed {side}"] for side in ("left", "right")]
away = [np.linalg.norm(x[:, np.newaxis] - [y.mean(0) for y in both], axis=-1) for x in both]
side_told = np.concatenate([away[0][:, 0] < away[0][:, 1], away[1][:, 1] < away[1][:, 0]]).mean()
print(f"of {side_told:.0%} of the pushes the nearer of the two means is that of their side")
assert side_told > 0.9
axes[0].figure

# %% [markdown]
# The inputs say when, and to which side. How they do is the model's own: it may be one of them with
# two signs, or one for each side, or a mixture, and another fit may turn them.
#
# All pushes here are along one line, so one input would seem enough. But nobody tells the generator
# which line, and in a system that turns it can do with a wrong one: a push along the other axis
# shortly before and one back shortly after, between which the system turns, together make a push
# along the first. A short fit may stay with that, and its input is then largest beside the pushes.
# Two inputs span the plane, and there is nothing to be guessed.
#
# ## How good a detector is it?
#
# Take the energy of the inferred inputs, the sum of their squares, over three bins: it does not ask
# in which direction they are turned, nor in which bin exactly a push was told. Call each of its
# peaks a detection, the highest first. A detection is right if a push was within two bins of it.
# For each number of detections there are two figures: which share of the pushes was found (recall),
# and which share of the detections is right (precision).
#
# Beside it, what one would do without a model: the change of smoothed spikes, the counts of some
# bins from a bin on, less those of as many bins before it, as a distance in the two directions in
# which that varies most. How many bins, and how much later or earlier the push really is, is chosen
# by the pushes of the training trials; LFADS was told of none.

# %%
from numpy.lib.stride_tricks import sliding_window_view


def precision_recall(size: np.ndarray, pushed: np.ndarray, delay: int = 0) -> np.ndarray:
    """Recall and precision after each detection, `[2, detection]`; `size` `[trial, bin]`."""
    around = sliding_window_view(np.pad(size, [(0, 0), (3, 3)]), 7, axis=1)
    trial, when = np.nonzero(size == around.max(-1))  # peaks: the largest of seven bins
    order = np.argsort(-size[trial, when])
    near = sliding_window_view(np.pad(pushed != 0, [(0, 0), (2, 2)]), 5, axis=1).any(-1)
    right = near[trial, np.clip(when - delay, 0, pushed.shape[1] - 1)][order].cumsum()
    return np.array([right / np.count_nonzero(pushed), right / np.arange(1, len(right) + 1)])


def average_precision(curve: np.ndarray) -> float:
    """Area under the curve."""
    return float(np.sum(np.diff(curve[0], prepend=0.0) * curve[1]))


def energy(inferred: np.ndarray) -> np.ndarray:
    """Sum of the squares of all inputs over three bins, `[trial, bin]`."""
    squares = np.pad(np.square(inferred).sum(-1), [(0, 0), (1, 1)])
    return sliding_window_view(squares, 3, axis=1).sum(-1)


def change(spikes: np.ndarray, width: int) -> np.ndarray:
    """Change of counts smoothed over `width` bins, `[trial, bin]`."""
    pads = np.pad(spikes, [(0, 0), (width, width - 1), (0, 0)], "edge")
    steps = sliding_window_view(pads, 2 * width, axis=1) @ np.repeat([-1.0, 1.0], width)
    _, directions = np.linalg.eigh(np.cov(steps[:TRAIN].reshape(-1, 30).T))
    main = steps @ directions[:, -2:]
    return np.linalg.norm(main / main[:TRAIN].std((0, 1)), axis=-1)


found = {}
for width in (2, 3, 4, 5):
    of_training = change(spikes, width)[:TRAIN]
    for delay in range(-2, 4):
        by_training = precision_recall(of_training, pushes[:TRAIN], delay)
        found[average_precision(by_training)] = width, delay
width, delay = found[max(found)]
curves = {
    "inferred inputs": precision_recall(energy(posterior.inferred), pushed),
    "change of smoothed spikes": precision_recall(change(spikes, width)[TRAIN:], pushed, delay),
    "bins at random": precision_recall(rng.random(pushed.shape), pushed),
}
print(f"smoothed over {width} bins, {delay} bins late")

fig, ax = plt.subplots(figsize=(5.4, 3.2), layout="constrained")
for (name, curve), colour in zip(curves.items(), (blue, orange, grey), strict=True):
    print(f"{name:26} average precision {average_precision(curve):.2f}")
    ax.step(*curve, where="post", color=colour, label=name)
ax.set(xlabel="share of the pushes that is found", ylabel="share of detections that is right")
ax.set(xlim=(0, 1.02), ylim=(0, 1.02))
fig.legend(loc="outside upper center", ncols=3)
precision = {name: average_precision(curve) for name, curve in curves.items()}
assert precision["inferred inputs"] > max(0.9, precision["change of smoothed spikes"] + 0.2)

# %% [markdown]
# The average precision is the area under a curve. The spikes change all the time, and the change
# alone is more often the system's own turning than a push. The inferred inputs are what is left of
# the change after the dynamics have had their say. (Of a system that is linear, as this one,
# another model could say the same with less effort. LFADS was not told that it is, and finds pulses
# in [a chaotic network](../benchmarks.md#pulses-into-a-chaotic-network) too.)
#
# One draw and one fit could be luck. On five draws of this simulation, each with another seed of
# the model (`benchmarks/tutorial_seeds.py`), the average precision of the inferred inputs was
# between 0.97 and 1.00, and that of the change of spikes between 0.27 and 0.60.
#
# ## What a model without a controller does
#
# With `z_size=0` there is no controller and no input: the generator starts from an initial state,
# and all that follows must be in it.

# %%
without = models.lfads(arguments, {**sizes, "z_size": 0}, mean_rates=train.recon.mean((0, 1)))
training.fit(without, dataset, settings, verbose=False)
autonomous = inference.sample_and_average(without, valid, num_samples=20)
fits, r2 = {"with inputs": posterior, "without": autonomous}, {}
for name, found in fits.items():
    bits = metrics.bits_per_spike(found.rates, valid.recon)
    r2[name] = metrics.rate_r2(found.rates, valid.truth)
    print(f"{name:12} {bits:.3f} bits per spike, R2 of the rates {r2[name]:.2f}")
print(f"{'true rates':12} {metrics.bits_per_spike(valid.truth, valid.recon):.3f} bits per spike")
assert r2["with inputs"] > r2["without"] + 0.05

# %%
trial = trials[1]
fig, axes = plt.subplots(1, 2, figsize=(7.2, 2.8), layout="constrained")
axes[0].plot(seconds, valid.truth[trial, :, neuron] / BIN, color=black, label="true")
for (name, found), colour in zip(fits.items(), (blue, grey), strict=True):
    axes[0].plot(seconds, found.rates[trial, :, neuron] / BIN, color=colour, label=name)
    error = np.square(np.log(found.rates) - np.log(valid.truth)).mean(-1, keepdims=True)
    error = np.pad(error, [(0, 0), (reach, reach), (0, 0)], constant_values=np.nan)[..., 0]
    around = [error[t, when : when + 2 * reach + 1] for t, when in np.argwhere(pushed)]
    axes[1].plot(
        BIN * np.arange(-reach, reach + 1), np.nanmean(around, 0), color=colour, label=name
    )
mark(axes[0], trial)
axes[1].axvline(0, color=orange, lw=1.2, ls="--")
axes[0].set(xlabel="time (s)", ylabel=f"rate of neuron {neuron} (spikes/s)")
axes[0].legend(loc="upper right")
axes[1].set(xlabel="time from the push (s)", ylabel="squared error of the log-rates")
_ = axes[1].set(xticks=[-0.2, -0.1, 0.0, 0.1, 0.2], ylim=(0, None))

# %% [markdown]
# Left, the trial with one push from above; right, how far the log-rates are off around all pushes.
# A generator without input cannot turn at a moment that differs from trial to trial, unless its
# initial state already knows of it. So it rounds off the push, and is wrong before and after it as
# well.
#
# ## Before you believe an inferred input
#
# - It is inferred from spikes before *and after*, and under a Gaussian prior a push that is spread
#   over a few bins is cheaper than the same push at once. So it begins early and ends late, though
#   the push lasted one bin. With `causal=True` the input of a bin sees no later one.
# - The inputs are in the model's own terms. If there are fewer of them than directions in which the
#   system is pushed, they may swing from one side to the other across a push, and be largest beside
#   it. So read them together, look at the average around events that you know, fit more than once,
#   and longer than here.
# - A low `beta_z`, or many more inputs than directions, let the controller explain what the
#   dynamics should. If inputs are never quiet, raise `beta_z`, or fit without them and see what
#   that costs, as above.
# - What is dynamics and what is input depends on what was recorded: to the neurons of one area all
#   that comes from another is an input.
#
# More: [how LFADS is built](../models/lfads.md), and [what a prior on the inputs
# means](07_priors.py). Inputs that are known, a stimulus for instance, need not be inferred:
# `ext_inputs` gives them to the generator ([the kit](../kit.md)).
