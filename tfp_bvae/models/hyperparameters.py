"""What a model is built from: `Arguments` follow from the data, `LFADSParams` can be tuned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tfp_bvae import checks
from tfp_bvae.settings import Settings, setting

__all__ = ["Arguments", "LFADSParams"]

LIKELIHOODS = ("poisson", "gaussian")


@dataclass(frozen=True)
class Arguments(Settings):
    """What follows from the data, and is not tuned.

    >>> Arguments.of({"channels": 30}).outputs
    30
    """

    optional: ClassVar[tuple[str, ...]] = ("outputs",)

    channels: int = setting(1, "channels that the encoders see", 1)
    outputs: int | None = setting(
        None, "channels that are predicted, the encoded ones first; None for the encoded ones", 1
    )
    forward_bins: int = setting(0, "bins predicted after the last that is encoded", 0)
    ext_inputs: int = setting(0, "known inputs to the generator", 0, lfads="ext_input_dim")
    bin_width: float = setting(0.02, "width of a bin, s", 1e-6)
    likelihood: str = setting("poisson", "distribution of the data", choices=LIKELIHOODS)
    seed: int = setting(0, "seeds initial weights, masks and samples", 0)

    def __post_init__(self):
        super().__post_init__()
        if self.outputs is None:
            object.__setattr__(self, "outputs", self.channels)
        checks.in_interval("outputs", self.outputs, self.channels)


@dataclass(frozen=True)
class LFADSParams(Settings):
    """Tunable settings of LFADS. A size of 0 for `z_size` leaves out the controller.

    >>> LFADSParams.of({"factors": 20}).factors
    20
    """

    f_size: int = setting(64, "size of the static latent f", 1, lfads="ic_dim")
    f_encoder_units: int = setting(100, "units of the f encoder, each way", 1, lfads="ic_enc_dim")
    f_scale: float = setting(0.1**0.5, "scale of p(f), fixed", 2e-2, lfads="sqrt(ic_prior_var)")
    z_size: int = setting(3, "number of inferred inputs z", 0, lfads="co_dim")
    z_encoder_units: int = setting(64, "units of the z encoder, each way", 1, lfads="ci_enc_dim")
    controller_units: int = setting(64, "units of the controller", 1, lfads="con_dim")
    z_scale: float = setting(
        0.1**0.5, "initial innovation scale of the AR(1) prior of z", 1e-2, lfads="sqrt(nvar)"
    )
    tau: float = setting(10.0, "initial time constant of that prior, bins", 0.1, lfads="tau")
    generator_units: int = setting(100, "units of the generator", 1, lfads="gen_dim")
    factors: int = setting(40, "number of factors", 1, lfads="fac_dim")
    beta_f: float = setting(0.1, "weight of the KL of f", 0.0, lfads="kl_ic_scale * T * N")
    beta_z: float = setting(0.1, "weight of the KL of z", 0.0, lfads="kl_co_scale * T * N")
    dropout: float = setting(0.05, "dropout rate", 0.0, 0.99, lfads="dropout_rate")
    coordinated_dropout: float = setting(
        0.3, "share of entries hidden from the encoders", 0.0, 0.99, lfads="cd_rate"
    )
    coordinated_pass: float = setting(
        0.0, "chance that a visible entry teaches as well", 0.0, 1.0, lfads="cd_pass_rate"
    )
    sample_validation: float = setting(
        0.0, "share of entries of each trial kept out of the fit", 0.0, 0.99, lfads="sv_rate"
    )
    lag: int = setting(1, "bins between z_t and the nearest bin it sees", 0, lfads="ci_lag")
    causal: bool = setting(
        False,
        "z_t sees no later bin (f still does, but for `segment`)",
        lfads="do_causal_controller",
    )
    segment: int = setting(
        0, "leading bins that only f sees; the generator starts after them", 0,
        lfads="ic_enc_seq_len",
    )  # fmt: skip
    clip: float = setting(5.0, "largest absolute value of a recurrent state", 1e-3)
    l2_generator: float = setting(0.0, "l2/2 ||U||^2 on the generator", 0.0, lfads="l2_gen_scale")
    l2_controller: float = setting(0.0, "the same on the controller", 0.0, lfads="l2_con_scale")
