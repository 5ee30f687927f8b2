"""Containers, readers and writers, binning, and simulated recordings with known truth."""

from .arrays import atomic_file, read_arrays, write_arrays
from .containers import SpikeDataset, Split, require_counts
from .groups import with_groups
from .hdf5 import read_hdf5, write_hdf5
from .segments import cut_segments, stitch_segments
from .synthetic import chaotic_rnn, lorenz, sessions, static_dynamic
from .trials import stratified_split, trials_from_events

__all__ = [
    "SpikeDataset",
    "Split",
    "atomic_file",
    "chaotic_rnn",
    "cut_segments",
    "lorenz",
    "read_arrays",
    "read_hdf5",
    "require_counts",
    "sessions",
    "static_dynamic",
    "stitch_segments",
    "stratified_split",
    "trials_from_events",
    "with_groups",
    "write_arrays",
    "write_hdf5",
]
