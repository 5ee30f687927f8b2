"""What FHVAE says of groups, whether they were in its fit or not."""

from __future__ import annotations

import numpy as np

from tfp_bvae import checks
from tfp_bvae.data import Split
from tfp_bvae.inference.segments import Latents, infer_latents
from tfp_bvae.models import BetaVAE
from tfp_bvae.models.group_means import estimate_group_means

__all__ = ["estimate_group_means", "group_means", "means_of_latents", "require_groups"]


def group_means(
    model: BetaVAE, split: Split, batch_size: int = 64
) -> tuple[np.ndarray, np.ndarray]:
    r"""The mean of f in each group of a split, whether the fit knew the group or not.

    .. math:: \mu_i = \frac{\sum_n \bar f^{(i, n)}}{N_i + s^2 / \beta_f}

    over the posterior means of all segments of group i: `estimate_group_means`, with what a fit
    with `beta_f` draws its own table to. Trials of group -1, not known, are left out.

    Args:
        model: a fitted `models.fhvae`.
        split: the trials, with groups.
        batch_size: segments at a time.

    Returns:
        The groups there are, in order, `[group]`, and the mean of each, `[group, f_size]`.

    Raises:
        ValueError: if the model or the split has no groups, or `beta_f` is 0 (then f does not
            know of groups).

    Source: Hsu, Zhang and Glass, NeurIPS 2017.

    >>> from tfp_bvae.data import static_dynamic, with_groups
    >>> from tfp_bvae.models import fhvae
    >>> trials = with_groups(static_dynamic(num_trials=2, num_valid=1), by="static").train
    >>> model = fhvae({"channels": 30, "num_groups": 4}, {"f_size": 3, "segment_length": 20})
    >>> groups, means = group_means(model, trials)
    >>> groups.tolist(), means.shape
    ([0, 1, 2, 3], (4, 3))
    """
    require_groups(model, split)
    known = split.group >= 0
    if not known.any():
        raise ValueError(f"split must have trials of a known group, got {len(known)} of group -1")
    split = split.select(known)
    return means_of_latents(model, infer_latents(model, split, batch_size), split.group)


def means_of_latents(
    model: BetaVAE, found: Latents, group: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The groups there are and the mean of each, of latents that are inferred already.

    Args:
        model: a fitted `models.fhvae`.
        found: of each segment.
        group: of each trial, `[trial]`.
    """
    beta = model.hyperparameters["params"]["beta_f"]
    scale, prior_scale = (model.get_layer(name).scale for name in ("p_f", "group_means"))
    return estimate_group_means(
        found.f, group[found.cut.trial_of()], scale / beta**0.5, prior_scale
    )


def require_groups(model: BetaVAE, split: Split, name: str = "split") -> None:
    """Refuse a model or trials without groups, and a model whose f is not drawn to their means."""
    if "group" not in model.input_names:
        raise ValueError(f"model must have groups (models.fhvae), got {model.name!r}")
    checks.positive("beta_f of the model", model.hyperparameters["params"]["beta_f"])
    if split.group is None:
        raise ValueError(f"{name} must have groups (data.with_groups makes them), got none")
