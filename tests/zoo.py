"""Every public layer once, and LFADS in its variants: what the laws in conformance/ run over."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tf_keras

from tfp_bvae import layers, models, rnn

BATCH, STEPS, CHANNELS, LATENT, UNITS = 3, 6, 4, 2, 5


class Specimen(NamedTuple):
    """How to make one layer, what to feed it, what comes out, and how it stands in a graph."""

    make: Callable[[], tf_keras.layers.Layer]
    inputs: Callable[[int, int], Any]  # of batch and steps: arrays [batch, (time,) channel]
    shapes: Callable[[int, int], list]  # of batch and steps: shapes of what comes out, flat
    wire: Callable = lambda layer, inputs: layer(inputs)
    random: str = "never"  # or "in training", or "always": when two calls differ


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def counts(*shape: int) -> np.ndarray:
    return np.random.default_rng(1).poisson(1.0, shape).astype("float32")


def path(batch: int, steps: int, channels: int = CHANNELS) -> np.ndarray:
    return normal(batch, steps, channels)


def params(batch: int, steps: int) -> np.ndarray:
    """Parameters of a diagonal Gaussian at each step."""
    return normal(batch, steps, 2 * LATENT)


def of_sessions(batch: int, steps: int) -> list[np.ndarray]:
    """Sequences, and which of two sessions each trial is of."""
    return [path(batch, steps), np.arange(batch, dtype="int32") % 2]


def drawn(batch: int, steps: int) -> list[np.ndarray]:
    """Location, scale and a draw at each step."""
    loc, raw, noise = (normal(batch, steps, LATENT, seed=seed) for seed in range(3))
    return [loc, np.exp(0.5 * raw), loc + np.exp(0.5 * raw) * noise]


def start(batch: int, steps: int, **sequences: int) -> dict[str, np.ndarray]:
    """What decoders take: an initial state, and sequences by name and number of channels."""
    found = {name: path(batch, steps, channels) for name, channels in sequences.items()}
    return found | {"initial_state": normal(batch, UNITS)}


def against(make_prior: Callable[[], tf_keras.layers.Layer]) -> Callable:
    """Wires a KL layer between a posterior of the inputs and a prior."""

    def wire(layer, inputs):
        q = layers.MVNDiagPosterior(LATENT, name="q")(inputs)
        return layer([q, make_prior()(inputs)])

    return wire


def after_posterior(layer, inputs):
    """Wires a penalty after a posterior of the inputs."""
    return layer(layers.MVNDiagPosterior(LATENT, name="q")(inputs))


def between(layer, inputs):
    """Wires a KL layer as models do: the path was drawn before, and something else goes on."""
    *path_and_params, goes_on = inputs
    q = layers.PathPosterior(name="q")(path_and_params)
    return layer([q, layers.AR1Prior(LATENT, name="p")(goes_on), goes_on])


def one_step(layer, inputs):
    """Wires a prior's cell: it takes a sample and a state, and gives a Gaussian and a state."""
    sample, *state = inputs
    gaussian, _ = layer(sample, tuple(state))
    return gaussian


def ratio_of(make_prior: Callable[[], tf_keras.layers.Layer]) -> Callable:
    """Wires a ratio of a posterior of the inputs and a prior, as a stock layer reads it."""

    def wire(layer, inputs):
        q = layers.MVNDiagPosterior(LATENT, name="q")(inputs)
        z, ratio = layer([q, make_prior()(inputs)])
        return [z, tf_keras.layers.Activation("linear")(ratio)]

    return wire


