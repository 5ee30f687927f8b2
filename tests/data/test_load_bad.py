"""What cannot be read is refused with a word; what can be used is, and the rest is counted."""

import pickle
import warnings

import h5py
import numpy as np
import pytest
import xarray as xr
from nwb_files import write_nwb
from scipy.io import savemat

from tfp_bvae.data import bin_spike_times, load, save, to_splits, trials_dataset


def npz(**arrays):
    return lambda path: np.savez(path.open("wb"), **arrays)


def hdf5(**arrays):
    def write(path):
        with h5py.File(path, "w") as file:
            for name, value in arrays.items():
                file[name] = value

    return write


def cut(write, keep=0.6):
    def apply(path):
        write(path)
        whole = path.read_bytes()
        path.write_bytes(whole[: int(keep * len(whole))])

    return apply


def linked(path):
    hdf5(spikes=ONES)(path.with_name("other.h5"))
    with h5py.File(path, "w") as file:
        file["spikes"] = h5py.ExternalLink("other.h5", "spikes")


def mat(**variables):
    return lambda path: savemat(path, variables)


def xarray_file(data):
    return lambda path: data.to_netcdf(path, engine="h5netcdf")


def zarr_folder(data):
    def write(path):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            data.to_zarr(path, mode="w")

    return write


def zarr_with_pickle(path):
    zarr_folder(xr.Dataset({"spikes": (DIMS, ONES)}))(path)
    (path / "spikes" / ".zarray").write_text('{"filters": [{"id": "pickle"}]}')


def zarr_with_a_bad_chunk(path):
    zarr_folder(xr.Dataset({"spikes": (DIMS, ONES)}))(path)
    files = [found for found in (path / "spikes").rglob("*") if found.is_file()]
    (chunk,) = (found for found in files if found.name not in ("zarr.json", ".zarray", ".zattrs"))
    chunk.write_bytes(b"none")


ONES = np.ones([4, 6, 3])
DIMS = ("trial", "time", "channel")
OBJECTS = np.array([np.ones([2, 3]), np.ones([4, 3])], dtype=object)

