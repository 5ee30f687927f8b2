"""What a model is built from: `Arguments` follow from the data, `Params` can be tuned."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from tfp_bvae.distributions.scale_rules import SCALE_RULES
from tfp_bvae.models.arguments import Arguments
from tfp_bvae.models.contradictions import refuse_contradictions
from tfp_bvae.settings import Settings, setting

__all__ = ["CELLS", "Arguments", "Params"]

CELLS = ("clipped_gru", "gru", "lstm", "simple_rnn")
COVARIANCES = ("diagonal", "full")
PRIORS = ("ar1", *CELLS, "tiled", "standard_normal")
OF_THE_FIT = (
    "epochs", "batch_size", "final_rate", "weight_decay", "clip_norm", "warm_up", "beta_schedule",
    "cycles", "patience", "validate_every", "align_by", "jit_compile",
)  # fmt: skip
KAPPA = 0.1  # variance of p(f) and of the innovations of p(z) in LFADS


@dataclass(frozen=True)
class Params(Settings):
    """Tunable settings and switches of every model; the defaults are those of LFADS.

    A `z_size` of 0 leaves out all that is dynamic: the z encoder, the controller, the prior p(z).

    Raises:
        ValueError: for a value out of its range, or switches that contradict each other.

    >>> Params.of({"factors": 20}).factors
    20
    >>> Params.search_space()["learning_rate"]
    SearchRange(low=0.0001, high=0.02, scale='log')
    >>> Params.of({"z_prior": "lstm", "z_covariance": "full"}).z_covariance
    Traceback (most recent call last):
        ...
    ValueError: z_covariance='full' must go with z_prior 'ar1', 'tiled', got z_prior='lstm'
    """

    optional: ClassVar[tuple[str, ...]] = (
        "kappa", "capacity_f", "capacity_z", "segment_length", "segment_stride", "groups_at_once"
    )  # fmt: skip
    strays: ClassVar[Mapping[str, str]] = dict.fromkeys(
        OF_THE_FIT, "among the settings of the fit, the third argument of training.fit"
    )
    listing: ClassVar[str] = "the settings of a model (`tfp-bvae settings` lists them)"

    # the static latent f
    f_size: int = setting(
        64, "size of the static latent f", 1, lfads="ic_dim", tune=(8, 128, "log")
    )
    f_encoder_cell: str = setting("clipped_gru", "recurrent cell of the f encoder", choices=CELLS)
    f_encoder_units: int = setting(
        100, "units of the f encoder, each way", 1, lfads="ic_enc_dim", tune=(32, 256, "log")
    )
    f_encoder_layers: int = setting(1, "recurrent layers of the f encoder", 1)
    f_encoder_bidirectional: bool = setting(True, "the f encoder runs both ways")
    segment: int = setting(
        0, "leading bins that only f sees; the generator starts after them", 0,
        lfads="ic_enc_seq_len",
    )  # fmt: skip
    scale_rule: str = setting(
        "softplus",
        "how the scales of q(f) and q(z_t) come of their parameters: log_variance as in other "
        "LFADS packages, to hold weights of theirs",
        choices=SCALE_RULES,
    )
    f_covariance: str = setting("diagonal", "covariance of q(f) and of p(f)", choices=COVARIANCES)
    q_f_scale: float = setting(KAPPA**0.5, "initial scale of q(f)", 2e-2)
    p_f_scale: float = setting(
        KAPPA**0.5, "initial scale of p(f)", 2e-2, lfads="sqrt(ic_prior_var)"
    )
    kappa: float | None = setting(
        None, "variance of p(f), kept as p_f_scale = sqrt(kappa)", 4e-4, lfads="ic_prior_var"
    )
    p_f_trainable_loc: bool = setting(True, "the mean of p(f), initially 0, trains")
    p_f_trainable_scale: bool = setting(False, "the scale of p(f) trains")

    # the dynamic latent z
    z_size: int = setting(3, "size of z_t (inferred inputs)", 0, lfads="co_dim", tune=(1, 8, "log"))
    z_encoder_cell: str = setting(
        "clipped_gru", "cell of the z encoder; dense sees one bin at a time",
        choices=(*CELLS, "dense"),
    )  # fmt: skip
    z_encoder_units: int = setting(
        64, "units of the z encoder, each way", 1, lfads="ci_enc_dim", tune=(32, 256, "log")
    )
    z_encoder_units2: int = setting(0, "units of its second, forward RNN; 0 for none", 0)
    z_encoder_cell2: str = setting("simple_rnn", "cell of that second RNN", choices=CELLS)
    f_joins: str = setting(
        "none", "where f joins the z encoder: before its first RNN or its second",
        choices=("none", "first", "second"),
    )  # fmt: skip
    lag: int = setting(1, "bins between z_t and the nearest bin it sees", 0, lfads="ci_lag")
    causal: bool = setting(
        False,
        "z_t sees no later bin (f still does, but for `segment`)",
        lfads="do_causal_controller",
    )
    z_covariance: str = setting("diagonal", "covariance of q(z_t) and of p(z)", choices=COVARIANCES)
    q_z_scale: float = setting(KAPPA**0.5, "initial scale of q(z_t)", 1e-2)
    z_prior: str = setting("ar1", "process p(z)", choices=PRIORS)
    z_prior_units: int = setting(32, "units of a recurrent p(z)", 1)
    p_z_scale: float = setting(
        KAPPA**0.5, "initial scale of a step of p(z) (of its innovation)", 1e-2,
        lfads="sqrt(nvar)",
    )  # fmt: skip
    tau: float = setting(
        10.0, "initial time constant of p(z), bins", 0.1, lfads="tau", tune=(1.0, 50.0, "log")
    )
    p_z_trainable_loc: bool = setting(True, "the mean of a tiled p(z), initially 0, trains")
    p_z_trainable_tau: bool = setting(True, "tau trains")
    p_z_trainable_scale: bool = setting(True, "the scale of p(z) trains")

    # the generator
    generator_cell: str = setting(
        "complex", "its cell: complex is LFADS' with its controller, dense has no memory",
        choices=("complex", *CELLS, "dense"),
    )  # fmt: skip
    f_enters: str = setting(
        "initial_state", "how f enters the generator", choices=("initial_state", "inputs", "both")
    )
    generator_units: int = setting(
        100, "units of the generator", 1, lfads="gen_dim", tune=(32, 256, "log")
    )
    controller_units: int = setting(
        64, "units of the controller", 1, lfads="con_dim", tune=(32, 256, "log")
    )
    factors: int = setting(40, "number of factors", 1, lfads="fac_dim", tune=(4, 100, "log"))
    inject_ext_input_to_gen: bool = setting(
        True, "external inputs go to the generator (to the controller if false)"
    )

    # the objective
    beta_f: float = setting(
        0.1, "weight of the KL of f", 0.0, lfads="kl_ic_scale * T * N", tune=(0.01, 2.0, "log")
    )
    beta_z: float = setting(
        0.1, "weight of the KL of z", 0.0, lfads="kl_co_scale * T * N", tune=(0.01, 2.0, "log")
    )
    free_bits_f: float = setting(0.0, "nats per dimension of f that cost nothing", 0.0)
    free_bits_z: float = setting(0.0, "nats per dimension of z (all bins) that cost nothing", 0.0)
    capacity_f: float | None = setting(
        None, "nats of KL at which the penalty on f is 0; None: a plain KL", 0.0
    )
    capacity_z: float | None = setting(None, "the same for z", 0.0)
    total_correlation: float = setting(0.0, "weight of the total correlation of f (beta-TC)", 0.0)
    dip: float = setting(0.0, "weight of the DIP penalty on q(f)", 0.0)
    learning_rate: float = setting(
        4e-3, "of Adam, at its highest", 1e-8, 1.0, lfads="lr_init", tune=(1e-4, 2e-2, "log")
    )

    # segments that belong to groups: fhvae
    segment_length: int | None = setting(
        None, "bins of the segments that trials are cut into, of fhvae; None: whole trials", 1
    )
    segment_stride: int | None = setting(
        None, "bins from one segment to the next; None: half a segment", 1
    )
    groups_at_once: int | None = setting(
        None, "groups drawn for each epoch, of fhvae (hierarchical sampling); None: all", 1
    )
    discrimination: float = setting(
        0.0, "alpha of fhvae: weight of telling from f which group a segment is of", 0.0
    )

    # what is hidden, and what is kept small
    input_factors: int = setting(0, "factors the data are projected to before encoding; 0: no", 0)
    dropout: float = setting(
        0.05, "dropout rate", 0.0, 0.99, lfads="dropout_rate", tune=(0.0, 0.6, "linear")
    )
    coordinated_dropout: float = setting(
        0.3, "share of entries hidden from the encoders", 0.0, 0.99, lfads="cd_rate",
        tune=(0.01, 0.7, "linear"),
    )  # fmt: skip
    coordinated_pass: float = setting(
        0.0, "chance that a visible entry teaches as well", 0.0, 1.0, lfads="cd_pass_rate"
    )
    sample_validation: float = setting(
        0.0, "share of entries of each trial kept out of the fit", 0.0, 0.99, lfads="sv_rate"
    )
    clip: float = setting(5.0, "largest absolute value of a recurrent state", 1e-3)
    l2_generator: float = setting(
        0.0, "l2/2 ||U||^2 on the generator", 0.0, lfads="l2_gen_scale", tune=(1e-4, 1e2, "log")
    )
    l2_controller: float = setting(
        0.0, "the same on the controller", 0.0, lfads="l2_con_scale", tune=(1e-4, 1e2, "log")
    )

    def __post_init__(self):
        super().__post_init__()
        if self.kappa is not None:
            self._take_kappa()
        refuse_contradictions(self)

    def _take_kappa(self) -> None:
        """`kappa` is another way to say `p_f_scale`: that is what is kept of it."""
        scale = self.kappa**0.5
        if not any(math.isclose(self.p_f_scale, known) for known in (KAPPA**0.5, scale)):
            raise ValueError(
                f"kappa={self.kappa!r} must go with p_f_scale {scale:.6g}, its root, "
                f"got p_f_scale={self.p_f_scale!r}"
            )
        object.__setattr__(self, "p_f_scale", scale)
        object.__setattr__(self, "kappa", None)

    @classmethod
    def of(cls, given):
        params = super().of(given)
        if isinstance(given, Mapping):
            refuse_contradictions(params, explicit=given)
        return params
