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
# # One layer in a model of your own
#
# Every layer works alone, beside stock Keras layers. A stochastic layer turns a tensor into a
# distribution; `KLDivergence` takes a posterior and a prior, adds $\beta\,\mathrm{KL}$ to the loss,
# and hands on the sample.

# %%
import numpy as np
import tensorflow as tf
import tf_keras

from tfp_bvae import data, layers, metrics, training

tf_keras.utils.set_random_seed(1)
dataset = data.synthetic.lorenz(seed=7, num_conditions=20, num_trials=10, num_valid=2)
spikes, held = dataset.train.recon, dataset.valid

# %% [markdown]
# ## A sequential autoencoder with an AR(1) prior
#
# A stock bidirectional GRU reads the spikes; a diagonal Gaussian at each bin is the posterior of
# four latents, an AR(1) process with learned time constants their prior. The KL is taken along the
# sampled path: each bin's posterior against the prior *given the sample of the bin before*.

# %%
x = tf_keras.Input([None, 30])
h = layers.SeededDropout(0.2)(x)
h = tf_keras.layers.Bidirectional(tf_keras.layers.GRU(32, return_sequences=True))(h)
q = layers.MVNDiagPosterior(4, init_scale=0.3)(
    tf_keras.layers.Dense(layers.MVNDiagPosterior.params_size(4))(h)
)
p = layers.AR1Prior(4, tau=10.0, name="prior")(h)
z = layers.KLDivergence(beta=1.0, name="kl")([q, p])
bias = tf_keras.initializers.Constant(np.log(spikes.mean()))
log_rate = tf_keras.layers.Dense(30, bias_initializer=bias)(z)
model = tf_keras.Model(x, layers.PoissonLikelihood()(log_rate))

model.compile(tf_keras.optimizers.Adam(1e-2), loss=training.NegativeLogLikelihood())
history = model.fit(spikes, spikes, batch_size=32, epochs=15, verbose=0).history
print("loss, nats per trial:", [round(v) for v in history["loss"][::7]])
print("KL, nats per trial:  ", [round(v, 1) for v in history["kl"][::7]])

# %% [markdown]
# The output is a distribution. Outside of training the latents are at their means, so that the same
# input gives the same rates.

# %%
rates = model(held.recon).mean().numpy()
print(f"R2 of the rates on validation trials: {metrics.rate_r2(rates, held.truth):.2f}")

# %% [markdown]
# ## What the prior learned
#
# It is a distribution over whole paths, and can be sampled, scored, and asked for the law of each
# step given a path.

# %%
process = model.get_layer("prior")(tf.zeros([1, 50, 1]))
print("time constants, bins:", np.round(process.tau, 1))
print("a sampled path:", process.sample(seed=1).shape)
print("p(z_t | z_<t) of it:", process.conditionals(process.sample(seed=1)).batch_shape)

# %% [markdown]
# ## Saved and loaded without your code
#
# Layers register themselves: a model file loads in safe mode, in a new process, once `tfp_bvae` and
# its `layers` are imported.

# %%
import tempfile
from pathlib import Path

with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "mine.keras"
    model.save(path)
    loaded = tf_keras.models.load_model(path)
print("same rates:", np.allclose(loaded(held.recon).mean(), rates, atol=1e-6))