BAD = {
    "nothing": (lambda path: None, FileNotFoundError, "must be a file of data that exists"),
    "empty": (lambda path: path.write_bytes(b""), ValueError, "it is empty"),
    "text": (lambda path: path.write_text("spikes"), ValueError, "its first bytes are b'spikes'"),
    "folder": (lambda path: path.mkdir(), ValueError, "a folder without zarr keys"),
    "pickle": (lambda p: p.write_bytes(pickle.dumps(ONES)), ValueError, "like a pickle, which"),
    "gzip": (lambda p: p.write_bytes(b"\x1f\x8b\x08\x00"), ValueError, "like a gzip file: unpack"),
    "npy": (lambda p: np.save(p.open("wb"), ONES), ValueError, "a single array of numpy: save it"),
    "npz of objects": (npz(spikes=OBJECTS), ValueError, "spikes must be an array.*got a pickle of"),
    "npz cut": (cut(npz(spikes=ONES)), ValueError, "must be npz, complete and not damaged"),
    "npz two axes": (npz(spikes=np.ones([4, 3])), ValueError, r"spikes must be \[trial, time"),
    "npz of words": (npz(spikes=np.array(["a"])), ValueError, r"spikes must be \[trial, time"),
    "npz two": (npz(a=ONES, b=ONES), KeyError, r"got a \(4,6,3\), b \(4,6,3\)"),
    "npz none": (npz(x=np.ones(3)), KeyError, "must hold 'spikes'"),
    "negative": (npz(spikes=-ONES), ValueError, "spikes must be at least 0 or NaN; 72 of 72"),
    "broken": (npz(spikes=ONES / 2), ValueError, "must be whole numbers; 72 of 72.*counts=False"),
    "infinite": (npz(spikes=ONES * np.inf), ValueError, "must not be infinite"),
    "all NaN": (npz(spikes=ONES * np.nan), ValueError, "a trial with an observed value, got none"),
    "no spike": (npz(spikes=ONES * 0), ValueError, "must hold a spike, got none"),
    "behavior": (npz(spikes=ONES, behavior=ONES[:2]), ValueError, "must agree in size"),
    "channels": (
        npz(spikes=ONES, channel=["a", "a", "b"]),
        ValueError,
        "channel must be named onc",
    ),
    "no channel": (npz(spikes=ONES, channel=["a"]), ValueError, "must agree in size"),
    "two widths": (
        npz(spikes=ONES, bin_width=0.02, time=0.05 * np.arange(6)),
        ValueError,
        "time must go on by bin_width=0.02 s",
    ),
    "no width": (npz(spikes=ONES, bin_width=-1.0), ValueError, "bin_width must be above 0"),
    "other HDF5": (hdf5(image=np.ones([5, 5])), KeyError, r"got image \(5,5\)"),
    "empty HDF5": (hdf5(), KeyError, "got nothing"),
    "HDF5 cut": (cut(hdf5(spikes=np.ones([40, 60, 30]))), ValueError, "complete and not damaged"),
    "link": (linked, ValueError, "must be in the file itself, got a link"),
    "torch shapes": (
        hdf5(
            train_encod_data=ONES,
            train_recon_data=ONES[:3],
            valid_encod_data=ONES,
            valid_recon_data=ONES,
        ),
        ValueError,
        "same number of trials, got 4 and 3",
    ),
    "torch lacks": (hdf5(train_encod_data=ONES), KeyError, "'train_recon_data'"),
    "tf2 lacks": (hdf5(train_data=ONES), KeyError, "'valid_encod_data'"),
    "nlb axes": (hdf5(train_spikes_heldin=ONES[0]), ValueError, "train heldin must have 3 axes"),
    "nlb shapes": (
        hdf5(train_spikes_heldin=ONES, train_spikes_heldout=ONES[:, :5]),
        ValueError,
        "must have 6 bins as the others have",
    ),
    "nlb trials": (
        hdf5(train_spikes_heldin=ONES, train_spikes_heldout=ONES[:3]),
        ValueError,
        "same number of trials, got 4 and 3",
    ),
    "nlb lacks": (hdf5(train_spikes_heldout=ONES), KeyError, "the spikes of held-in channels"),
    "two groups": (
        hdf5(**{"maze/eval_spikes_heldin": ONES, "rtt/eval_spikes_heldin": ONES}),
        ValueError,
        "must say which of maze, rtt",
    ),
    "mat cut": (
        cut(mat(spikes=np.ones([40, 6, 3]))),
        ValueError,
        "must be a MATLAB file, complete",
    ),
    "mat of structs": (mat(data={"spikes": ONES}), KeyError, "must hold 'spikes'.*got nothing"),
    "netCDF without": (
        xarray_file(xr.Dataset({"rates": (DIMS, ONES)})),
        KeyError,
        "must hold 'spikes' .*got rates",
    ),
    "netCDF dims": (
        xarray_file(xr.Dataset({"spikes": (("time", "trial", "channel"), ONES)})),
        KeyError,
        r"got spikes \(time, trial, channel\)",
    ),
    "netCDF cut": (
        cut(xarray_file(xr.Dataset({"spikes": (DIMS, np.ones([40, 60, 30]))}))),
        ValueError,
        "complete and not damaged",
    ),
    "zarr without": (
        zarr_folder(xr.Dataset({"rates": (DIMS, ONES)})),
        KeyError,
        "must hold 'spikes' .*got rates",
    ),
    "zarr pickle": (zarr_with_pickle, ValueError, "spikes must hold no pickles"),
    "zarr damaged": (zarr_with_a_bad_chunk, ValueError, "must be zarr, complete and not damaged"),
    "NWB cut": (cut(lambda path: write_nwb(path)), ValueError, "complete and not damaged"),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.filterwarnings("ignore:.*end in '.nwb'")
def test_a_bad_file_is_refused(tmp_path, case):
    write, error, message = BAD[case]
    path = tmp_path / "data.x"
    write(path)
    with pytest.raises(error, match=message) as caught:
        load(path, **({"bin_width": 0.05} if "NWB" in case else {}))
    assert "data" in str(caught.value)


def test_a_width_that_the_file_denies(tmp_path):
    np.savez(tmp_path / "a.npz", spikes=ONES, bin_width=0.02)
    with pytest.raises(ValueError, match=r"must have bins of 0.05 s, got bins of 0.02 s"):
        load(tmp_path / "a.npz", 0.05)
    save(tmp_path / "a.nc", trials_dataset(ONES, 0.02))
    with pytest.raises(ValueError, match=r"must have bins of 0.05 s, got bins of 0.02 s"):
        load(tmp_path / "a.nc", 0.05)


def test_what_only_nwb_can_be_asked_for(tmp_path):
    np.savez(tmp_path / "a.npz", spikes=ONES)
    with pytest.raises(ValueError, match="align, window must be left out: npz"):
        load(tmp_path / "a.npz", align="go", window=(0, 1))
    with pytest.raises(ValueError, match="path must be one file, or files with the keys"):
        load([tmp_path / "a.npz", tmp_path / "a.npz"])


def test_data_of_a_gaussian_likelihood(tmp_path):
    values = np.random.default_rng(0).normal(size=[4, 6, 3])
    np.savez(tmp_path / "a.npz", spikes=values)
    np.testing.assert_allclose(load(tmp_path / "a.npz", counts=False).spikes, values, rtol=1e-6)
    hdf5(train_data=values, valid_data=values)(tmp_path / "a.h5")
    assert load(tmp_path / "a.h5", counts=False).sizes["trial"] == 8


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"spike_times": []}, "at least one channel"),
        ({"spike_times": [[]]}, "must hold a spike"),
        ({"spike_times": [[[1.0]]]}, r"spike_times\[0\] must have 1 axis"),
        ({"windows": [0.0, 1.0]}, "windows must have 2 axes"),
        ({"windows": [[0.0, 1.0, 2.0]]}, "last axis of size 2"),
        ({"windows": [[0.5, 0.6]]}, "must last at least a bin"),
        ({"bin_width": 0.0}, "bin_width must be above 0"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        given = {"spike_times": [[0.2, 0.8, 1.5]], "windows": [[0, 1]], "bin_width": 0.5}
        bin_spike_times(**{**given, **arguments})


def test_channels_that_do_not_match_a_model(tmp_path):
    from tfp_bvae import inference, models

    small = dict(f_size=2, f_encoder_units=4, z_size=1, z_encoder_units=4, controller_units=4)
    model = models.lfads({"channels": 3}, small | {"generator_units": 6, "factors": 2})
    np.savez(tmp_path / "a.npz", spikes=np.ones([4, 6, 5]), split=["train", "valid"] * 2)
    other = to_splits(load(tmp_path / "a.npz"))
    with pytest.raises(ValueError, match=r"channels|5"):
        inference.sample_and_average(model, other.valid, num_samples=1)


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    import sys

    write_nwb(tmp_path / "a.nwb")
    monkeypatch.setitem(sys.modules, "pynwb", None)
    with pytest.raises(ImportError, match=r'pynwb must be installed.*"tfp_bvae\[data\]"'):
        load(tmp_path / "a.nwb", 0.05)
