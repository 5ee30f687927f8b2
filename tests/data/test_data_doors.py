"""What is no dataset, and no split, is refused at each door that takes one."""

import numpy as np
import pytest

from tfp_bvae import data, inference, models, training

COUNTS = np.ones([6, 5, 3])


@pytest.fixture(scope="module")
def model():
    return models.lfads({"channels": 3}, {"f_size": 2, "generator_units": 4, "z_size": 0})


@pytest.mark.parametrize(
    "given, said",
    [
        (COUNTS, "got ndarray: data.trials_dataset makes labelled trials of an array, data.to_spl"),
        (data.trials_dataset(COUNTS, 0.02), "got labelled trials: data.to_splits makes a SpikeDat"),
        (data.Split(COUNTS, COUNTS), "got Split"),
        ("trials.h5", "got str"),
    ],
)
def test_a_dataset_is_asked_for(model, given, said):
    message = f"data must be a SpikeDataset, {said}"
    with pytest.raises(TypeError, match=message):
        training.data_arguments(given)
    with pytest.raises(TypeError, match=message):
        training.fit(model, given)


@pytest.mark.parametrize(
    "given, said",
    [
        (data.lorenz(num_conditions=1), "got SpikeDataset: its train and valid are Splits"),
        (COUNTS, "got ndarray: the train and valid of a SpikeDataset are Splits"),
    ],
)
def test_a_split_is_asked_for(model, given, said):
    message = f"split must be a Split, {said}"
    with pytest.raises(TypeError, match=message):
        training.mean_rates(given)
    for infer in (inference.posterior_mean, inference.sample_and_average):
        with pytest.raises(TypeError, match=message):
            infer(model, given)
