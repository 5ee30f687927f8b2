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
# # Layers in a Keras model of your own
#
# Every layer works alone, beside stock Keras layers. A stochastic layer turns a tensor into a
# distribution; `KLDivergence` takes a posterior and a prior, adds $\beta\,\mathrm{KL}$ to the loss,
# and hands on the sample. Here are two models of the same spikes, a Sequential and a functional
# one, with `compile` and `fit` as for any other.
#
# The spikes are simulated: each trial is of one of four classes, and through each runs a noisy
# oscillator that begins at a phase of its own. Neurons follow both.

# %%
import matplotlib.pyplot as plt
import numpy as np
import tf_keras
from tf_keras.layers import GRU, Concatenate, Dense, Flatten, RepeatVector, Reshape

from tfp_bvae import data, layers, metrics, plots, training

plt.rcParams.update(plots.STYLE)
tf_keras.utils.set_random_seed(1)
dataset = data.synthetic.static_dynamic(seed=2, num_trials=150, num_valid=30)
spikes, held = dataset.train.recon, dataset.valid
_, bins, neurons = spikes.shape
log_mean = tf_keras.initializers.Constant(np.log(spikes.mean()))
spikes.shape  # trials, bins, neurons

# %% [markdown]
# ## Sequential: one vector for a trial
#
# Layers of a `Sequential` model have one input, so that `KLDivergence` owns its prior. The loss is
# the likelihood of the output, which is a distribution.

# %%
vae = tf_keras.Sequential(
    [
        tf_keras.Input([bins, neurons]),
        Flatten(),
        Dense(64, activation="relu"),
        Dense(layers.MVNDiagPosterior.params_size(8)),
        layers.MVNDiagPosterior(8),
        layers.KLDivergence(beta=1.0, prior=layers.LearnableMVNPrior(8), name="kl"),
        Dense(64, activation="relu"),
        Dense(bins * neurons),
        Reshape([bins, neurons]),
        layers.PoissonLikelihood(),
    ]
)
vae.compile(tf_keras.optimizers.Adam(3e-3), loss=training.NegativeLogLikelihood())
log = vae.fit(spikes, spikes, batch_size=32, epochs=30, verbose=0).history
print("loss, nats per trial:", [round(v, 1) for v in log["loss"][::7]])
print("KL, nats per trial:  ", [round(v, 1) for v in log["kl"][::7]])

# %% [markdown]
# The first layers are an encoder, and what comes out of it is a distribution, with a mean and a
# scale for each trial. Which of its eight dimensions are used?

# %%
encoder = tf_keras.Sequential(vae.layers[:4])
q = encoder(held.recon)
p = vae.get_layer("kl").prior(held.recon)
kl = metrics.kl_per_dimension(q.mean(), q.stddev(), p.mean(), p.stddev())

rates = vae(held.recon).mean().numpy()
r2 = {"Sequential": metrics.rate_r2(rates, held.truth)}
print(f"R2 of the rates on validation trials: {r2['Sequential']:.2f}")

fig, axes = plt.subplots(1, 2, figsize=(7.2, 2.6), layout="constrained", width_ratios=[2, 3])
plots.plot_kl(kl, name="the latent", ax=axes[0])
trial, neuron = 0, held.truth[0].var(0).argmax()
one = (trial, slice(None), neuron)
_ = plots.plot_channel(
    rates[one], dataset.bin_width, true=held.truth[one], spikes=held.recon[one], ax=axes[1]
)

# %% [markdown]
# Outside of training a latent is its mean, so that the same input gives the same rates. One vector
# has to say all there is to say of a trial: the class, and an oscillator that wanders for many
# bins. The rates (blue) follow the true ones (black) only roughly.
#
# ## Functional: a vector and a path
#
# So a second model has two latents: a static one for the trial, and one for each bin. Stock GRUs
# read the spikes; the prior of the path is an AR(1) process with learned time constants. The KL of
# the path is taken along the sample: each bin's posterior against the prior *given the sample of
# the bin before*.

# %%
x = tf_keras.Input([bins, neurons])
h = layers.SeededDropout(0.2)(x)
h = tf_keras.layers.Bidirectional(GRU(32, return_sequences=True))(h)

q_f = layers.MVNDiagPosterior(2, name="q_f")(Dense(4)(tf_keras.layers.GlobalAveragePooling1D()(h)))
f = layers.KLDivergence(name="kl_f")([q_f, layers.LearnableMVNPrior(2)(h)])

q_z = layers.MVNDiagPosterior(2, init_scale=0.3, name="q_z")(Dense(4)(h))
z = layers.KLDivergence(name="kl_z")([q_z, layers.AR1Prior(2, tau=10.0, name="p_z")(h)])

