"""Containers, readers and writers, binning, and simulated recordings with known truth."""

from .containers import SpikeDataset, Split, require_counts
from .synthetic import lorenz

__all__ = ["SpikeDataset", "Split", "lorenz", "require_counts"]
