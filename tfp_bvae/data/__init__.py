"""Containers, readers and writers, binning, and simulated recordings with known truth."""

from .alignment import (
    Affine,
    Alignment,
    condition_averages,
    fit_affine,
    principal_component_regression,
)
from .arrays import read_arrays, write_arrays
from .chopping import chop, merge
from .container import require_trials, trials_dataset
from .containers import SpikeDataset, Split
from .conversion import from_splits, to_splits
from .counts import require_counts
from .files import atomic_file
from .groups import with_groups
from .hdf5 import open_hdf5, read_hdf5, write_hdf5
from .joining import as_session, join_sessions
from .limits import memory_limit
from .marking import append_forward_bins, hold_out_channels, mark_forward, split_trials
from .readers.fetching import fetch
from .readers.labelled_files import save
from .readers.loading import load
from .readers.m1 import read_m1_arrays, read_m1_trials
from .segmented import segments_of
from .segments import cut_segments, stitch_segments
from .session_parts import channels_apart, session_part, split_sessions
from .set_aside import drop_silent
from .spike_times import bin_spike_times
from .split_labels import split_coords
from .stored import StoredArray, row_blocks
from .synthetic import chaotic_rnn, lorenz, sessions, static_dynamic
from .trials import stratified_split, trials_from_events
from .writer import RowWriter, row_file

__all__ = [
    "Affine",
    "Alignment",
    "RowWriter",
    "SpikeDataset",
    "Split",
    "StoredArray",
    "append_forward_bins",
    "as_session",
    "atomic_file",
    "bin_spike_times",
    "channels_apart",
    "chaotic_rnn",
    "chop",
    "condition_averages",
    "cut_segments",
    "drop_silent",
    "fetch",
    "fit_affine",
    "from_splits",
    "hold_out_channels",
    "join_sessions",
    "load",
    "lorenz",
    "mark_forward",
    "memory_limit",
    "merge",
    "open_hdf5",
    "principal_component_regression",
    "read_arrays",
    "read_hdf5",
    "read_m1_arrays",
    "read_m1_trials",
    "require_counts",
    "require_trials",
    "row_blocks",
    "row_file",
    "save",
    "segments_of",
    "session_part",
    "sessions",
    "split_coords",
    "split_sessions",
    "split_trials",
    "static_dynamic",
    "stitch_segments",
    "stratified_split",
    "to_splits",
    "trials_dataset",
    "trials_from_events",
    "with_groups",
    "write_arrays",
    "write_hdf5",
]
