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
history = training.fit(model, dataset, {"epochs": 60, "warm_up": 10}, verbose=False)
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
import matplotlib.pyplot as plt
import numpy as np

fig, axes = plt.subplots(1, 2, figsize=(9, 3), layout="constrained")
epochs = [row["epoch"] for row in history]
for name, label in (("kl_f", "static f"), ("kl_z", "dynamic z")):
    axes[0].plot(epochs, [row[name] for row in history], label=label)
axes[0].set(xlabel="epoch", ylabel="KL, nats per trial")
axes[0].legend(frameon=False)
axes[1].plot(epochs, [row["val_heldout"] for row in history], color="black")
_ = axes[1].set(xlabel="epoch", ylabel="held-out bits per spike")

# %% [markdown]
# The KL terms rise fast and settle: over the first ten epochs their weights go up from zero. The
# right panel is the score by which the best epoch is chosen: a fifth of the entries of each
# validation trial is hidden from the encoders, and only those are scored. A model that copies
# its input gains nothing there.
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
prior = model.get_layer("p_z")(posterior.inferred)
time_constants = 1e3 * dataset.bin_width * prior.tau.numpy()
print("time constants, ms:", time_constants.astype(int).tolist())
print("innovation scales: ", np.round(prior.innovation_scale.numpy(), 2))

# %% [markdown]
# ## Latents of a trial
#
# The factors are a low-dimensional summary; their first principal components show the two lobes of
# the attractor, in single trials.

# %%
factors = posterior.factors - posterior.factors.mean((0, 1))
flat = factors.reshape(-1, factors.shape[-1])
_, _, directions = np.linalg.svd(flat, full_matrices=False)
path = factors @ directions[:2].T

fig, ax = plt.subplots(figsize=(4.5, 4), layout="constrained")
for trial in path[::4]:
    ax.plot(*trial.T, lw=0.8, alpha=0.7)
_ = ax.set(xlabel="first component of the factors", ylabel="second component")
