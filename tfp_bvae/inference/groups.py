"""What FHVAE says of groups, whether they were in its fit or not."""

from tfp_bvae.models.group_means import estimate_group_means

__all__ = ["estimate_group_means"]
