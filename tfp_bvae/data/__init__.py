"""Containers, readers and writers, binning, and simulated recordings with known truth."""

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
from .segments import cut_segments, stitch_segments
from .session_parts import session_part, split_sessions
from .split_labels import split_coords
from .stored import StoredArray, row_blocks
from .synthetic import chaotic_rnn, lorenz, sessions, static_dynamic
from .trials import stratified_split, trials_from_events
from .writer import RowWriter, row_file

__all__ = [
    "RowWriter",
    "SpikeDataset",
    "Split",
    "StoredArray",
    "as_session",
    "atomic_file",
    "chaotic_rnn",
    "chop",
    "cut_segments",
    "from_splits",
    "join_sessions",
    "lorenz",
    "merge",
    "open_hdf5",
    "read_arrays",
    "read_hdf5",
    "require_counts",
    "require_trials",
    "row_blocks",
    "row_file",
    "session_part",
    "sessions",
    "split_coords",
    "split_sessions",
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