def weighed(value: str = "auto") -> Callable:
    """Wires a layer for several samples into the smallest importance-weighted model."""

    def wire(layer, inputs):
        parts = {
            "RepeatSamples": layers.RepeatSamples(2, name="repeat"),
            "SplitSamples": layers.SplitSamples(2, name="split"),
            "ImportanceWeightedLikelihood": layers.ImportanceWeightedLikelihood(name="weighted"),
        }
        parts[type(layer).__name__] = layer
        repeated = parts["RepeatSamples"](inputs)
        q = layers.MVNDiagPosterior(LATENT, value=value, name="q")(repeated)
        p = layers.AR1Prior(LATENT, name="p")(repeated)
        z, ratio = layers.LogRatio(name="ratio")([q, p])
        likelihood = layers.PoissonLikelihood(name="counts")(parts["SplitSamples"](z))
        return parts["ImportanceWeightedLikelihood"]([likelihood, ratio])

    return wire


def in_rnn(cell, inputs):
    """Wires a recurrent cell as a layer of Keras runs it."""
    return tf_keras.layers.RNN(cell, return_sequences=True)(inputs)


def each_step(*channels: int | None) -> Callable[[int, int], list]:
    """Shapes of outputs that are sequences as long as the input."""
    return lambda b, t: [(b, t, size) for size in channels]


DECODED = each_step(4, 3, UNITS, LATENT, LATENT, LATENT)  # by name: controller, factors, ...

