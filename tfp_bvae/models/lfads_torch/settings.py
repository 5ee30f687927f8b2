"""What the weights of lfads-torch do not say: its configuration, in the words of this package."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from tfp_bvae import checks
from tfp_bvae.models.arguments import Arguments
from tfp_bvae.models.hyperparameters import Params
from tfp_bvae.models.lfads_torch.shapes import Sizes

__all__ = ["arguments_of", "checked_config", "params_of"]

# Of its constructor and of coordinated dropout. What the third line names has no part in a model
# that is fitted, or no counterpart: schedules and optimisers of the two packages are not the same.
NAMED = {
    "encod_data_dim", "ic_enc_dim", "ci_enc_dim", "con_dim", "co_dim", "ic_dim", "gen_dim",
    "fac_dim", "ext_input_dim", "encod_seq_len", "recon_seq_len", "ic_enc_seq_len", "ci_lag",
    "dropout_rate", "cell_clip", "ic_post_var_min", "variational", "reconstruction", "lr_init",
    "cd_rate", "cd_pass_rate", "kl_ic_scale", "kl_co_scale", "l2_gen_scale", "l2_con_scale",
    "recon_reduce_mean",
}  # fmt: skip
WITHOUT_A_PART = {
    "ic_prior", "co_prior", "readin", "readout", "train_aug_stack", "infer_aug_stack",
    "loss_scale", "lr_scheduler", "lr_stop", "lr_decay", "lr_patience", "lr_adam_beta1",
    "lr_adam_beta2", "lr_adam_epsilon", "weight_decay", "l2_start_epoch", "l2_increase_epoch",
    "l2_ic_enc_scale", "l2_ci_enc_scale", "kl_start_epoch", "kl_increase_epoch",
}  # fmt: skip
DEFAULTS = {"ci_lag": 1, "cell_clip": 5.0, "cd_rate": 0.0, "cd_pass_rate": 0.0}
ONLY = {
    "ic_enc_seq_len": (0, "lfads-torch generates the segment as well, LFADS here what follows it"),
    "ic_post_var_min": (1e-4, "it is the floor of LFADS here under scale_rule='log_variance'"),
    "variational": (True, "a model without a posterior is no beta-VAE"),
    "recon_reduce_mean": (True, "weights of the KL are converted from that of its configurations"),
}
OF_A_FIT = (
    "beta_f", "beta_z", "free_bits_f", "free_bits_z", "capacity_f", "capacity_z", "dropout",
    "coordinated_dropout", "coordinated_pass", "sample_validation", "l2_generator",
    "l2_controller", "learning_rate",
)  # fmt: skip
LIKELIHOODS = {"Poisson": "poisson", "MSE": "gaussian"}
REFUSED = {
    "PoissonBPS": "its weights are those of Poisson, by which they can be loaded",
    "Gaussian": "its variance follows the factors, a Gaussian's here does not",
    "Gamma": "there is no such likelihood here",
    "ZeroInflatedGamma": "there is no such likelihood here",
}


def checked_config(config: Mapping[str, Any], sizes: Sizes) -> dict[str, Any]:
    """Settings of lfads-torch that are known, agree with the weights, and can be kept to.

    Raises:
        KeyError: for a name that lfads-torch does not have.
        ValueError: for a value that contradicts the weights, or has no counterpart: with why.
    """
    for name in config:
        if name not in NAMED | WITHOUT_A_PART:
            near = difflib.get_close_matches(name, NAMED, n=1, cutoff=0.5)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise KeyError(f"config must name settings of lfads-torch's LFADS, got {name!r}{hint}")
    for name, size in sizes._asdict().items():
        if isinstance(size, int) and config.get(name, size) != size:
            raise ValueError(f"{name} must be {size}, as the weights say, got {config[name]!r}")
    for name, (only, why) in ONLY.items():
        if config.get(name, only) != only:
            raise ValueError(f"{name} must be {only!r}, got {config[name]!r}: {why}")
    kind = config.get("reconstruction", "Poisson")
    if kind in REFUSED:
        raise ValueError(f"reconstruction must not be {kind!r}: {REFUSED[kind]}")
    checks.one_of("reconstruction", kind, tuple(LIKELIHOODS))
    return DEFAULTS | {name: value for name, value in config.items() if name in NAMED}


def arguments_of(
    config: Mapping[str, Any], sizes: Sizes, given: Arguments | Mapping[str, Any] | None
) -> Arguments:
    """`Arguments` that the weights and the configuration say, beside those that are given.

    Raises:
        ValueError: for what was given and is not so.
    """
    seen = sizes.readin or (sizes.encod_data_dim,) * len(sizes.readout)
    if len(seen) != len(sizes.readout):
        raise ValueError(
            f"readin must be of as many sessions as readout, {len(sizes.readout)}, got {len(seen)}"
        )
    held_out = [out - n for out, n in zip(sizes.readout, seen, strict=True)]
    if min(held_out, default=-1) < 0:
        raise ValueError(
            f"readout must predict at least what is encoded, {list(seen)} channels of each "
            f"session, got {list(sizes.readout)}"
        )
    found: dict[str, Any] = {"channels": max(seen), "outputs": max(seen) + max(held_out)}
    found["ext_inputs"] = sizes.ext_input_dim
    found["num_sessions"] = len(seen) if len(seen) > 1 else None
    found["likelihood"] = LIKELIHOODS[config.get("reconstruction", "Poisson")]
    if "recon_seq_len" in config and "encod_seq_len" in config:
        found["forward_bins"] = config["recon_seq_len"] - config["encod_seq_len"]
    given = given.to_dict() if isinstance(given, Arguments) else dict(given or {})
    for name, value in found.items():
        if given.get(name, value) != value:
            raise ValueError(
                f"{name} must be {value!r}, as the weights and their configuration say, "
                f"got {given[name]!r}"
            )
    return Arguments.of(given | found)


def params_of(
    config: Mapping[str, Any], sizes: Sizes, given: Mapping[str, Any] | None = None
) -> Params:
    """`Params` of the same model; of those that only a fit knows, the ones that are given.

    Raises:
        KeyError: for a setting that is given and is of the model itself, which the weights say.
    """
    for name in given or {}:
        checks.known_key("params", name, OF_A_FIT)
    params: dict[str, Any] = {
        "f_size": sizes.ic_dim,
        "f_encoder_units": sizes.ic_enc_dim,
        "generator_units": sizes.gen_dim,
        "factors": sizes.fac_dim,
        "z_size": sizes.co_dim,
        "clip": float(config["cell_clip"]),
        "scale_rule": "log_variance",
        "coordinated_dropout": float(config["cd_rate"]),
        **_weights_of_loss(config, sizes),
    }
    if config["cd_rate"]:
        params["coordinated_pass"] = float(config["cd_pass_rate"])
    for theirs, ours in (("dropout_rate", "dropout"), ("lr_init", "learning_rate")):
        if theirs in config:
            params[ours] = float(config[theirs])
    if sizes.co_dim:
        params |= {"z_encoder_units": sizes.ci_enc_dim, "controller_units": sizes.con_dim}
        params["lag"] = config["ci_lag"]
    if sizes.co_prior == "normal":
        params |= {"z_prior": "tiled", "p_z_trainable_scale": False}
    if sizes.readin or len(sizes.readout) > 1:
        params["input_factors"] = sizes.encod_data_dim
    return Params.of(params | dict(given or {}))


def _weights_of_loss(config: Mapping[str, Any], sizes: Sizes) -> dict[str, float]:
    """Betas and penalties in nats per trial, from those beside a mean over bins and channels."""
    scales = {name: config[name] for name in config if name.startswith(("kl_", "l2_"))}
    if not any(scales.values()):
        return {}
    if "recon_seq_len" not in config:
        raise ValueError(f"recon_seq_len must be given with {', '.join(scales)}, got none")
    bins, channels = config["recon_seq_len"], sum(sizes.readout) / len(sizes.readout)
    hidden, passed = config["cd_rate"], config["cd_pass_rate"]
    taught = hidden + (1.0 - hidden) * passed if hidden else 1.0
    entries = bins * channels / taught
    found = {"beta_f": scales.get("kl_ic_scale", 0.0) * entries}
    penalised = {"generator": sizes.gen_dim, "controller": sizes.con_dim}
    l2 = {of: scales.get(f"l2_{of[:3]}_scale", 0.0) for of in penalised}
    number = sum(3 * size**2 for of, size in penalised.items() if l2[of] and size)
    found["l2_generator"] = l2["generator"] * entries / max(number, 1)
    if sizes.co_dim:
        over_time = bins if sizes.co_prior == "normal" else 1  # that prior is averaged over bins
        found["beta_z"] = scales.get("kl_co_scale", 0.0) * entries / over_time
        found["l2_controller"] = l2["controller"] * entries / max(number, 1)
    return found
