"""What a `.keras` file of somebody else may not do."""

import io
import json
import zipfile

import h5py
import numpy as np
import pytest
import tf_keras

from tfp_bvae import data
from tfp_bvae.training import read_model


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """The members of a file of a tiny model."""
    from tfp_bvae import models

    small = dict(f_size=2, f_encoder_units=4, z_size=1, z_encoder_units=4, controller_units=4)
    model = models.lfads({"channels": 3}, small | {"generator_units": 6, "factors": 2})
    path = tmp_path_factory.mktemp("sound") / "a.keras"
    model.save(path)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def written(path, members, packing=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", packing) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def changed(sound, change):
    """The members with another configuration."""
    config = json.loads(sound["config.json"])
    change(config)
    return sound | {"config.json": json.dumps(config)}


def layer(**entries):
    def apply(config):
        config["config"]["layers"][3] |= entries

    return apply


LAYERS = {
    "a lambda": layer(class_name="Lambda", module="keras.layers", registered_name=None),
    "a function": layer(class_name="function", module="builtins", config="eval"),
    "a module": layer(class_name="Popen", module="subprocess", registered_name="Popen"),
    "our command line": layer(
        class_name="main", module="tfp_bvae.cli.__main__", registered_name="tfp_bvae>main"
    ),
    "an operation": layer(
        class_name="SlicingOpLambda",
        module="tf_keras.src.layers.core.tf_op_layer",
        registered_name="SlicingOpLambda",
        config={"name": "x", "function": "io.write_file"},
    ),
    "a vocabulary": layer(
        class_name="StringLookup",
        module="keras.layers",
        registered_name=None,
        config={"vocabulary": "/etc/passwd"},
    ),
    "a type": layer(class_name="__typespec__", module="os", registered_name=None),
    "of another package": layer(registered_name="other>LSTM"),
    "under another name": layer(registered_name="tfp_bvae>BetaVAE"),
}


@pytest.mark.parametrize("case", LAYERS)
def test_only_known_layers_are_made(case, sound, tmp_path):
    path = written(tmp_path / "a.keras", changed(sound, LAYERS[case]))
    with pytest.raises(ValueError, match=r"a\.keras: layers must be those of tfp_bvae, or plain"):
        read_model(path)


def test_what_a_layer_holds_is_looked_at_too(sound, tmp_path):
    def apply(config):
        inner = {"module": "os", "class_name": "system", "config": {}}
        config["config"]["layers"][3]["config"]["kernel_initializer"] = inner

    with pytest.raises(ValueError, match="got 'system' of 'os'"):
        read_model(written(tmp_path / "a.keras", changed(sound, apply)))


def test_nothing_else_is_in_the_file_or_unpacked(sound, tmp_path):
    for more in ("assets/x", "../x", "/tmp/x"):
        path = written(tmp_path / "a.keras", sound | {more: b"x"})
        with pytest.raises(ValueError, match="and nothing else, got"):
            read_model(path)
    path = written(tmp_path / "a.keras", sound, zipfile.ZIP_DEFLATED)
    with pytest.raises(ValueError, match="must not be packed"):
        read_model(path)
    assert [file.name for file in tmp_path.iterdir()] == ["a.keras"]


@pytest.mark.parametrize("size", [2**20, 2**29, 10**9, 2**63])
def test_sizes_that_are_not_in_the_file_are_refused(size, sound, tmp_path):
    layers = json.loads(sound["config.json"])["config"]["layers"]
    wide = [i for i, found in enumerate(layers) if "units" in found["config"]]
    assert len(wide) > 1
    for number in wide[: 1 if size < 2**21 else None]:  # that one is built, before it is refused

        def apply(config, number=number):
            config["config"]["layers"][number]["config"]["units"] = size

        path = written(tmp_path / "a.keras", changed(sound, apply))
        with pytest.raises(ValueError, match=r"a\.keras"):
            read_model(path)


def test_weights_must_be_in_the_file_itself(sound, tmp_path):
    def with_weights(change):
        content = io.BytesIO(sound["model.weights.h5"])
        with h5py.File(content, "r+") as file:
            names: list[str] = []
            file.visit(names.append)
            change(file, next(n for n in names if isinstance(file[n], h5py.Dataset)))
        members = sound | {"model.weights.h5": content.getvalue()}
        return written(tmp_path / "a.keras", members)

    def linked(file, name):
        del file[name]
        file[name] = h5py.ExternalLink("/etc/hostname", "x")

    def giant(file, name):
        del file[name]
        file.create_dataset(name, (10**6, 10**6), "f4", chunks=(100, 100), compression="gzip")

    with pytest.raises(ValueError, match="must be in the file itself"):
        read_model(with_weights(linked))
    with pytest.raises(ValueError, match=r"must fit into memory|must hold what it declares"):
        read_model(with_weights(giant))


def test_a_limit_of_memory_holds_for_a_model(sound, tmp_path):
    path = written(tmp_path / "a.keras", sound)
    assert len(read_model(path).weights) > 10
    with data.memory_limit(100), pytest.raises(ValueError, match="must fit into memory"):
        read_model(path)


def test_a_damaged_file_is_one(sound, tmp_path):
    whole = written(tmp_path / "a.keras", sound).read_bytes()
    for content in (b"", whole[: len(whole) // 2], whole[:-5]):
        (tmp_path / "b.keras").write_bytes(content)
        with pytest.raises(ValueError, match=r"b\.keras must be a model, complete"):
            read_model(tmp_path / "b.keras")


def test_a_model_that_is_no_beta_vae_is_refused(tmp_path):
    model = tf_keras.Sequential([tf_keras.layers.Dense(2, input_shape=(3,))])
    model.save(tmp_path / "a.keras")
    with pytest.raises(ValueError, match=r"a\.keras"):
        read_model(tmp_path / "a.keras")
    assert np.ndim(model(np.ones([1, 3]))) == 2
