"""Run in a new process: loads what test_new_process.py saved, and writes down what comes out.

Models load after `import tfp_bvae` alone. Of a stock Keras model with our layers in it, Keras
must know the layers' names, and does once `tfp_bvae.layers` has been touched.
"""

import pickle
import sys
from pathlib import Path

import tf_keras

import tfp_bvae


def results(model, inputs) -> dict:
    """Outputs and losses at inference, and outputs in training, where noise streams go on."""
    from zoo_graphs import tensors

    outputs = tensors(model(inputs, training=False))
    losses = [float(loss) for loss in model.losses]
    return {
        "outputs": outputs,
        "losses": losses,
        "draws": tensors(model(inputs, training=True)),
        "metrics": sorted(metric.name for metric in model.metrics),
    }


def main(folder: Path) -> None:
    names, inputs = pickle.loads((folder / "inputs.pickle").read_bytes())
    names.sort(key=lambda name: not name.startswith("lfads"))
    found = {"touched": {}, "keras": {}, "weights": {}}
    for name in names:
        if not name.startswith("lfads"):
            tfp_bvae.layers  # noqa: B018
        found["touched"][name] = [key for key in sys.modules if key.startswith("tfp_bvae.")]
        model = tf_keras.models.load_model(folder / f"{name}.keras")
        found["keras"][name] = results(model, inputs[name])

    from zoo_graphs import graph

    for name in names:
        model = graph(name)
        model.load_weights(folder / f"{name}.weights.h5")
        found["weights"][name] = results(model, inputs[name])
    (folder / "found.pickle").write_bytes(pickle.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
