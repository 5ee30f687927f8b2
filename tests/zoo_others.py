"""Every other public layer once: objective, masks, sequences, samples, sessions, groups."""

import numpy as np
from zoo_parts import (
    CHANNELS,
    LATENT,
    UNITS,
    Specimen,
    after_posterior,
    against,
    between,
    drawn,
    each_step,
    normal,
    of_sessions,
    params,
    path,
    ratio_of,
    weighed,
    with_gaps,
)

from tfp_bvae import layers

OTHERS = {
    "CoordinatedDropout": Specimen(
        lambda: layers.CoordinatedDropout(0.4, pass_rate=0.1, seed=1),
        path, each_step(CHANNELS, CHANNELS), random="in training",
    ),
    "DIPPenalty": Specimen(
        lambda: layers.DIPPenalty(2.0, 0.5), lambda b, t: normal(b, 2 * LATENT),
        lambda b, t: [(b, LATENT)], after_posterior, "in training",
    ),
    "DIPPenalty, kind ii": Specimen(
        lambda: layers.DIPPenalty(2.0, 0.5, kind="ii"), lambda b, t: normal(b, 2 * LATENT),
        lambda b, t: [(b, LATENT)], after_posterior, "in training",
    ),
    "GradientBlock": Specimen(
        layers.GradientBlock,
        lambda b, t: [path(b, t), path(b, t - 1, 2) ** 2], each_step(CHANNELS),
    ),
    "LearnedFill": Specimen(layers.LearnedFill, with_gaps, each_step(CHANNELS)),
    "MissingToZero": Specimen(layers.MissingToZero, path, each_step(CHANNELS)),
    "GroupDiscrimination": Specimen(
        lambda: layers.GroupDiscrimination(2.0),
        lambda b, t: [normal(b, 2 * LATENT), np.arange(b, dtype="int32"), normal(b, LATENT)],
        lambda b, t: [(b, LATENT)],
        lambda layer, x: layer([layers.MVNDiagPosterior(LATENT, name="q")(x[0]), *x[1:]]),
        "in training",
    ),
    "GroupMeans": Specimen(
        lambda: layers.GroupMeans(4, LATENT),
        lambda b, t: [np.arange(b, dtype="int32"), np.full(b, 5.0, "float32")],
        lambda b, t: [(b, LATENT), (4, LATENT)],
    ),
    "JoinOverTime": Specimen(
        layers.JoinOverTime, lambda b, t: [path(b, t), normal(b, 3)], each_step(CHANNELS + 3)
    ),
    "JoinOverTime, the vector alone": Specimen(
        lambda: layers.JoinOverTime(keep=False),
        lambda b, t: [path(b, t), normal(b, 3)], each_step(3),
    ),
    "KLDivergence, no time": Specimen(
        lambda: layers.KLDivergence(0.5),
        lambda b, t: normal(b, 2 * LATENT), lambda b, t: [(b, LATENT)],
        against(lambda: layers.LearnableMVNPrior(LATENT, name="p")), "in training",
    ),
    "KLDivergence, analytic": Specimen(
        lambda: layers.KLDivergence(0.5, method="analytic"), params, each_step(LATENT),
        against(lambda: layers.TiledMVNPrior(LATENT, scale=0.5, name="p")), "in training",
    ),
    "KLDivergence, with its prior": Specimen(
        lambda: layers.KLDivergence(0.5, prior=layers.LearnableMVNPrior(LATENT, name="p")),
        lambda b, t: normal(b, 2 * LATENT), lambda b, t: [(b, LATENT)],
        lambda layer, x: layer(layers.MVNDiagPosterior(LATENT, name="q")(x)), "in training",
    ),
    "KLDivergence, sampled": Specimen(
        lambda: layers.KLDivergence(0.5, method="sampled"), params, each_step(LATENT),
        against(lambda: layers.AR1Prior(LATENT, name="p")), "in training",
    ),
    "KLDivergence, capacity": Specimen(
        lambda: layers.KLDivergence(0.5, capacity=3.0),
        lambda b, t: normal(b, 2 * LATENT), lambda b, t: [(b, LATENT)],
        against(lambda: layers.LearnableMVNPrior(LATENT, name="p")), "in training",
    ),
    "KLDivergence, free bits": Specimen(
        lambda: layers.KLDivergence(0.5, free_bits=0.5),
        lambda b, t: [*drawn(b, t), path(b, t)], each_step(CHANNELS), between,
    ),
    "KLDivergence, path": Specimen(
        lambda: layers.KLDivergence(0.5),
        lambda b, t: [*drawn(b, t), path(b, t)], each_step(CHANNELS), between,
    ),
    "LogRatio": Specimen(
        layers.LogRatio, params, lambda b, t: [(b, t, LATENT), (b,)],
        ratio_of(lambda: layers.AR1Prior(LATENT, name="p")), "in training",
    ),
    "LogRatio, no time": Specimen(
        layers.LogRatio, lambda b, t: normal(b, 2 * LATENT), lambda b, t: [(b, LATENT), (b,)],
        ratio_of(lambda: layers.LearnableMVNPrior(LATENT, name="p")), "in training",
    ),
    "PadTime": Specimen(
        lambda: layers.PadTime(2), path, lambda b, t: [(b, t + 2, CHANNELS)]
    ),
    "RepeatSamples": Specimen(
        lambda: layers.RepeatSamples(2), params, each_step(LATENT), weighed(), "in training"
    ),
    "SampleValidation": Specimen(
        lambda: layers.SampleValidation(0.3),
        lambda b, t: [path(b, t), np.arange(b, dtype="int32")], each_step(CHANNELS, CHANNELS),
    ),
    "SeededDropout": Specimen(
        lambda: layers.SeededDropout(0.3, seed=1), path, each_step(CHANNELS), random="in training"
    ),
    "SessionReadIn": Specimen(
        lambda: layers.SessionReadIn(2, UNITS), of_sessions, each_step(UNITS)
    ),
    "SessionReadOut": Specimen(
        lambda: layers.SessionReadOut(2, UNITS), of_sessions, each_step(UNITS)
    ),
    "SplitSamples": Specimen(
        lambda: layers.SplitSamples(2), params, each_step(LATENT), weighed(), "in training"
    ),
    "SplitTime": Specimen(
        lambda: layers.SplitTime(2), path, lambda b, t: [(b, 2, CHANNELS), (b, t - 2, CHANNELS)]
    ),
    "TimeLag": Specimen(lambda: layers.TimeLag(1), path, each_step(CHANNELS)),
    "TimeLag, bidirectional": Specimen(
        lambda: layers.TimeLag(2, bidirectional=True), path, each_step(CHANNELS)
    ),
    "TotalCorrelation": Specimen(
        lambda: layers.TotalCorrelation(2.0, num_trials=20), lambda b, t: normal(b, 2 * LATENT),
        lambda b, t: [(b, LATENT)], after_posterior, "in training",
    ),
    "TotalCorrelation, stratified": Specimen(
        lambda: layers.TotalCorrelation(2.0, num_trials=20, sampling="stratified"),
        lambda b, t: normal(b, 2 * LATENT),
        lambda b, t: [(b, LATENT)], after_posterior, "in training",
    ),
}  # fmt: skip