both = Concatenate()([z, RepeatVector(bins)(f)])
log_rate = Dense(neurons, bias_initializer=log_mean)(both)
model = tf_keras.Model(x, layers.PoissonLikelihood()(log_rate))
model.compile(tf_keras.optimizers.Adam(1e-2), loss=training.NegativeLogLikelihood())

# %% [markdown]
# $\beta$ of each KL is a variable, which `training.WarmUp`, a Keras callback, raises from zero over
# the first steps.

# %%
steps = len(spikes) // 32
warm_up = training.WarmUp(5 * steps, steps)
log = model.fit(spikes, spikes, batch_size=32, epochs=20, verbose=0, callbacks=[warm_up]).history
for name in ("loss", "kl_f", "kl_z"):
    print(f"{name}, nats per trial:", [round(v, 1) for v in log[name][::5]])
rates = model(held.recon).mean().numpy()
r2["functional"] = metrics.rate_r2(rates, held.truth)
print("R2 of the rates on validation trials:", {name: round(x, 2) for name, x in r2.items()})
assert r2["functional"] > r2["Sequential"] + 0.1

# %% [markdown]
# ## What the two latents hold
#
# The layers have names, and an encoder is a model that ends at them. The static latent tells the
# classes apart; the path, up to a linear map, is the oscillator.

# %%
encoder = tf_keras.Model(x, [q_f, q_z])
of_f, of_z = encoder(held.recon)
path, truth = of_z.mean().numpy(), dataset.attrs["valid_dynamic"]
half = len(truth) // 2
order = np.random.default_rng(0).permutation(len(truth))
fitted, scored = order[:half], order[half:]
decoder = metrics.fit_ridge(path[fitted], truth[fitted])
read = decoder.predict(path)
of_path = metrics.r2_per_channel(read[scored], truth[scored])
print("R2 of the oscillator, read linearly from the path:", of_path.round(2))
assert of_path.min() > 0.8

fig, axes = plt.subplots(1, 2, figsize=(7.2, 2.8), layout="constrained", width_ratios=[2, 3])
classes = dataset.attrs["valid_static"]
for number, colour in enumerate(("#0072B2", "#E69F00", "#009E73", "#000000")):
    mine = of_f.mean().numpy()[classes == number]
    axes[0].plot(mine[:, 0], mine[:, 1], ".", color=colour, label=f"class {number}")
axes[0].set(xlabel="f, first dimension", ylabel="second", title="static: one dot is a trial")
axes[0].legend(loc="lower left", bbox_to_anchor=(0, 1.08), ncols=2, handletextpad=0.1)
seconds = dataset.bin_width * (0.5 + np.arange(bins))
for trial, offset in zip(scored[:3], (0, -5, -10), strict=True):
    axes[1].plot(seconds, truth[trial, :, 0] + offset, color=plots.COLOURS["true"], label="true")
    axes[1].plot(
        seconds, read[trial, :, 0] + offset, color=plots.COLOURS["inferred"], label="read from z"
    )
axes[1].set(xlabel="time (s)", yticks=[], title="dynamic: the oscillator in three trials")
both = [x[:2] for x in axes[1].get_legend_handles_labels()]
_ = axes[1].legend(*both, loc="lower right", bbox_to_anchor=(1, 1.08), ncols=2)

# %% [markdown]
# Nothing told the model to keep the two apart but the prior: to say the class anew in each bin
# costs nats in each bin, to say it once costs them once.
#
# ## What the prior learned
#
# A prior is a distribution over whole paths: it can be sampled, scored, and asked for the law of
# each step given a path.

# %%
process = model.get_layer("p_z")(held.recon)
sampled = process.sample(seed=1)
print("time constants, bins:", np.round(process.tau, 1))
print("a sampled path:", sampled.shape)
print("p(z_t | z_<t) of it:", process.conditionals(sampled).batch_shape)
print("log p of the posterior's path, nats:", np.round(process.log_prob(path[:3]), 1))

# %% [markdown]
# AR(1) knows that the oscillator is slow, and not that it swings. `RecurrentMVNPrior` in its place
# can learn that ([priors](07_priors.py)); nothing else in the model changes.
#
# ## Saved and loaded without your code
#
# Layers register themselves: a model file loads in safe mode, in a new process, once `tfp_bvae` and
# its `layers` are imported.

# %%
import tempfile
from pathlib import Path

with tempfile.TemporaryDirectory() as folder:
    file = Path(folder) / "mine.keras"
    model.save(file)
    loaded = tf_keras.models.load_model(file)
print("same rates:", np.allclose(loaded(held.recon).mean(), rates, atol=1e-6))

# %% [markdown]
# More: [the same in short, with samples or means](../drop_in.md), [all layers](../layers.md), and
# [the kit](../kit.md), whose builder functions put such layers together to the four models.
