"""What trials of one group would look like in another."""

from __future__ import annotations

import numpy as np

from tfp_bvae.data import Split
from tfp_bvae.inference.generation import Generated
from tfp_bvae.inference.groups import group_means, means_of_latents, require_groups
from tfp_bvae.inference.segments import infer_latents
from tfp_bvae.models import BetaVAE

__all__ = ["translate"]


def translate(
    model: BetaVAE,
    split: Split,
    target: int | np.ndarray,
    reference: Split | None = None,
    batch_size: int = 64,
) -> Generated:
    r"""Trials as they would be in another group: f moved by the difference of the groups' means.

    .. math:: \lambda^{(n)} = \mathrm{dec}\left(\bar f^{(n)} + \mu_{target} - \mu_{source},
        \bar z^{(n)}\right)

    for each segment n of a trial, at posterior means, then stitched. The means are those of
    `group_means`: of a trial's own group from `split`, of its target from `reference`.

    Args:
        model: a fitted `models.fhvae`.
        split: the trials, with groups.
        target: the group to go to, or one for each trial, `[trial]`.
        reference: trials that the targets are known from; None for `split` itself.
        batch_size: segments at a time.

    Returns:
        Rates, the f that was moved (mean over the segments of each trial), and z.

    Raises:
        ValueError: if the model or a split has no groups, a trial is of group -1, or there is no
            trial of a target.

    Source: Hsu, Zhang and Glass, NeurIPS 2017.

    >>> from tfp_bvae.data import static_dynamic, with_groups
    >>> from tfp_bvae.models import fhvae
    >>> trials = with_groups(static_dynamic(num_trials=2, num_valid=1), by="static").train
    >>> model = fhvae({"channels": 30, "num_groups": 4}, {"segment_length": 20})
    >>> translate(model, trials, target=3).rates.shape
    (4, 40, 30)
    """
    require_groups(model, split)
    if reference is not None:
        require_groups(model, reference, "reference")
    unknown = np.flatnonzero(split.group < 0)
    if len(unknown):
        raise ValueError(
            f"split must have trials of known groups, got -1 for trial {unknown[0]}: number its "
            "group, and the mean is estimated from its trials"
        )
    target = _targets(target, split.num_trials, (reference or split).group)
    found = infer_latents(model, split, batch_size)
    own = means_of_latents(model, found, split.group)
    others = own if reference is None else group_means(model, reference, batch_size)
    moved_by = _means(target, others) - _means(split.group, own)
    moved = found._replace(f=found.f + moved_by[found.cut.trial_of()].astype("float32"))
    return Generated(moved.rates(model), found.cut.mean(moved.f), found.cut.stitch(found.z))


def _means(group: np.ndarray, table: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """The mean of each of some groups, which the table has; its groups are in order."""
    groups, means = table
    return means[np.searchsorted(groups, group)]


def _targets(target: int | np.ndarray, count: int, group: np.ndarray) -> np.ndarray:
    """The target of each trial, one of the groups that there are."""
    target = np.asarray(target)
    if target.dtype.kind not in "iu" or target.shape not in ((), (count,)):
        raise ValueError(
            f"target must be the number of a group, or one for each of {count} trials, "
            f"got {target!r}"
        )
    target, known = np.broadcast_to(target, count), np.unique(group[group >= 0])
    missing = target[~np.isin(target, known)]
    if len(missing):
        raise ValueError(
            f"target must be one of the {len(known)} groups that there are trials of, "
            f"got {missing[0]}: give a reference that has trials of it, to estimate its mean from"
        )
    return target
