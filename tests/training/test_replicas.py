"""A fit on several replicas goes through the numbers of one; what cannot is refused at the door.

The processes are those of `on_replicas.py`: two devices of one process, or two on this host.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from tfp_bvae import models, training
from tfp_bvae.training.batches import TrialBatches
from tfp_bvae.training.parts import parts_of_batches, require_replicable
from tfp_bvae.training.replicas import without_strategy

SCRIPT = Path(__file__).parent / "on_replicas.py"
LIMIT = 900  # seconds that processes may take, on a busy machine
# of each case, how far figures and weights may be from those of one replica
QUICK = {"lfads, double": 1e-12, "lfads, not finite": 1e-5}
SLOW = {
    "lfads, compiled": 1e-4,
    "dsae, factorized": 1e-4,
    "dsae, full": 1e-4,
    "fhvae": 1e-4,
    "lfads": 1e-5,
    "lfads, importance": 1e-4,
    "lfads, l2": 1e-4,
    "lfads, sessions": 1e-4,
    "lfads, unequal": 1e-4,
}


def close(found: dict, expected: dict, tolerance: float) -> None:
    """Rows and weights of two fits."""
    assert len(found["rows"]) == len(expected["rows"])
    for one, other in zip(found["rows"], expected["rows"], strict=True):
        assert one == pytest.approx(other, rel=tolerance)
    for one, other in zip(found["weights"].values(), expected["weights"].values(), strict=True):
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)


def on_two_devices(folder: Path, cases: dict) -> dict:
    """What each case gives without a strategy, and on two devices."""
    command = [sys.executable, SCRIPT, "mirrored", folder / "found.json", *cases]
    subprocess.run(command, check=True, timeout=LIMIT)
    return json.loads((folder / "found.json").read_text())


def test_two_devices_go_through_the_numbers_of_one(tmp_path):
    found = on_two_devices(tmp_path, QUICK)
    for case, tolerance in QUICK.items():
        close(found[case]["two"], found[case]["one"], tolerance)
    skipped = [row["skipped_steps"] for row in found["lfads, not finite"]["two"]["rows"]]
    assert skipped == [1.0]


@pytest.mark.slow
def test_so_does_each_kind_of_model(tmp_path):
    found = on_two_devices(tmp_path, SLOW)
    for case, tolerance in SLOW.items():
        close(found[case]["two"], found[case]["one"], tolerance)


@contextlib.contextmanager
def hosts(commands: list[list]):
    """A process for each command, the workers of one cluster; none is left behind."""
    with contextlib.ExitStack() as held:
        taken = [held.enter_context(socket.socket()) for _ in commands]
        for one in taken:
            one.bind(("127.0.0.1", 0))
        workers = [f"127.0.0.1:{one.getsockname()[1]}" for one in taken]
    processes = []
    try:
        for index, command in enumerate(commands):
            task = {"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}}
            environment = os.environ | {"TF_CONFIG": json.dumps(task)}
            processes.append(subprocess.Popen(command, env=environment))
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.wait()


@pytest.mark.slow  # a busy machine can be too late for the heartbeat of a cluster
def test_two_hosts_go_through_the_numbers_of_one_and_go_on_from_a_checkpoint(tmp_path):
    case, outs = "lfads", [tmp_path / "0.json", tmp_path / "1.json"]
    with hosts([[sys.executable, SCRIPT, "hosts", out, case] for out in outs]) as processes:
        one = subprocess.run(
            [sys.executable, SCRIPT, "alone", tmp_path / "one.json", case], timeout=LIMIT
        )
        assert one.returncode == 0
        assert [process.wait(LIMIT) for process in processes] == [0, 0]
    expected = json.loads((tmp_path / "one.json").read_text())[case]
    chief, other = (json.loads(out.read_text())[case] for out in outs)
    assert other == chief  # each knows all, to the last digit
    close(chief["before"], expected["before"], 1e-4)
    close(chief["two"], expected["two"], 1e-4)
    run = tmp_path / "run"
    assert len(training.read_history(run / "history.csv")) == 3
    assert [path.name for path in (run / "checkpoints").glob("*.index")] == ["ckpt-3.index"]


@pytest.fixture(scope="module")
def strategy():
    """Of one replica: enough for what is refused, and the only one of this process."""
    return tf.distribute.MirroredStrategy(["CPU:0"])


def test_a_model_that_was_not_built_under_the_strategy_is_refused(make_model, dataset, strategy):
    with pytest.raises(ValueError, match=r"with strategy.scope\(\): model = ..."):
        training.fit(make_model(), dataset, verbose=False, strategy=strategy)


def test_nor_is_its_strategy_forgotten(make_model, dataset, strategy):
    with strategy.scope():
        model = make_model()
    with pytest.raises(ValueError, match="strategy must be the one that the model was built under"):
        training.fit(model, dataset, verbose=False)
    plain = without_strategy(model)
    require_replicable(plain, None)
    for one, other in zip(plain.weights, model.weights, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


def test_a_strategy_without_mirrored_variables_is_refused(make_model):
    with pytest.raises(TypeError, match=r"MirroredStrategy or MultiWorker.*got OneDevice"):
        require_replicable(make_model(), tf.distribute.OneDeviceStrategy("CPU:0"))


@pytest.mark.parametrize(
    "params, arguments, reason",
    [
        ({"free_bits_f": 0.1}, {}, "kl_f has free bits"),
        ({"capacity_z": 2.0}, {}, "kl_z has a capacity"),
        ({"total_correlation": 1.0}, {"num_trials": 32}, "compares the trials"),
        ({"dip": 1.0}, {}, "compares the trials"),
    ],
)
def test_a_loss_that_is_no_mean_over_trials_is_refused(
    make_model, strategy, params, arguments, reason
):
    with strategy.scope():
        model = make_model(arguments, **params)
    with pytest.raises(ValueError, match=reason):
        require_replicable(model, strategy)


def test_a_loss_that_is_scaled_is_refused(make_model, strategy):
    tf_keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        with strategy.scope():
            model = make_model()
    finally:
        tf_keras.mixed_precision.set_global_policy("float32")
    with pytest.raises(ValueError, match="must not be mixed_float16 with a strategy"):
        require_replicable(model, strategy)


def test_rows_that_change_hands_are_refused(strategy):
    with strategy.scope():
        model = models.fhvae({"channels": 6, "num_groups": 5}, {"groups_at_once": 2})
    with pytest.raises(ValueError, match="groups_at_once must be None with a strategy"):
        require_replicable(model, strategy)


def test_parts_are_those_of_the_batches_epoch_after_epoch(strategy):
    batches = TrialBatches({"x": np.arange(10)}, np.arange(10.0), batch_size=4, epoch=2)
    parts = iter(parts_of_batches(batches, strategy))
    for batches.epoch in (2, 3):
        for index in range(len(batches)):
            inputs, targets = next(parts)
            np.testing.assert_array_equal(inputs["x"], batches[index][0]["x"])
            np.testing.assert_array_equal(targets, batches[index][1])
