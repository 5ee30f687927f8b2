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
# # Coming from other packages
#
# What has which name here, what the weight of a KL becomes, what differs and why; and how a
# checkpoint of lfads-torch becomes a model of this package. What is said of others was read in
# lfads-torch at commit 007a555, lfads-tf2 of AutoLFADS at 5338d87, and indl at 8f72735.
#
# ## The weight of a KL
#
# Here the loss is in nats per trial: the negative log-likelihood, *summed* over bins and channels,
# and $\beta$ times each KL. At $\beta = 1$ it bounds $-\log p(x)$, whatever the size of the data.
# lfads-tf2 and lfads-torch take the *mean* of the negative log-likelihood over bins and channels,
# and sum the KL; so the same number weighs a KL more, the larger the data are:
#
# $$\beta = k\, T N$$
#
# with $k$ their weight, and $T$ and $N$ the bins and channels that are predicted. lfads-torch's
# configuration for MC_Maze at 20 ms has $k = 10^{-7}$, $T = 45$ and $N = 182$.

# %%
import numpy as np


def beta_of(k, bins, channels, taught=1.0):
    return k * bins * channels / taught


print(f"beta = 1e-7 * 45 * 182 = {beta_of(1e-7, 45, 182):.1e}")

# %% [markdown]
# Coordinated dropout comes on top. If a share $r$ of the entries is hidden and only these teach,
# the gradient of their reconstruction is $r$ times that of all entries, while that of the KL stays.
# Here it is divided by $r$, so that a $\beta$ means the same at every rate. What balances a fit as
# theirs was is therefore $k T N / r$; if visible entries teach with probability $p$ as well, $r$
# becomes $r + (1 - r)\, p$. (Channels that are held out, and bins after those that are seen, always
# teach, in both: with many of these it is somewhere between.)

# %%
print(f"with a coordinated dropout of 0.3: {beta_of(1e-7, 45, 182, taught=0.3):.1e}")

# %% [markdown]
# Below is what their ranges of search mean: $10^{-6}$ to $10^{-3}$ for the initial condition and
# $10^{-6}$ to $10^{-4}$ for the inferred inputs, in lfads-torch's script for population-based
# training, at the sizes of its configurations. At $\beta$ far below 1 a latent is nearly free,
# and the model is close to a plain autoencoder with noise.

# %%
import matplotlib.pyplot as plt

SIZES = {  # bins and channels that are predicted
    "MC_Maze, 20 ms": (45, 182),
    "Area2_Bump": (160, 65),
    "DMFC_RSG": (340, 54),
    "MC_RTT": (160, 130),
    "MC_Maze_Small": (180, 142),
    "MC_Maze_Large": (180, 162),
}
fig, ax = plt.subplots(figsize=(7.2, 3.2), layout="constrained")
searched = (
    ("initial condition", 1e-3, 0.13, "#0072B2"),
    ("inferred inputs", 1e-4, -0.13, "#D55E00"),
)
for row, size in enumerate(SIZES.values()):
    for label, high, offset, colour in searched:
        ends = [beta_of(k, *size) for k in (1e-6, high)]
        ax.plot(ends, [row + offset] * 2, lw=5, color=colour, solid_capstyle="butt",
                label=f"{label}, 1e-6 to {high:.0e}" if row == 0 else None)  # fmt: skip
ax.plot(beta_of(1e-7, 45, 182), 0, "k|", ms=13, mew=2, label="its configuration, both")
ax.plot(beta_of(3e-7, 340, 54), 2, "k|", ms=13, mew=2)
ax.axvline(1.0, color="#999999", lw=0.8)
ax.text(1.1, len(SIZES) - 0.52, "a bound on log p(x)", color="#666666", fontsize=8, va="center")
ax.set(xscale="log", xlabel=r"$\beta$, nats per nat", ylim=(-0.6, len(SIZES) - 0.3))
ax.set_yticks(range(len(SIZES)), SIZES)
ax.spines[["top", "right"]].set_visible(False)
_ = ax.legend(frameon=False, fontsize=8, bbox_to_anchor=(1.0, 0.5), loc="center left")

