"""Where others document what our signatures name, as inventories that need no network.

TensorFlow, its Keras 2 and TensorFlow Probability publish no inventory, and a build must not hang
on the servers of the rest. So the few names that occur are listed here, and `write_inventories`
makes of them what `sphinx.ext.intersphinx` reads. A name that is missing is an error of the build.
"""

import zlib
from pathlib import Path

OF_PYTHON = {
    f"collections.abc.{name}": f"library/collections.abc.html#collections.abc.{name}"
    for name in ("Callable", "Collection", "Iterable", "Iterator", "Mapping", "Sequence")
} | {
    "os.PathLike": "library/os.html#os.PathLike",
    "pathlib.Path": "library/pathlib.html#pathlib.Path",
    "Path": "library/pathlib.html#pathlib.Path",
    "random.Random": "library/random.html#random.Random",
}
OF_TENSORFLOW = {
    "tensorflow.python.data.ops.dataset_ops.DatasetV2": "data/Dataset",
    "tensorflow.python.distribute.distribute_lib.Strategy": "distribute/Strategy",
    "tensorflow.python.framework.dtypes.DType": "dtypes/DType",
    "tensorflow.python.framework.tensor.Tensor": "Tensor",
    "tensorflow.python.ops.variables.Variable": "Variable",
    "tf.Tensor": "Tensor",
}
OF_KERAS = {
    "callbacks.Callback": "callbacks/Callback",
    "engine.base_layer.Layer": "layers/Layer",
    "engine.training.Model": "Model",
    "losses.Loss": "losses/Loss",
    "optimizers.schedules.learning_rate_schedule.LearningRateSchedule": (
        "optimizers/schedules/LearningRateSchedule"
    ),
    "utils.data_utils.Sequence": "utils/Sequence",
}
OF_PROBABILITY = {
    "distributions.distribution.Distribution": "distributions/Distribution",
    "distributions.mvn_diag.MultivariateNormalDiag": "distributions/MultivariateNormalDiag",
    "distributions.mvn_linear_operator.MultivariateNormalLinearOperator": (
        "distributions/MultivariateNormalLinearOperator"
    ),
    "distributions.mvn_tril.MultivariateNormalTriL": "distributions/MultivariateNormalTriL",
    "distributions.poisson.Poisson": "distributions/Poisson",
    "layers.distribution_layer.DistributionLambda": "layers/DistributionLambda",
}
ARRAY = "reference/generated/numpy.ndarray.html#numpy.ndarray"
DATASET = "generated/xarray.Dataset.html#xarray.Dataset"
AXES = "api/_as_gen/matplotlib.axes.Axes.html#matplotlib.axes.Axes"
FIGURE = "api/_as_gen/matplotlib.figure.Figure.html#matplotlib.figure.Figure"

# Of each: the address that its pages have in common, and the page of each name.
OTHERS: dict[str, tuple[str, dict[str, str]]] = {
    "python": ("https://docs.python.org/3/", OF_PYTHON),
    "numpy": (
        "https://numpy.org/doc/stable/",
        {"numpy.ndarray": ARRAY, "np.ndarray": ARRAY},
    ),
    "xarray": (
        "https://docs.xarray.dev/en/stable/",
        {"xarray.Dataset": DATASET, "xr.Dataset": DATASET},
    ),
    "matplotlib": (
        "https://matplotlib.org/stable/",
        {"matplotlib.axes._axes.Axes": AXES, "matplotlib.figure.Figure": FIGURE, "Figure": FIGURE},
    ),
    "h5py": (
        "https://docs.h5py.org/en/stable/",
        {
            "h5py._hl.files.File": "high/file.html#h5py.File",
            "h5py._hl.dataset.Dataset": "high/dataset.html#h5py.Dataset",
        },
    ),
    "tensorflow": ("https://www.tensorflow.org/api_docs/python/tf/", OF_TENSORFLOW),
    "keras": (
        "https://www.tensorflow.org/versions/r2.15/api_docs/python/tf/keras/",
        {f"tf_keras.src.{name}": page for name, page in OF_KERAS.items()}
        | {"tf_keras.layers.Layer": "layers/Layer"},
    ),
    "probability": (
        "https://www.tensorflow.org/probability/api_docs/python/tfp/",
        {f"tensorflow_probability.python.{name}": page for name, page in OF_PROBABILITY.items()},
    ),
}


def write_inventories(folder: Path) -> dict[str, tuple[str, str]]:
    """Write an inventory of each; the mapping that intersphinx wants."""
    folder.mkdir(parents=True, exist_ok=True)
    mapping = {}
    for project, (address, pages) in OTHERS.items():
        head = f"# Sphinx inventory version 2\n# Project: {project}\n# Version: \n"
        head += "# The remainder of this file is compressed using zlib.\n"
        rows = "".join(f"{name} py:class 1 {page} -\n" for name, page in pages.items())
        path = folder / f"{project}.inv"
        path.write_bytes(head.encode() + zlib.compress(rows.encode()))
        mapping[project] = (address, str(path))
    return mapping
