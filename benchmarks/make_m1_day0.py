"""Make the motor-cortex recording of the benchmarks from its public source.

The recording (monkey, primary motor cortex, 96-electrode array, isometric wrist force to 8
targets, 20 minutes) is another laboratory's: `data/ADAN/Day0.mat` of the repository
SachsLab/IntracranialNeurophysDL on GitHub (MIT licence), contributed with Farshchian et al. (2018),
arXiv:1810.00045. Cite them.

    python benchmarks/make_m1_day0.py Day0.mat m1_day0.h5
"""

from __future__ import annotations

import argparse
from pathlib import Path

import h5py
import numpy as np
from scipy.io import loadmat

from tfp_bvae.data import atomic_file

BIN_SECONDS = 0.05
# columns of `trialtable`, as `trialtablelabels` names them
TRIAL_COLUMNS = {
    "start": "trial start time",
    "outer_target_on": "outer target time",
    "go": "go/catch",
    "end": "trial end time",
}
DESCRIPTION = {
    "area": "primary motor cortex (M1), 96-electrode array, threshold crossings",
    "bin_seconds": BIN_SECONDS,
    "session": "2016-06-26",
    "source": "github.com/SachsLab/IntracranialNeurophysDL, data/ADAN (MIT), "
    "contributed with arXiv:1810.00045",
    "subject": "macaque J",
    "task": "isometric wrist force, centre-out to 8 targets",
}


def read_mat(path: Path) -> dict[str, np.ndarray]:
    """The recording by the names of the benchmark; counts from the unsmoothed rates (spikes/s)."""
    binned = loadmat(path, squeeze_me=True, struct_as_record=False)["binnedData"]
    counts = binned.spikeratedata * BIN_SECONDS
    whole = np.round(counts)
    if np.abs(counts - whole).max() > 1e-6 or whole.max() > 255:
        raise ValueError(f"{path}: spikeratedata must be whole counts per bin of {BIN_SECONDS} s")
    labels = [str(label) for label in binned.trialtablelabels]
    table = {label: binned.trialtable[:, column] for column, label in enumerate(labels)}
    trials = {f"trials/{name}": table[label] for name, label in TRIAL_COLUMNS.items()}
    letters = [chr(int(code)) for code in table["Result(R,A,I,orN)"]]
    return {
        "counts": whole.astype(np.uint8),
        "time": binned.timeframe,
        "force": binned.forcedatabin.astype(np.float32),
        "emg": binned.emgdatabin.astype(np.float32),
        **trials,
        "trials/result": np.array(letters, dtype="S1"),
        "trials/target": table["tgt_id"].astype(np.int32),
        "emg_names": np.array([str(name) for name in binned.emgguide]),
    }


def write(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write the datasets with their units, all or nothing."""
    about = {
        "counts": {"dims": "time, channel", "units": "spikes per bin"},
        "time": {"units": "s, left edge of the bin"},
        "force": {"names": np.array(["x", "y"], dtype=object), "units": "arbitrary"},
        "emg": {
            "dims": "time, muscle",
            "names": arrays.pop("emg_names").astype(object),
            "units": "arbitrary; rectified and smoothed; has outliers",
        },
        "trials/result": {"note": "R rewarded, A aborted, I incomplete, F failed"},
        "trials/target": {"note": "1 to 8, direction of the wrist force"},
    }
    with atomic_file(path) as beside, h5py.File(beside, "w") as file:
        file.attrs.update(DESCRIPTION)
        for name, array in arrays.items():
            compression = "gzip" if array.ndim == 2 else None
            dataset = file.create_dataset(name, data=array, compression=compression)
            times = {"units": "s"} if name.startswith("trials/") and array.dtype.kind == "f" else {}
            dataset.attrs.update(about.get(name, times))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("mat", type=Path, help="Day0.mat of the public repository")
    parser.add_argument("out", type=Path, help="HDF5 file to write")
    arguments = parser.parse_args()
    arrays = read_mat(arguments.mat)
    write(arguments.out, arrays)
    print(f"{arguments.out}: {len(arrays['counts'])} bins, {len(arrays['trials/go'])} trials")


if __name__ == "__main__":
    main()
