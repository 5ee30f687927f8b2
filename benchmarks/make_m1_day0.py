"""Make the motor-cortex recording of the benchmarks from its public source.

The recording (monkey, primary motor cortex, 96-electrode array, isometric wrist force to 8
targets, 20 minutes) is another laboratory's: `data/ADAN/Day0.mat` of the repository
SachsLab/IntracranialNeurophysDL on GitHub (MIT licence), contributed with Farshchian et al. (2018),
arXiv:1810.00045. Cite them.

    python benchmarks/make_m1_day0.py m1_day0.h5
"""

from __future__ import annotations

import argparse
from pathlib import Path

import h5py
import numpy as np

from tfp_bvae.data import atomic_file, fetch, read_m1_arrays
from tfp_bvae.data.readers.m1 import M1_BIN_WIDTH

DESCRIPTION = {
    "area": "primary motor cortex (M1), 96-electrode array, threshold crossings",
    "bin_seconds": M1_BIN_WIDTH,
    "session": "2016-06-26",
    "source": "github.com/SachsLab/IntracranialNeurophysDL, data/ADAN (MIT), "
    "contributed with arXiv:1810.00045",
    "subject": "macaque J",
    "task": "isometric wrist force, centre-out to 8 targets",
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
    parser.add_argument("out", type=Path, help="HDF5 file to write")
    parser.add_argument("--mat", type=Path, help="Day0.mat, if it is here; else it is fetched")
    arguments = parser.parse_args()
    arrays = read_m1_arrays(arguments.mat or fetch("m1-isometric-day0"))
    write(arguments.out, arrays)
    print(f"{arguments.out}: {len(arrays['counts'])} bins, {len(arrays['trials/go'])} trials")


if __name__ == "__main__":
    main()