# %% [markdown]
# ## A checkpoint of lfads-torch
#
# Where torch and lfads-torch are, write the weights and the settings that are numbers into one file
# of numpy. The checkpoint is a pickle, which can run code: open one of your own.
#
# ```python
# import numpy as np
# import torch
#
# checkpoint = torch.load("last.ckpt", map_location="cpu", weights_only=False)
# arrays = {key: value.numpy() for key, value in checkpoint["state_dict"].items()}
# for name, value in checkpoint["hyper_parameters"].items():
#     if isinstance(value, (bool, int, float)):
#         arrays[f"hyper_parameters.{name}"] = value
# np.savez("weights.npz", **arrays)
# ```
#
# Here random numbers stand in for it, with the keys and shapes of such a file: a controller, 24 of
# 30 channels encoded, and 10 bins to be predicted after the last that is seen.

# %%
import tempfile
from pathlib import Path

from tfp_bvae import data, inference, models

rng = np.random.default_rng(0)
shapes = models.lfads_torch_shapes(
    24, readout=[30], ic_enc_dim=20, ci_enc_dim=16, con_dim=16, co_dim=2, ic_dim=12, gen_dim=24,
    fac_dim=8,
)  # fmt: skip
arrays = {key: 0.15 * rng.normal(size=shape) for key, shape in shapes.items()}
stored = {
    "ci_lag": 1, "cell_clip": 5.0, "encod_seq_len": 40, "recon_seq_len": 50, "dropout_rate": 0.1,
    "kl_ic_scale": 1e-5, "kl_co_scale": 1e-6,
}  # fmt: skip
file = Path(tempfile.mkdtemp()) / "weights.npz"
np.savez(file, **arrays, **{f"hyper_parameters.{name}": value for name, value in stored.items()})
for key in list(arrays)[:3]:
    print(key, arrays[key].shape)

# %% [markdown]
# No torch is needed to load it, and nothing in the file is run. Sizes follow from the shapes. What
# the file does not hold can be said by its name in lfads-torch.

# %%
model = models.from_lfads_torch(file, {"cd_rate": 0.3}, {"bin_width": 0.02})
params = model.hyperparameters["params"]
for name in ("f_size", "z_size", "generator_units", "lag", "scale_rule", "beta_f", "beta_z"):
    print(f"{name:16} {params[name]}")

# %% [markdown]
# It is a model like any other: rates and latents of trials, scores, figures, a fit that goes on.

# %%
spikes = rng.poisson(0.5, [8, 50, 30]).astype("float32")
trials = data.Split(spikes[:, :40, :24], spikes)
posterior = inference.posterior_mean(model, trials)
posterior.rates.shape, posterior.inferred.shape

# %% [markdown]
# The tests load six models made by lfads-torch's own modules, and hold every latent, state, factor
# and rate, and the terms of the loss, to 1e-5. On the command line
# `tfp-bvae adopt weights.npz trials.h5 --out run` makes a run of it for `infer`, `evaluate`,
# `report`, and `fit --resume`.
#
# | of lfads-torch | here |
# |---|---|
# | with and without controller, lag, external inputs, held-out channels, forward prediction | the same outputs |
# | read-in and read-out of one session, or of several | the same; read-ins train in a fit that goes on, where theirs are frozen by default |
# | `Poisson` | the same; above a log-rate of 6 (403 spikes per bin) the rate here grows more slowly |
# | `MSE` | a Gaussian likelihood of variance 1/2 |
# | `AutoregressiveMultivariateNormal`, `MultivariateNormal` as prior of the inputs | `z_prior="ar1"`, `"tiled"` |
# | scales of KL and L2, coordinated dropout, dropout, learning rate | converted, for a fit that goes on |
# | `Gaussian` | refused: its variance follows the factors, that of a Gaussian here does not |
# | `Gamma`, `ZeroInflatedGamma`, a Student's t as prior, `Null` priors | refused: there is no such thing here |
# | `ic_enc_seq_len` above 0 | refused: lfads-torch generates the segment too, LFADS here what follows it |
# | penalties on the encoders, schedules, optimiser | not converted |
#
# What has no counterpart is refused by name, and so is a key that is missing or not known, or an
# array of another shape:

# %%
for change in ({"ic_enc_seq_len": 5}, {"gen_dim": 30}, {"co_lag": 1}):
    try:
        models.from_lfads_torch(file, change)
    except (KeyError, ValueError) as error:
        print(error.args[0])

