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
# # LFADS on a Lorenz system
#
# Spikes of a population are noisy readings of a few variables that evolve together. LFADS infers
# those variables, and the rates behind the spikes, from single trials. Here the truth is known: a
# Lorenz system drives the rates of 30 neurons, and we ask how much of it comes back.
#
# ## In ten lines

# %%
from tfp_bvae import data, inference, metrics, models, training

dataset = data.synthetic.lorenz(seed=7, num_conditions=40, num_trials=10, num_valid=2)
model = models.lfads(
    {"channels": 30, "bin_width": dataset.bin_width},
    {"generator_units": 64, "f_encoder_units": 48, "z_encoder_units": 32},
    mean_rates=dataset.train.recon.mean((0, 1)),
)
history = training.fit(model, dataset, {"epochs": 80, "warm_up": 10}, verbose=False)
posterior = inference.sample_and_average(model, dataset.valid, num_samples=20)
r2 = metrics.rate_r2(posterior.rates, dataset.valid.truth)
print(f"R2 of the inferred rates: {r2:.2f}")

# %% [markdown]
# `rate_r2` is one minus the squared error over the variance, per neuron over all validation trials
# and bins, averaged over neurons. This is a short fit of a small model to little data; the README
# has the score of the whole benchmark.
#
# ## What went in
#
# A `SpikeDataset` holds training and validation trials: spikes per bin, `[trial, time, channel]`.
# The width of a bin is part of it, so that rates can be shown in spikes per second.

# %%
dataset

# %%
from tfp_bvae import plots

plots.figure_of_trials(dataset.valid, posterior, dataset.bin_width, history)

# %% [markdown]
# Top: counts, true rates and inferred rates of two trials the model was not fitted to. Below:
# single neurons; the band is one standard deviation over posterior samples.
#
# ## What the model is
#
# Two latents. A **static** one, *f*, gives the initial state of a generator, a recurrent network
# that runs by itself; a **dynamic** one, *z*, is what the generator is told at each bin, by a
# controller that reads the spikes around that bin. The generator's state is read into factors, and
# these into the logarithm of the rates.
#
# $$
# \begin{aligned}
# f &\sim q(f \mid x), & g_0 &= f\,W_0 + b_0 \\
# z_t &\sim q(z_t \mid x, z_{<t}, f), & g_t &= \mathrm{GRU}(z_t, g_{t-1}) \\
# x_t &\sim \mathrm{Poisson}\!\left(e^{\,g_t W_{fac} W_{rate} + b_{rate}}\right)
# \end{aligned}
# $$
#
# Both latents have a prior, and what they say beyond it costs nats: that is what keeps the model
# from copying the spikes. The two KL terms are in the history, beside the loss.

# %%
axes = plots.plot_losses(history)
axes[0].figure

# %% [markdown]
# Over the first ten epochs the weights of the KL terms go up from zero: the latents may say much
# at first, and less once it costs. The held-out score is the one by which the best epoch is chosen:
# a fifth of the entries of each validation trial is hidden from the encoders, and only those are
# scored. A model that copies its input gains nothing there.
#
# ## The layers are ordinary Keras layers
#
# The model is a functional `tf_keras.Model`, and its parts have names.

# %%
for name in ("q_f", "p_f", "kl_f", "generator", "q_z", "p_z", "kl_z", "likelihood"):
    print(f"{name:11} {type(model.get_layer(name)).__name__}")

# %% [markdown]
# What the fit made of the AR(1) prior of the inferred inputs:

# %%
import numpy as np

prior = model.get_layer("p_z")(posterior.inferred)
time_constants = 1e3 * dataset.bin_width * prior.tau.numpy()
print("time constants, ms:", time_constants.astype(int).tolist())
print("innovation scales: ", np.round(prior.innovation_scale.numpy(), 2))

# %% [markdown]
# ## The state of the system, in single trials
#
# The factors are a low-dimensional summary of the generator's state. The three variables of the
# Lorenz system are not among them by name, since any mixture of them does as well; but a linear
# map, fitted on the training trials, reads them from the factors of trials it was not fitted to.

# %%
import matplotlib.pyplot as plt

plt.rcParams.update(plots.STYLE)
states = dataset.attrs["latents"]  # [condition, bin, 3]
of_train, of_valid = (states[dataset.attrs[f"{side}_cond_idx"]] for side in ("train", "valid"))
factors = inference.sample_and_average(model, dataset.train, num_samples=5).factors
read = metrics.fit_ridge(factors, of_train).predict(posterior.factors)
print("R2 of the three variables:", metrics.r2_per_channel(read, of_valid).round(2))

true, blue = plots.COLOURS["true"], plots.COLOURS["inferred"]
seconds = dataset.bin_width * (0.5 + np.arange(of_valid.shape[1]))
fig, axes = plt.subplots(2, 3, figsize=(7.2, 4.0), layout="constrained")
for (above, below), trial in zip(axes.T, (0, 18, 44), strict=True):
    for state, colour, name in ((of_valid, true, "true"), (read, blue, "read from the factors")):
        above.plot(seconds, state[trial] + [0, -2, -4], color=colour, lw=1.1)
        below.plot(*state[trial, :, [0, 2]], color=colour, lw=1.1, label=name)
    above.set(title=f"trial {trial}", xlabel="time (s)", yticks=[0, -2, -4], yticklabels=[])
    below.set(xlabel="first variable (a.u.)")
axes[0, 0].set_yticklabels(["first", "second", "third"])
axes[1, 0].set_ylabel("third variable (a.u.)")
_ = fig.legend(*axes[1, 0].get_legend_handles_labels(), loc="outside upper center", ncols=2)

# %% [markdown]
# Above, the variables over time; below, the first against the third: the two lobes of the attractor
# and the way from one to the other, from the spikes of one trial.
#
# Further: [the model's page](../models/lfads.md), [your own recording](02_from_file_to_report.py),
# and [what beta does](03_what_beta_does.py).
