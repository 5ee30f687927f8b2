"""From a checkpoint of lfads-torch to a model of this package: the same outputs, without torch."""

from tfp_bvae.models.lfads_torch.converting import from_lfads_torch
from tfp_bvae.models.lfads_torch.shapes import lfads_torch_shapes

__all__ = ["from_lfads_torch", "lfads_torch_shapes"]