# %% [markdown]
# ## Names: LFADS
#
# `tfp-bvae settings` lists all settings with the names that LFADS packages have for them; the
# command line suggests the right one for theirs. Names of lfads-tf2 are those below `MODEL` and
# `TRAIN` of its configuration.
#
# | lfads-torch | lfads-tf2 (AutoLFADS) | here |
# |---|---|---|
# | `encod_data_dim`, width of the read-out | `DATA_DIM` less `CS_DIM`, `DATA_DIM` | `channels`, `outputs` |
# | `recon_seq_len` less `encod_seq_len` | `FP_LEN` | `forward_bins` |
# | `ic_enc_dim`, `ic_dim` | `IC_ENC_DIM`, `IC_DIM` | `f_encoder_units`, `f_size` |
# | `ci_enc_dim`, `con_dim`, `co_dim` | `CI_ENC_DIM`, `CON_DIM`, `CO_DIM` | `z_encoder_units`, `controller_units`, `z_size` |
# | `gen_dim`, `fac_dim` | `GEN_DIM`, `FAC_DIM` | `generator_units`, `factors` |
# | `ext_input_dim`, `ic_enc_seq_len`, `ci_lag` | `EXT_INPUT_DIM`, `IC_ENC_SEQ_LEN`, `CI_LAG` | `ext_inputs`, `segment`, `lag` |
# | `variance` of `ic_prior` | `IC_PRIOR_VAR` | `kappa`, or its root `p_f_scale` |
# | `tau` and root of `nvar` of `co_prior` | `CO_PRIOR_TAU`, `CO_PRIOR_NVAR` | `tau`, `p_z_scale`; $\tau$ in bins in all three |
# | `dropout_rate`, `cell_clip` | `DROPOUT_RATE`, `CELL_CLIP` | `dropout`, `clip` |
# | `cd_rate`, `cd_pass_rate` | `CD_RATE`, `CD_PASS_RATE`, `SV_RATE` | `coordinated_dropout`, `coordinated_pass`, `sample_validation` |
# | `kl_ic_scale`, `kl_co_scale` | `KL.IC_WEIGHT`, `KL.CO_WEIGHT` | `beta_f`, `beta_z`, converted |
# | `kl_increase_epoch`, `l2_increase_epoch` | `KL.INCREASE_EPOCH`, `L2.INCREASE_EPOCH` | `warm_up`, of both |
# | `l2_gen_scale`, `l2_con_scale` | `L2.GEN_SCALE`, `L2.CON_SCALE` | `l2_generator`, `l2_controller`, times $TN$ over the number of penalised weights |
# | `lr_init` | `LR.INIT` | `learning_rate` |
#
# Of their outputs, `ic_mean` and `ic_std` are `f` and `f_scale` here, `gen_init` is
# `initial_state`, `co_means` is `inferred`, `factors` is `factors`, `output_params` is `rates`;
# `inference.write_lfads_torch` writes a file with their names. Files of trials of lfads-torch,
# lfads-tf2 and lfads-cd are read as they are.
#
# ## What differs, and why
#
# * **The KL of the inferred inputs.** Theirs is $\log q - \log p$ on one path drawn for it; here it
#   is closed at each bin, given the sampled path that the generator was fed, which is the term of
#   the bound, with far less noise.
# * **A prior without memory.** With `MultivariateNormal` as the prior of the inputs, both average
#   the KL over bins, where with the AR(1) prior they sum it: the same $k$ is then $T$ times weaker.
#   Here both are sums; the converter divides by $T$.
# * **The scale of a posterior.** Theirs is $\sqrt{e^\ell + 10^{-4}}$ for the initial condition and
#   $e^{\ell/2}$ for the inputs; here it is a floor and a softplus, whose gradient is bounded. The
#   setting `scale_rule="log_variance"` is theirs, and what a converted model has.
# * **Likelihoods.** Theirs have Stirling's formula for $\log x!$; here it is exact. Rates are the
#   same, numbers of nats are not.
# * **The read-out's bias** starts at the log of the mean counts in a fit from random weights; with
#   one session theirs starts at zero.
#
# The [page of LFADS](../models/lfads.md) has all equations.
#
# ## Names: indl
#
# | indl | here |
# |---|---|
# | `prepare_inputs`, `create_encs`, `make_encs_variational`, `create_pzs` | `prepare_inputs`, `create_f_encoder`, `make_f_variational`, `create_f_prior` |
# | `create_encd`, `make_encd_variational`, `create_pzd` | `create_z_encoder`, `make_z_variational`, `create_z_prior` |
# | `create_decoder`, `create_decoder_complex` | `create_generator`, `create_generator_lfads` |
# | `zs_size`, `encs_rnn_units`, `encs_rnn_type`, `encs_input_samps` | `f_size`, `f_encoder_units` (and `f_encoder_layers`), `f_encoder_cell`, `segment` |
# | `qzs_init_std`, `pzs_kappa`, `pzs_train_mean`, `pzs_train_var` | `q_f_scale`, `kappa`, `p_f_trainable_loc`, `p_f_trainable_scale` |
# | `zd_size`, `encd_rnn1_units`, `encd_rnn2_units`, `zd_lag` | `z_size`, `z_encoder_units`, `controller_units` or `z_encoder_units2`, `lag` |
# | `pzd_process`, `pzd_units`, `pzd_tau`, `pzd_init_std` | `z_prior`, `z_prior_units`, `tau`, `p_z_scale` |
# | `dec_rnn_type`, `dec_rnn_units`, `zs_to_dec`, `n_factors` | `generator_cell`, `generator_units`, `f_enters`, `factors` |
# | `gru_clip_value`, `coordinated_dropout_rate`, `gen_l2_reg`, `q_samples` | `clip`, `coordinated_dropout`, `l2_generator`, `num_samples` |
# | `AR1ProcessMVNGenerator`, `TiledMVNGenerator`, `RNNMVNGenerator` | `layers.AR1Prior`, `layers.TiledMVNPrior`, `layers.RecurrentMVNPrior` |
#
# Its AR(1) prior is another one: it scores a posterior by a path of its own, drawn from the prior,
# not by the posterior's; and it has the scale of an innovation at the first bin, and
# $\sigma / (1 - \phi^2)$ at all later ones. For the process whose equations it cites the first
# bin has the standard deviation of the whole process, $\sigma / \sqrt{1 - \phi^2}$, and the later
# ones $\sigma$:

