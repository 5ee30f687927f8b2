"""Every public layer once, and LFADS in its variants: what the laws in conformance/ run over."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tf_keras
from zoo_others import OTHERS
from zoo_parts import BATCH, CHANNELS, STEPS, counts, normal
from zoo_recurrent import RECURRENT
from zoo_stochastic import STOCHASTIC

from tfp_bvae import models

LAYERS = OTHERS | RECURRENT | STOCHASTIC

NOT_LAYERS = {
    "DecoderPath", "DecoderSequences", "DecoderStart", "DecoderWeights",  # tuples of tensors
    "LFADSState",
    "L2Penalty", "NoiseStream",  # what layers own
    "CELLS", "Cell", "Recurrence", "recurrent_scan", "recurrent_scans",  # pure functions of cells
    "dropout_mask", "lfads_decoder", "posterior_values", "standard_normal",
    "part_of_batch",  # says which trials a replica has
    "sample_z_prior",  # a function of a prior layer
    "AdjustableRate", "adjustable", "rates_of",  # of any layer that has a rate
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
        if self.arguments.get("masked"):
            found["spikes"][0, 1] = found["spikes"][1, steps // 2, 0] = np.nan
            if "num_groups" not in self.arguments:  # segments are all of one length
                found["length"] = np.full(batch, steps, "int32")
                found["length"][-1] = steps - 2
                found["spikes"][-1, steps - 2 :] = np.nan
        if "num_groups" in self.arguments:
            found["group"] = np.arange(batch, dtype="int32") % self.arguments["num_groups"]
            found["count"] = np.full(batch, 5.0, "float32")
        if "num_sessions" in self.arguments:
            found["session"] = np.arange(batch, dtype="int32") % self.arguments["num_sessions"]
        if "sample_validation" in self.params:
            found["trial"] = np.arange(batch, dtype="int32")
        return found

    def shapes(self, batch: int = BATCH, steps: int = STEPS) -> list:
        steps += self.arguments.get("forward_bins", 0) - self.params.get("segment", 0)
        return [(batch, steps, self.arguments.get("outputs", CHANNELS))]

    def targets(self, batch: int = BATCH, steps: int = STEPS) -> np.ndarray:
        """What the likelihood is of."""
        found = counts(*self.shapes(batch, steps)[0])
        if self.arguments.get("masked"):
            found[0, 0] = np.nan
            found[-1, -2:] = np.nan
        return found


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
    "lfads, sessions": Model(
        {"num_sessions": 2, "ext_inputs": 2, "forward_bins": 1, "outputs": 6},
        {"segment": 2, "input_factors": 4},
    ),
    "lfads, gaussian": Model({"likelihood": "gaussian"}, {}),
    "lfads, masked": Model({"masked": True}, {"segment": 1, "l2_generator": 0.1}),
}
FEW_MODELS = ["lfads, ext_input", "lfads, no controller, all else"]  # where all would take long

OTHER_MODELS = {
    "dsae, full": Model({}, {"z_encoder_units2": 3, "z_prior_units": 3}, create=models.dsae),
    "dsae, factorized": Model(
        {"outputs": 6}, {"generator_cell": "gru", "f_enters": "both"},
        create=functools.partial(models.dsae, posterior="factorized"),
    ),
    "dsae, full, masked": Model(
        {"masked": True}, {"z_encoder_units2": 3, "z_prior_units": 3}, create=models.dsae
    ),
    "fhvae": Model({"num_groups": 2}, {"discrimination": 0.5}, create=models.fhvae),
    "fhvae, sessions": Model({"num_groups": 2, "num_sessions": 2}, {}, create=models.fhvae),
}  # fmt: skip

ZOO = {**LAYERS, **MODELS, **OTHER_MODELS}
MOST = [*LAYERS, *FEW_MODELS, *OTHER_MODELS]
