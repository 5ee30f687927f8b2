"""What is of Keras 3 is refused with an error that says what to do."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
import zoo

from tfp_bvae import checks, layers
from tfp_bvae.models import BetaVAE

keras = pytest.importorskip("keras", minversion="3.0")

ADVICE = r"must be of tf_keras, got a \w+ of Keras 3: build all of the model with `import tf_keras`"


@pytest.mark.parametrize("name", zoo.LAYERS)
def test_no_layer_takes_a_symbol_of_keras_3(name):
    symbol = keras.Input([zoo.STEPS, zoo.CHANNELS])
    for given in (symbol, [symbol, symbol], {"initial_state": symbol}):
        with pytest.raises(TypeError, match=f"the input of {name.split(',')[0]} {ADVICE}"):
            zoo.LAYERS[name].make()(given)


@pytest.mark.parametrize(
    "make",
    [
        lambda: keras.layers.Dense(3),
        lambda: keras.Sequential([keras.Input([3]), keras.layers.Dense(3)]),
        lambda: keras.Sequential([keras.Input([3]), keras.layers.Dense(3)]).outputs[0],
        lambda: keras.Variable(np.ones([2, 3])),
        lambda: type("Own", (keras.layers.Layer,), {})(),
    ],
    ids=["layer", "model", "output", "variable", "own layer"],
)
def test_layers_models_and_variables_of_keras_3_are_refused(make):
    with pytest.raises(TypeError, match=f"the input of KLDivergence {ADVICE}"):
        layers.KLDivergence()([make(), make()])


def test_so_does_a_keyword():
    with pytest.raises(TypeError, match=f"the input of DIPPenalty {ADVICE}"):
        layers.DIPPenalty(1.0, 1.0)(inputs=keras.Input([3]))


def test_a_model_is_built_of_and_called_on_tf_keras():
    inputs = keras.Input([3])
    with pytest.raises(TypeError, match=f"inputs and outputs of the model {ADVICE}"):
        BetaVAE(inputs, keras.layers.Dense(3)(inputs))
    inputs = tf_keras.Input([3])
    model = BetaVAE(inputs, tf_keras.layers.Dense(3)(inputs))
    with pytest.raises(TypeError, match=f"the input of BetaVAE {ADVICE}"):
        model(keras.Input([3]))
    assert model(tf.ones([2, 3])).shape == (2, 3)


def test_all_else_goes_through():
    for given in (1.0, None, "keras", tf.ones([2]), tf_keras.Input([3]), tf_keras.layers.Dense(3)):
        assert checks.not_keras3("x", given) is given
