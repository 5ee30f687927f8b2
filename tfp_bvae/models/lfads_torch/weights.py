"""Weights of lfads-torch at their places in a model of this package."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from tfp_bvae.distributions.scale_rules import scale_shift
from tfp_bvae.models.arguments import Arguments
from tfp_bvae.models.base import BetaVAE
from tfp_bvae.models.builders.output import SMALLEST_RATE
from tfp_bvae.models.lfads_torch.shapes import Sizes

__all__ = ["assign"]

Weights = Mapping[str, np.ndarray]
STEP = "decoder.rnn.cell"


def assign(model: BetaVAE, weights: Weights, sizes: Sizes, arguments: Arguments) -> None:
    """Give a model its weights.

    Their kernels are `[outputs, inputs]`, ours `[inputs, outputs]`; gates have one order in both,
    and the second bias of theirs adds to the first, since they reset the state before the product.

    Args:
        model: `models.lfads` of these sizes, with the scale rule `"log_variance"`.
        weights: all of them, of their right shapes.
        sizes: theirs.
        arguments: ours.
    """
    _encoder(model.get_layer("f_encoder"), weights, "ic")
    _static(model, weights, sizes.ic_dim)
    _dense(model.get_layer("initial_state"), weights, "decoder.ic_to_g0")
    _generator(model.get_layer("generator"), weights, sizes)
    if sizes.co_dim:
        _encoder(model.get_layer("z_encoder"), weights, "ci")
        _dynamic_prior(model.get_layer("p_z"), weights, sizes.co_prior)
    if arguments.num_sessions is not None:
        _sessions(model, weights, sizes, arguments)
        return
    if sizes.readin:
        _dense(model.get_layer("input_factors"), weights, "readin.0")
    _dense(model.get_layer("log_rate"), weights, "readout.0")
    if arguments.likelihood == "gaussian":  # squared error is a Gaussian's of variance 1/2
        scale = model.get_layer("likelihood").log_scale
        scale.assign(np.full(scale.shape, -0.5 * math.log(2.0), np.float32))


def _dense(layer, weights: Weights, name: str) -> None:
    layer.kernel.assign(weights[f"{name}.weight"].T)
    layer.bias.assign(weights[f"{name}.bias"])


def _bias(weights: Weights, name: str) -> np.ndarray:
    return weights[f"{name}.bias_ih"] + weights[f"{name}.bias_hh"]


def _encoder(layer, weights: Weights, which: str) -> None:
    """A network that runs both ways, with its initial states."""
    start = weights[f"encoder.{which}_enc_h0"]
    for number, (way, name) in enumerate([("forward", "fwd"), ("backward", "bwd")]):
        cell, rnn = f"encoder.{which}_enc.{name}_gru.cell", getattr(layer, f"{way}_rnn")
        rnn.kernel.assign(weights[f"{cell}.weight_ih"].T)
        rnn.recurrent_kernel.assign(weights[f"{cell}.weight_hh"].T)
        rnn.bias.assign(_bias(weights, cell))
        rnn.initial_state.assign(start[number, 0])


def _static(model: BetaVAE, weights: Weights, size: int) -> None:
    """Posterior and prior of f."""
    kernel, bias = weights["encoder.ic_linear.weight"].T, weights["encoder.ic_linear.bias"]
    q_f, p_f = model.get_layer("q_f"), model.get_layer("p_f")
    shift = scale_shift(q_f.init_scale, q_f.min_scale, q_f.scale_rule)
    for name, part, moved in (("f_loc", slice(size), 0.0), ("f_scale", slice(size, None), shift)):
        layer = model.get_layer(name)
        layer.kernel.assign(kernel[:, part])
        layer.bias.assign(bias[part] - moved)
    p_f.loc.assign(weights["ic_prior.mean"])
    p_f.log_scale.assign(0.5 * weights["ic_prior.logvar"])


def _generator(layer, weights: Weights, sizes: Sizes) -> None:
    """The generator and, where there is one, its controller."""
    cell = layer.cell if sizes.co_dim else layer  # alone, the layer has the weights itself
    inputs = weights[f"{STEP}.gen_cell.weight_ih"].T
    if sizes.co_dim:
        cell.inferred_kernel.assign(inputs[: sizes.co_dim])
    if sizes.ext_input_dim:
        cell.ext_kernel.assign(inputs[sizes.co_dim :])
    cell.generator_kernel.assign(weights[f"{STEP}.gen_cell.weight_hh"].T)
    cell.generator_bias.assign(_bias(weights, f"{STEP}.gen_cell"))
    cell.factor_kernel.assign(weights[f"{STEP}.fac_linear.weight"].T)
    if sizes.co_dim:
        _controller(cell, weights, sizes)


def _controller(cell, weights: Weights, sizes: Sizes) -> None:
    inputs = weights[f"{STEP}.con_cell.weight_ih"].T
    cell.encoding_kernel.assign(inputs[: 2 * sizes.ci_enc_dim])
    cell.fed_back_kernel.assign(inputs[2 * sizes.ci_enc_dim :])
    cell.controller_kernel.assign(weights[f"{STEP}.con_cell.weight_hh"].T)
    cell.controller_bias.assign(_bias(weights, f"{STEP}.con_cell"))
    cell.controller_start.assign(weights["decoder.con_h0"][0])
    cell.posterior_kernel.assign(weights[f"{STEP}.co_linear.weight"].T)
    bias = weights[f"{STEP}.co_linear.bias"].copy()
    bias[sizes.co_dim :] -= cell.scale_shift
    cell.posterior_bias.assign(bias)


def _dynamic_prior(layer, weights: Weights, kind: str) -> None:
    """Logarithms of variances become those of standard deviations; tau is in bins in both."""
    if kind == "ar1":
        layer.log_tau.assign(weights["co_prior.logtaus"])
        layer.log_innovation_scale.assign(0.5 * weights["co_prior.lognvars"])
    else:
        layer.loc.assign(weights["co_prior.mean"])
        layer.log_scale.assign(0.5 * weights["co_prior.logvar"])


def _sessions(model: BetaVAE, weights: Weights, sizes: Sizes, arguments: Arguments) -> None:
    """Read-ins and read-outs, their channels where `data.join_sessions` puts them."""
    number, features = arguments.num_sessions, sizes.encod_data_dim
    kernels = np.zeros([number, arguments.channels, features], np.float32)
    biases = np.zeros([number, features], np.float32)
    out_kernels = np.zeros([number, sizes.fac_dim, arguments.outputs], np.float32)
    out_biases = np.full([number, arguments.outputs], math.log(SMALLEST_RATE), np.float32)
    for s, predicted in enumerate(sizes.readout):
        seen = sizes.readin[s] if sizes.readin else features
        kernels[s, :seen] = weights[f"readin.{s}.weight"].T if sizes.readin else np.eye(features)
        if sizes.readin:
            biases[s] = weights[f"readin.{s}.bias"]
        first = arguments.channels
        places = [*range(seen), *range(first, first + predicted - seen)]
        out_kernels[s][:, places] = weights[f"readout.{s}.weight"].T
        out_biases[s, places] = weights[f"readout.{s}.bias"]
    model.get_layer("input_factors").assign(kernels, biases)
    model.get_layer("log_rate").assign(out_kernels, out_biases)
