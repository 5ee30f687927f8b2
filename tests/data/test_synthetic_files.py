"""What the simulators know comes back from a file as it was."""

import h5py
import numpy as np
import pytest

from tfp_bvae.data import chaotic_rnn, lorenz, read_hdf5, sessions, static_dynamic, write_hdf5

FEW = {"num_trials": 4, "num_valid": 1}
SIMULATED = {
    "lorenz": lambda: lorenz(1, num_conditions=3, **FEW),
    "static_dynamic": lambda: static_dynamic(1, **FEW),
    "chaotic_rnn": lambda: chaotic_rnn(1, num_conditions=3, **FEW),
    "sessions": lambda: sessions(1, **FEW),
    "chaotic_rnn with pulses": lambda: chaotic_rnn(1, num_conditions=3, pulses=True, **FEW),
}


@pytest.mark.parametrize("system", SIMULATED)
def test_round_trip(system, tmp_path):
    data = SIMULATED[system]()
    write_hdf5(tmp_path / "a.h5", data)
    back = read_hdf5(tmp_path / "a.h5")
    assert back.bin_width == data.bin_width
    for side in ("train", "valid"):
        for name in ("encod", "recon", "truth"):
            expected = getattr(getattr(data, side), name)
            np.testing.assert_array_equal(getattr(getattr(back, side), name), expected)
    assert back.attrs.keys() == data.attrs.keys()
    for name, value in data.attrs.items():
        assert type(back.attrs[name]) is type(value)
        assert np.asarray(back.attrs[name]).dtype == np.asarray(value).dtype
        np.testing.assert_array_equal(back.attrs[name], value)


@pytest.mark.parametrize("system", SIMULATED)
def test_what_is_known_of_each_trial_has_a_row_for_each(system):
    data = SIMULATED[system]()
    for side in ("train", "valid"):
        known = [value for name, value in data.attrs.items() if name.startswith(f"{side}_")]
        assert known
        assert {len(value) for value in known} == {getattr(data, side).num_trials}


def test_classes_and_pulses_are_datasets_of_the_file(tmp_path):
    write_hdf5(tmp_path / "a.h5", SIMULATED["static_dynamic"]())
    write_hdf5(tmp_path / "b.h5", SIMULATED["chaotic_rnn with pulses"]())
    with h5py.File(tmp_path / "a.h5") as a, h5py.File(tmp_path / "b.h5") as b:
        assert a["train_static"].shape == (12,) and a["valid_dynamic"].shape == (4, 40, 2)
        assert b["train_pulse_time"].shape == (9,) and b["pulse_direction"].shape == (50,)
        assert b.attrs["gain"] == 1.5 and b.attrs["normalize"] == "trial"
