"""Nothing public is missing from the zoo."""

import tf_keras
import zoo

from tfp_bvae import layers, rnn


def test_every_public_layer_is_in_the_zoo():
    public = set(layers.__all__) | set(rnn.__all__)
    shown = {type(specimen.make()).__name__ for specimen in zoo.LAYERS.values()}
    assert shown == public - zoo.NOT_LAYERS


def test_what_is_left_out_is_public_and_no_layer_to_build():
    for name in zoo.NOT_LAYERS:
        home = layers if name in layers.__all__ else rnn
        found = getattr(home, name)
        is_layer = isinstance(found, type) and issubclass(found, tf_keras.layers.Layer)
        assert name == "DistributionLayer" or not is_layer


def test_specimens_are_called_after_their_class():
    for name, specimen in zoo.LAYERS.items():
        assert name.split(",")[0] == type(specimen.make()).__name__
