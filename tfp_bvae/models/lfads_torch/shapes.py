"""The weights of lfads-torch by their names: which there are, and of what shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from tfp_bvae import checks

__all__ = ["Sizes", "lfads_torch_shapes", "require_shapes", "sizes_of"]

CO_PRIORS = {"ar1": ("logtaus", "lognvars"), "normal": ("mean", "logvar")}
SEEN_FIRST = {
    "encod_data_dim": ("encoder.ic_enc.fwd_gru.cell.weight_ih", 1),
    "ic_enc_dim": ("encoder.ic_enc.fwd_gru.cell.weight_hh", 1),
    "con_dim": ("decoder.con_h0", 1),
    "ic_dim": ("decoder.ic_to_g0.weight", 1),
    "gen_dim": ("decoder.ic_to_g0.weight", 0),
    "fac_dim": ("decoder.rnn.cell.fac_linear.weight", 0),
}


class Sizes(NamedTuple):
    """Sizes of a model of lfads-torch, by the names of its configuration."""

    encod_data_dim: int  # what the encoders see: channels, or features of the read-in
    ic_enc_dim: int
    con_dim: int
    ic_dim: int
    gen_dim: int
    fac_dim: int
    ci_enc_dim: int
    co_dim: int
    ext_input_dim: int
    readout: tuple[int, ...]  # predicted channels of each session
    readin: tuple[int, ...]  # encoded channels of each session; empty without a read-in
    co_prior: str | None  # a key of CO_PRIORS; None without a controller


def lfads_torch_shapes(
    encod_data_dim: int,
    readout: Sequence[int],
    readin: Sequence[int] = (),
    ic_enc_dim: int = 64,
    ci_enc_dim: int = 64,
    con_dim: int = 64,
    co_dim: int = 4,
    ic_dim: int = 64,
    gen_dim: int = 200,
    fac_dim: int = 100,
    ext_input_dim: int = 0,
    co_prior: str = "ar1",
) -> dict[str, tuple[int, ...]]:
    """The `state_dict` of a model of lfads-torch: the shape of each array by its key.

    Args:
        encod_data_dim: what the encoders see: channels, or features of the read-in.
        readout: predicted channels of each session.
        readin: encoded channels of each session; empty where there is no read-in.
        ic_enc_dim: units of the encoder of the initial condition.
        ci_enc_dim: units of the encoder of the controller; 0, as the next two, without one.
        con_dim: units of the controller.
        co_dim: inferred inputs.
        ic_dim: size of the initial condition.
        gen_dim: units of the generator.
        fac_dim: factors.
        ext_input_dim: external inputs.
        co_prior: `"ar1"`, or `"normal"` for independent bins.

    Raises:
        ValueError: for sizes that do not go together.

    >>> shapes = lfads_torch_shapes(30, readout=[40])
    >>> len(shapes), shapes["decoder.rnn.cell.con_cell.weight_ih"]
    (40, (192, 228))
    """
    of_controller = (ci_enc_dim, con_dim, co_dim)
    if any(of_controller) and not all(of_controller):
        raise ValueError(
            f"ci_enc_dim, con_dim and co_dim must all be 0, or none of them, got {of_controller}"
        )
    checks.one_of("co_prior", co_prior, tuple(CO_PRIORS))
    sizes = Sizes(
        encod_data_dim, ic_enc_dim, con_dim, ic_dim, gen_dim, fac_dim, ci_enc_dim, co_dim,
        ext_input_dim, tuple(readout), tuple(readin), co_prior if co_dim else None,
    )  # fmt: skip
    return _shapes(sizes)


def sizes_of(weights: Mapping[str, np.ndarray]) -> Sizes:
    """The sizes that a `state_dict` has.

    Raises:
        KeyError, ValueError: naming an array that is missing, or has not the axes that it must.
    """
    found = {name: _size(weights, *place) for name, place in SEEN_FIRST.items()}
    found |= {"ci_enc_dim": 0, "co_dim": 0}
    if found["con_dim"]:
        found["ci_enc_dim"] = _size(weights, "encoder.ci_enc.fwd_gru.cell.weight_hh", 1)
        found["co_dim"] = _size(weights, "decoder.rnn.cell.co_linear.weight", 0) // 2
    driven_by = _size(weights, "decoder.rnn.cell.gen_cell.weight_ih", 1)
    return Sizes(
        **found,
        ext_input_dim=max(driven_by - found["co_dim"], 0),
        readout=_sessions(weights, "readout", 0),
        readin=_sessions(weights, "readin", 1),
        co_prior=_co_prior(weights) if found["co_dim"] else None,
    )


def require_shapes(weights: Mapping[str, np.ndarray], sizes: Sizes) -> None:
    """Refuse arrays that are missing, are not known, or have another shape.

    Raises:
        KeyError: naming what is missing or unknown.
        ValueError: naming an array, its shape, and what it must be.
    """
    shapes = _shapes(sizes)
    for key, shape in shapes.items():
        if key not in weights:
            raise KeyError(f"weights must hold {key!r}, of shape {shape}, which is missing")
        if weights[key].shape != shape:
            raise ValueError(
                f"{key} must have shape {shape}, as the other arrays say, got {weights[key].shape}"
            )
    unknown = [key for key in weights if key not in shapes and not _is_idle(key, sizes)]
    if unknown:
        raise KeyError(
            f"weights must be those of an LFADS of lfads-torch, got {sorted(unknown)[0]!r} as well"
        )


def _is_idle(key: str, sizes: Sizes) -> bool:
    """Whether it is of the prior of a controller that is not there."""
    return sizes.co_prior is None and key.startswith("co_prior.")


def _size(weights: Mapping[str, np.ndarray], key: str, axis: int) -> int:
    if key not in weights:
        raise KeyError(f"weights must hold {key!r}, which is missing")
    if weights[key].ndim != 2:
        raise ValueError(f"{key} must have 2 axes, got shape {weights[key].shape}")
    return weights[key].shape[axis]


def _sessions(weights: Mapping[str, np.ndarray], name: str, axis: int) -> tuple[int, ...]:
    """Channels of each session, from its kernels."""
    kernels = [k for k in weights if k.startswith(f"{name}.") and k.endswith(".weight")]
    if name == "readout" and not kernels:
        raise KeyError("weights must hold 'readout.0.weight', which is missing")
    return tuple(_size(weights, f"{name}.{i}.weight", axis) for i in range(len(kernels)))


def _co_prior(weights: Mapping[str, np.ndarray]) -> str:
    got = sorted(key.partition(".")[2] for key in weights if key.startswith("co_prior."))
    for kind, names in CO_PRIORS.items():
        if sorted(names) == got:
            return kind
    raise KeyError(
        "co_prior must be AutoregressiveMultivariateNormal (logtaus, lognvars) or "
        f"MultivariateNormal (mean, logvar), got {', '.join(got) or 'none'}: a Student's t is no "
        "prior of this package, and without priors (variational=False) there is no beta-VAE"
    )


def _shapes(s: Sizes) -> dict[str, tuple[int, ...]]:
    shapes = {"encoder.ic_enc_h0": (2, 1, s.ic_enc_dim)}
    shapes |= _both_ways("encoder.ic_enc", s.encod_data_dim, s.ic_enc_dim)
    shapes |= _linear("encoder.ic_linear", 2 * s.ic_enc_dim, 2 * s.ic_dim)
    if s.co_dim:
        shapes["encoder.ci_enc_h0"] = (2, 1, s.ci_enc_dim)
        shapes |= _both_ways("encoder.ci_enc", s.encod_data_dim, s.ci_enc_dim)
        shapes |= _gru("decoder.rnn.cell.con_cell", 2 * s.ci_enc_dim + s.fac_dim, s.con_dim)
        shapes |= _linear("decoder.rnn.cell.co_linear", s.con_dim, 2 * s.co_dim)
        shapes |= {f"co_prior.{name}": (s.co_dim,) for name in CO_PRIORS[s.co_prior]}
    shapes["decoder.con_h0"] = (1, s.con_dim)
    shapes |= _linear("decoder.ic_to_g0", s.ic_dim, s.gen_dim)
    shapes |= _gru("decoder.rnn.cell.gen_cell", s.co_dim + s.ext_input_dim, s.gen_dim)
    shapes["decoder.rnn.cell.fac_linear.weight"] = (s.fac_dim, s.gen_dim)
    for number, channels in enumerate(s.readin):
        shapes |= _linear(f"readin.{number}", channels, s.encod_data_dim)
    for number, channels in enumerate(s.readout):
        shapes |= _linear(f"readout.{number}", s.fac_dim, channels)
    return shapes | {"ic_prior.mean": (s.ic_dim,), "ic_prior.logvar": (s.ic_dim,)}


def _linear(name: str, inputs: int, outputs: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def _gru(name: str, inputs: int, units: int) -> dict[str, tuple[int, ...]]:
    width = 3 * units
    return {
        f"{name}.weight_ih": (width, inputs),
        f"{name}.weight_hh": (width, units),
        f"{name}.bias_ih": (width,),
        f"{name}.bias_hh": (width,),
    }


def _both_ways(name: str, inputs: int, units: int) -> dict[str, tuple[int, ...]]:
    return _gru(f"{name}.fwd_gru.cell", inputs, units) | _gru(f"{name}.bwd_gru.cell", inputs, units)
