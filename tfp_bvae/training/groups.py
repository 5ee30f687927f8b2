"""Groups in a fit: that the data have those that the model was built for."""

from __future__ import annotations

from tfp_bvae.data import Split
from tfp_bvae.models import BetaVAE

__all__ = ["require_groups"]


def require_groups(model: BetaVAE, split: Split) -> None:
    """Refuse trials whose groups are not those of the model's table.

    Args:
        model: any model; one without groups takes all trials.
        split: the training trials.

    Raises:
        ValueError: if they have no groups, or one that the model was not built for.
    """
    if "group" not in model.input_names:
        return
    if split.group is None:
        raise ValueError("data must have groups (data.with_groups makes them), got none")
    known = model.hyperparameters["arguments"]["num_groups"]
    unknown = sorted({int(group) for group in split.group if not 0 <= group < known})
    if unknown:
        raise ValueError(
            f"group must be one of the {known} of the model, 0 to {known - 1}, got {unknown[0]}: "
            "build the model for all groups, or leave the trials out and estimate the mean of "
            "their group after the fit, with inference.estimate_group_means"
        )