# %%
import tensorflow as tf

from tfp_bvae import layers

tau, sigma, bins = 10.0, 0.1, 200
phi = np.exp(-1.0 / tau)
prior = layers.AR1Prior(1, tau=tau, innovation_scale=sigma)(tf.zeros([1, bins, 1]))
variance = sigma**2
for _ in range(bins - 1):  # what its conditionals add up to
    variance = phi**2 * variance + (sigma / (1 - phi**2)) ** 2
print(f"standard deviation of the process: {float(prior.stddev()[-1, 0]):.3f}")
print(f"of indl's after {bins} bins:          {variance**0.5:.3f}")

# %% [markdown]
# ## Names: tfp.layers
#
# | tfp.layers | here |
# |---|---|
# | `DistributionLambda` | a layer with a method `distribution`: `layers.DistributionLayer`; it saves and loads in safe mode |
# | `IndependentNormal`, `MultivariateNormalTriL` | `layers.MVNDiagPosterior`, `layers.MVNTriLPosterior` |
# | `IndependentPoisson` | `layers.PoissonLikelihood` |
# | `KLDivergenceAddLoss(prior, weight=b)` | `layers.KLDivergence(beta=b, prior=...)`, whose prior may be a layer and learn |
# | `params_size` | `params_size` |
#
# Two things differ. As a tensor, theirs is a sample, in training and at inference alike; here it is
# the mean at inference, unless told otherwise. And parameters of zero mean a scale that you state:

# %%
from tensorflow_probability import layers as tfpl

theirs = tfpl.MultivariateNormalTriL(2)(tf.zeros([1, tfpl.MultivariateNormalTriL.params_size(2)]))
size = layers.MVNTriLPosterior.params_size(2)
ours = layers.MVNTriLPosterior(2, init_scale=0.3)(tf.zeros([1, size]))
print(
    "tfp.layers:", theirs.stddev()[0].numpy().round(3), " here:", ours.stddev()[0].numpy().round(3)
)
