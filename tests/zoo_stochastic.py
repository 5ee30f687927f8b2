"""Every public layer that puts out a distribution once, and in its variants."""

import functools

from zoo_parts import (
    CHANNELS,
    LATENT,
    UNITS,
    Specimen,
    drawn,
    each_step,
    normal,
    one_step,
    params,
    path,
    weighed,
)

from tfp_bvae import layers

STOCHASTIC = {
    "AR1Prior": Specimen(
        lambda: layers.AR1Prior(LATENT, tau=4.0), path, lambda b, t: [(t, LATENT)]
    ),
    "AR1Prior, sampled": Specimen(
        lambda: layers.AR1Prior(LATENT, value="sample", seed=1),
        path, lambda b, t: [(t, LATENT)], random="always",
    ),
    "AR1Prior, full": Specimen(
        lambda: layers.AR1Prior(LATENT, tau=4.0, covariance="full", value="sample", seed=1),
        path, lambda b, t: [(t, LATENT)], random="always",
    ),
    "GaussianLikelihood": Specimen(
        lambda: layers.GaussianLikelihood(init_scale=0.5), path, each_step(CHANNELS)
    ),
    "GaussianLikelihood, full": Specimen(
        lambda: layers.GaussianLikelihood("full", init_scale=0.5), path, each_step(CHANNELS)
    ),
    "GroupMVNPrior": Specimen(
        layers.GroupMVNPrior, lambda b, t: normal(b, LATENT), lambda b, t: [(b, LATENT)]
    ),
    "ImportanceWeightedLikelihood": Specimen(
        layers.ImportanceWeightedLikelihood, params, each_step(LATENT), weighed(value="mean")
    ),
    "LearnableMVNDiagCell": Specimen(
        lambda: layers.LearnableMVNDiagCell(LATENT, UNITS, "lstm"),
        lambda b, t: [normal(b, LATENT), normal(b, UNITS), normal(b, UNITS, seed=1)],
        lambda b, t: [(b, LATENT)], one_step,
    ),
    "LearnableMVNPrior": Specimen(
        lambda: layers.LearnableMVNPrior(LATENT, scale=0.5), path, lambda b, t: [(LATENT,)]
    ),
    "LearnableMVNPrior, full": Specimen(
        lambda: layers.LearnableMVNPrior(LATENT, covariance="full", value="auto", seed=1),
        path, lambda b, t: [(LATENT,)], random="in training",
    ),
    "MVNDiagPosterior": Specimen(
        lambda: layers.MVNDiagPosterior(LATENT, init_scale=0.3, seed=1),
        params, each_step(LATENT), random="in training",
    ),
    "MVNDiagPosterior, mean": Specimen(
        lambda: layers.MVNDiagPosterior(LATENT, value="mean"),
        lambda b, t: normal(b, 2 * LATENT), lambda b, t: [(b, LATENT)],
    ),
    "MVNTriLPosterior": Specimen(
        lambda: layers.MVNTriLPosterior(LATENT, seed=1),
        functools.partial(path, channels=5), each_step(LATENT), random="in training",
    ),
    "NegativeBinomialLikelihood": Specimen(
        layers.NegativeBinomialLikelihood, path, each_step(CHANNELS)
    ),
    "NegativeBinomialLikelihood, sampled": Specimen(
        lambda: layers.NegativeBinomialLikelihood(value="auto", seed=1),
        path, each_step(CHANNELS), random="in training",
    ),
    "PathPosterior": Specimen(layers.PathPosterior, drawn, each_step(LATENT)),
    "PoissonLikelihood": Specimen(layers.PoissonLikelihood, path, each_step(CHANNELS)),
    "PoissonLikelihood, sampled": Specimen(
        lambda: layers.PoissonLikelihood(value="auto", seed=1),
        path, each_step(CHANNELS), random="in training",
    ),
    "RecurrentMVNPrior": Specimen(
        lambda: layers.RecurrentMVNPrior(LATENT, UNITS), path, lambda b, t: [(t, LATENT)]
    ),
    "RecurrentMVNPrior, clipped GRU": Specimen(
        lambda: layers.RecurrentMVNPrior(LATENT, UNITS, "clipped_gru", clip=0.3),
        path, lambda b, t: [(t, LATENT)],
    ),
    "RecurrentMVNPrior, LSTM": Specimen(
        lambda: layers.RecurrentMVNPrior(LATENT, UNITS, "lstm", value="auto", seed=1),
        path, lambda b, t: [(t, LATENT)], random="in training",
    ),
    "RecurrentMVNPrior, simple RNN": Specimen(
        lambda: layers.RecurrentMVNPrior(LATENT, UNITS, "simple_rnn", value="sample", seed=1),
        path, lambda b, t: [(t, LATENT)], random="always",
    ),
    "StandardNormalPrior": Specimen(
        lambda: layers.StandardNormalPrior(LATENT), path, lambda b, t: [(t, LATENT)]
    ),
    "TiledMVNPrior": Specimen(
        lambda: layers.TiledMVNPrior(LATENT, scale=0.5), path, lambda b, t: [(t, LATENT)]
    ),
    "TiledMVNPrior, full": Specimen(
        lambda: layers.TiledMVNPrior(LATENT, covariance="full"), path, lambda b, t: [(t, LATENT)]
    ),
    "ZeroInflatedPoissonLikelihood": Specimen(
        lambda: layers.ZeroInflatedPoissonLikelihood(0.2), path, each_step(CHANNELS)
    ),
    "PoissonLikelihood, missing": Specimen(
        lambda: layers.PoissonLikelihood(missing=True), path, each_step(CHANNELS)
    ),
    "GaussianLikelihood, full, missing": Specimen(
        lambda: layers.GaussianLikelihood("full", missing=True), path, each_step(CHANNELS)
    ),
    "ZeroInflatedPoissonLikelihood, sampled": Specimen(
        lambda: layers.ZeroInflatedPoissonLikelihood(value="auto", seed=1),
        path, each_step(CHANNELS), random="in training",
    ),
}  # fmt: skip
