"""Small NWB files, written by pynwb."""

from datetime import datetime, timezone

import numpy as np
from pynwb import NWBHDF5IO, NWBFile, TimeSeries
from pynwb.behavior import Position, SpatialSeries

BIN = 0.05  # s
TRIALS, UNITS, LENGTH = 24, 6, 1.6


def write_nwb(path, seed=0, **changes):
    """A session of 24 trials and 6 units, of which the rates differ with the target.

    Args:
        path: the file.
        seed: of its spikes.
        changes: `spike_times`, `trials`, `units` False to leave out; `obs_intervals` of unit 0.
    """
    rng = np.random.default_rng(seed)
    start = 1.0 + 2.0 * np.arange(TRIALS) + rng.uniform(0, 0.2, TRIALS)
    target = np.arange(TRIALS) % 2
    result = np.where(np.arange(TRIALS) % 6 == 5, "F", "R")
    times = changes.get("spike_times") or [
        _spikes(rng, start[target == u % 2]) for u in range(UNITS)
    ]
    file = NWBFile("a test", "session-1", datetime(2026, 1, 1, tzinfo=timezone.utc))
    if changes.get("trials", True):
        file.add_trial_column("go_cue", "s")
        file.add_trial_column("target", "which")
        file.add_trial_column("result", "R or F")
        file.add_trial_column("channel", "a name that means something else here")
        for row in zip(start, target, result, strict=True):
            begin, goal, letter = row
            file.add_trial(
                start_time=begin,
                stop_time=begin + LENGTH - 0.2 * goal,
                go_cue=np.nan if begin > 44 else begin + 0.3,
                target=float(goal),
                result=str(letter),
                channel=1.0,
            )
    if changes.get("units", True):
        file.add_unit_column("quality", "good or not")
        group = file.create_electrode_group("array", "x", "M1", file.create_device("probe"))
        file.add_electrode(location="M1", group=group)
        for unit, found in enumerate(times):
            spans = (
                {"obs_intervals": changes["obs_intervals"]} if "obs_intervals" in changes else {}
            )
            file.add_unit(
                spike_times=found,
                electrodes=[0],
                electrode_group=group,
                waveform_mean=np.ones(20),
                quality="poor" if unit == 4 else "good",
                **(spans if unit == 0 else {"obs_intervals": [[-1.0, 60.0]]} if spans else {}),
            )
    stamps = np.arange(0, 52, 0.01)
    hand = np.stack([np.sin(stamps), np.cos(stamps)], axis=1)
    series = SpatialSeries(
        name="hand", data=hand, timestamps=stamps, reference_frame="screen", conversion=2.0
    )
    module = file.create_processing_module("behavior", "what it did")
    module.add(Position(spatial_series=series))
    file.add_acquisition(TimeSeries(name="force", data=stamps * 3, unit="N", rate=100.0))
    with NWBHDF5IO(str(path), "w") as io:
        io.write(file)
    return {"start": start, "target": target, "result": result, "spike_times": times}


def _spikes(rng, preferred):
    """Spike times all along, and more of them in the trials that a unit prefers."""
    more = [begin + rng.uniform(0, LENGTH, 15) for begin in preferred]
    return np.sort(np.concatenate([rng.uniform(0, 51, 400), *more]))