LAYERS = {
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
    "Bidirectional": Specimen(
        lambda: rnn.Bidirectional(UNITS, recurrent_l2=0.1), path, lambda b, t: [(b, 2 * UNITS)]
    ),
    "Bidirectional, sequences": Specimen(
        lambda: rnn.Bidirectional(UNITS, return_sequences=True, clip=0.3),
        path, each_step(2 * UNITS),
    ),
    "Bidirectional, LSTM": Specimen(
        lambda: rnn.Bidirectional(UNITS, "lstm", return_sequences=True),
        path, each_step(2 * UNITS),
    ),
    "ClippedGRU": Specimen(lambda: rnn.ClippedGRU(UNITS), path, lambda b, t: [(b, UNITS)]),
    "ClippedGRU, backward sequences": Specimen(
        lambda: rnn.ClippedGRU(UNITS, True, go_backwards=True, clip=0.3, recurrent_l2=0.1),
        path, each_step(UNITS),
    ),
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
    "GaussianLikelihood": Specimen(
        lambda: layers.GaussianLikelihood(init_scale=0.5), path, each_step(CHANNELS)
    ),
    "GaussianLikelihood, full": Specimen(
        lambda: layers.GaussianLikelihood("full", init_scale=0.5), path, each_step(CHANNELS)
    ),
    "Generator": Specimen(
        lambda: rnn.Generator(UNITS, factors=3, dropout=0.3, generator_l2=0.1, seed=1),
        functools.partial(start, like=1, ext_input=2),
        each_step(3, UNITS), random="in training",
    ),
    "Generator, autonomous": Specimen(
        lambda: rnn.Generator(UNITS, factors=3, clip=0.3),
        functools.partial(start, like=1), each_step(3, UNITS),
    ),
    "GRU": Specimen(lambda: rnn.GRU(UNITS), path, lambda b, t: [(b, UNITS)]),
    "GRU, backward sequences": Specimen(
        lambda: rnn.GRU(UNITS, True, go_backwards=True, recurrent_l2=0.1), path, each_step(UNITS)
    ),
    "GradientBlock": Specimen(
        layers.GradientBlock,
        lambda b, t: [path(b, t), path(b, t - 1, 2) ** 2], each_step(CHANNELS),
    ),
    "GroupDiscrimination": Specimen(
        lambda: layers.GroupDiscrimination(2.0),
        lambda b, t: [normal(b, 2 * LATENT), np.arange(b, dtype="int32"), normal(b, LATENT)],
        lambda b, t: [(b, LATENT)],
        lambda layer, x: layer([layers.MVNDiagPosterior(LATENT, name="q")(x[0]), *x[1:]]),
        "in training",
    ),
    "GroupMVNPrior": Specimen(
        layers.GroupMVNPrior, lambda b, t: normal(b, LATENT), lambda b, t: [(b, LATENT)]
    ),
    "GroupMeans": Specimen(
        lambda: layers.GroupMeans(4, LATENT),
        lambda b, t: [np.arange(b, dtype="int32"), np.full(b, 5.0, "float32")],
        lambda b, t: [(b, LATENT), (4, LATENT)],
    ),
    "ImportanceWeightedLikelihood": Specimen(
        layers.ImportanceWeightedLikelihood, params, each_step(LATENT), weighed(value="mean")
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
    "LFADSCell": Specimen(
        lambda: rnn.LFADSCell(UNITS, 4, 3, LATENT, inject_ext_input_to_gen=False, seed=1),
        lambda b, t: {"controller_input": path(b, t), "ext_input": path(b, t, 2)},
        DECODED, in_rnn, "in training",
    ),
    "LFADSCell, no ext_input": Specimen(
        lambda: rnn.LFADSCell(UNITS, 4, 3, LATENT, clip=0.3), path, DECODED, in_rnn, "in training"
    ),
    "LFADSDecoder": Specimen(
        lambda: rnn.LFADSDecoder(UNITS, 4, 3, LATENT, dropout=0.2, l2=(0.1, 0.2), seed=1),
        functools.partial(start, controller_input=4, ext_input=2),
        DECODED, random="in training",
    ),
    "LFADSDecoder, ext_input to the controller": Specimen(
        lambda: rnn.LFADSDecoder(UNITS, 4, 3, LATENT, inject_ext_input_to_gen=False),
        functools.partial(start, controller_input=4, ext_input=2),
        DECODED, random="in training",
    ),
    "LFADSDecoder, no ext_input": Specimen(
        lambda: rnn.LFADSDecoder(UNITS, 4, 3, LATENT, clip=0.3),
        functools.partial(start, controller_input=4), DECODED, random="in training",
    ),
    "LSTM": Specimen(lambda: rnn.LSTM(UNITS), path, lambda b, t: [(b, UNITS)]),
    "LSTM, backward sequences": Specimen(
        lambda: rnn.LSTM(UNITS, True, go_backwards=True, recurrent_l2=0.1), path, each_step(UNITS)
    ),
    "LogRatio": Specimen(
        layers.LogRatio, params, lambda b, t: [(b, t, LATENT), (b,)],
        ratio_of(lambda: layers.AR1Prior(LATENT, name="p")), "in training",
    ),
    "LogRatio, no time": Specimen(
        layers.LogRatio, lambda b, t: normal(b, 2 * LATENT), lambda b, t: [(b, LATENT), (b,)],
        ratio_of(lambda: layers.LearnableMVNPrior(LATENT, name="p")), "in training",
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
    "PadTime": Specimen(
        lambda: layers.PadTime(2), path, lambda b, t: [(b, t + 2, CHANNELS)]
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
    "SimpleRNN": Specimen(
        lambda: rnn.SimpleRNN(UNITS, True, recurrent_l2=0.1), path, each_step(UNITS)
    ),
    "SplitSamples": Specimen(
        lambda: layers.SplitSamples(2), params, each_step(LATENT), weighed(), "in training"
    ),
    "SplitTime": Specimen(
        lambda: layers.SplitTime(2), path, lambda b, t: [(b, 2, CHANNELS), (b, t - 2, CHANNELS)]
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
    "ZeroInflatedPoissonLikelihood": Specimen(
        lambda: layers.ZeroInflatedPoissonLikelihood(0.2), path, each_step(CHANNELS)
    ),
    "ZeroInflatedPoissonLikelihood, sampled": Specimen(
        lambda: layers.ZeroInflatedPoissonLikelihood(value="auto", seed=1),
        path, each_step(CHANNELS), random="in training",
    ),
}  # fmt: skip

NOT_LAYERS = {
    "DecoderPath", "DecoderSequences", "DecoderStart", "DecoderWeights",  # tuples of tensors
    "LFADSState",
    "L2Penalty", "NoiseStream",  # what layers own
    "CELLS", "Cell", "recurrent_scan",  # pure functions of the recurrent cells
    "dropout_mask", "lfads_decoder", "posterior_values", "standard_normal",
    "sample_z_prior",  # a function of a prior layer
    "DistributionLayer",  # the base: it has no distribution of its own
}  # fmt: skip

SMALL = {
    "f_size": 2, "f_encoder_units": 3, "z_size": 2, "z_encoder_units": 3, "controller_units": 3,
    "generator_units": 5, "factors": 3, "dropout": 0.1, "coordinated_dropout": 0.3,
}  # fmt: skip


class Model(NamedTuple):
    """The settings of one variant of LFADS; the rest as a `Specimen` has it."""

    arguments: dict
    params: dict
    random: str = "in training"
    create: Callable[[dict, dict], tf_keras.Model] = models.lfads

    def make(self, **params: Any) -> tf_keras.Model:
        arguments = {"channels": CHANNELS} | self.arguments
        return self.create(arguments, SMALL | self.params | params)

    def inputs(self, batch: int = BATCH, steps: int = STEPS) -> dict[str, np.ndarray]:
        found = {"spikes": counts(batch, steps, CHANNELS)}
        if "ext_inputs" in self.arguments:
            length = steps + self.arguments.get("forward_bins", 0)
            found["ext_input"] = normal(batch, length, self.arguments["ext_inputs"])
        if "num_groups" in self.arguments:
            found["group"] = np.arange(batch, dtype="int32") % self.arguments["num_groups"]
            found["count"] = np.full(batch, 5.0, "float32")
        if "sample_validation" in self.params:
            found["trial"] = np.arange(batch, dtype="int32")
        return found

    def shapes(self, batch: int = BATCH, steps: int = STEPS) -> list:
        steps += self.arguments.get("forward_bins", 0) - self.params.get("segment", 0)
        return [(batch, steps, self.arguments.get("outputs", CHANNELS))]

    def targets(self, batch: int = BATCH, steps: int = STEPS) -> np.ndarray:
        """What the likelihood is of."""
        return counts(*self.shapes(batch, steps)[0])


MODELS = {
    "lfads": Model({}, {}),
    "lfads, no controller": Model({}, {"z_size": 0}),
    "lfads, causal": Model({}, {"causal": True, "segment": 2}),
    "lfads, segment": Model({"ext_inputs": 2}, {"segment": 2}),
    "lfads, ext_input": Model({"ext_inputs": 2}, {"l2_generator": 0.1, "l2_controller": 0.2}),
    "lfads, no controller, all else": Model(
        {"ext_inputs": 2, "forward_bins": 1, "outputs": 6},
        {"z_size": 0, "l2_generator": 0.1, "segment": 2, "sample_validation": 0.2},
    ),
    "lfads, held out": Model({"outputs": 6, "forward_bins": 2}, {}),
    "lfads, sample validation": Model({}, {"sample_validation": 0.3}),
    "lfads, gaussian": Model({"likelihood": "gaussian"}, {}),
}
FEW_MODELS = ["lfads, ext_input", "lfads, no controller, all else"]  # where all would take long

OTHER_MODELS = {
    "dsae, full": Model({}, {"z_encoder_units2": 3, "z_prior_units": 3}, create=models.dsae),
    "dsae, factorized": Model(
        {"outputs": 6}, {"generator_cell": "gru", "f_enters": "both"},
        create=functools.partial(models.dsae, posterior="factorized"),
    ),
    "fhvae": Model({"num_groups": 2}, {"discrimination": 0.5}, create=models.fhvae),
}  # fmt: skip

ZOO = {**LAYERS, **MODELS, **OTHER_MODELS}
MOST = [*LAYERS, *FEW_MODELS, *OTHER_MODELS]
