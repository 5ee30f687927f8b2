"""Every layer alone in a user's own model, between layers of Keras."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from tfp_bvae import layers, rnn

Dense, STEPS, CHANNELS = tf_keras.layers.Dense, 5, 4

CHAINS = {
    "Bidirectional": lambda: [rnn.Bidirectional(3)],
    "ClippedGRU": lambda: [rnn.ClippedGRU(3, return_sequences=True)],
    "MVNDiagPosterior": lambda: [Dense(4), layers.MVNDiagPosterior(2)],
    "MVNTriLPosterior": lambda: [Dense(5), layers.MVNTriLPosterior(2)],
    "PadTime": lambda: [layers.PadTime(2)],
    "SeededDropout": lambda: [layers.SeededDropout(0.2)],
    "TimeLag": lambda: [layers.TimeLag(1)],
}


@pytest.fixture
def x(rng):
    return rng.normal(size=[3, STEPS, CHANNELS]).astype("float32")


@pytest.mark.parametrize("name", CHAINS)
def test_between_dense_layers_of_a_sequential(name, x):
    model = tf_keras.Sequential(
        [tf_keras.Input([None, CHANNELS]), Dense(CHANNELS), *CHAINS[name](), Dense(1)]
    )
    assert np.isfinite(model(x, training=True)).all()
    assert model.output_shape[-1] == 1


@pytest.mark.parametrize(
    "name",
    [
        "GaussianLikelihood",
        "NegativeBinomialLikelihood",
        "PoissonLikelihood",
        "ZeroInflatedPoissonLikelihood",
    ],
)
def test_a_likelihood_ends_a_sequential_that_fits(name, x):
    model = tf_keras.Sequential([Dense(3), getattr(layers, name)()])

    def negative_log_likelihood(x, likelihood):
        return -likelihood.log_prob(x)

    model.compile("sgd", loss=negative_log_likelihood)
    counts = np.random.default_rng(0).poisson(1.0, [3, STEPS, 3]).astype("float32")
    history = model.fit(x, counts, epochs=3, verbose=0).history["loss"]
    assert history[-1] < history[0]


def test_all_others_in_one_functional_graph(x):
    """A small model in which a stock GRU encodes, and a stock GRU decodes."""
    inputs = tf_keras.Input([None, CHANNELS])
    trial = tf_keras.Input([], dtype="int32")
    head, rest = layers.SplitTime(1)(inputs)
    seen, kept = layers.SampleValidation(0.2)([rest, trial])
    seen, taught = layers.CoordinatedDropout(0.3)(seen)
    encoding = tf_keras.layers.GRU(6, return_sequences=True)(seen)
    q = layers.MVNDiagPosterior(2)(Dense(4)(encoding))
    z = layers.KLDivergence(0.5)([q, layers.AR1Prior(2)(encoding)])
    f = layers.MVNTriLPosterior(3)(Dense(9)(rnn.Bidirectional(3)(head)))
    start = layers.KLDivergence()([f, layers.LearnableMVNPrior(3)(encoding)])
    generated = rnn.Generator(3, factors=2)({"initial_state": start, "like": z, "ext_input": z})
    decoded = rnn.LFADSDecoder(3, 4, 2, 1)({"initial_state": start, "controller_input": z})
    path = layers.PathPosterior()([decoded[f"inferred{part}"] for part in ("_loc", "_scale", "")])
    features = tf_keras.layers.Concatenate()([generated["factors"], decoded["factors"]])
    features = layers.KLDivergence()([path, layers.TiledMVNPrior(1)(z), features])
    log_rate = Dense(CHANNELS)(tf_keras.layers.GRU(5, return_sequences=True)(features))
    for weights in (kept, taught):
        log_rate = layers.GradientBlock()([log_rate, weights])
    model = tf_keras.Model([inputs, trial], layers.PoissonLikelihood()(log_rate))

    def negative_log_likelihood(x, likelihood):
        return -likelihood.log_prob(x)

    model.compile("adam", loss=negative_log_likelihood, run_eagerly=True)
    counts = np.abs(np.round(x))
    data = [counts, np.arange(len(x))]
    assert np.isfinite(model.fit(data, counts[:, 1:], verbose=0).history["loss"]).all()
    assert tf.convert_to_tensor(model(data)).shape == counts[:, 1:].shape


def test_a_distribution_is_one_at_run_time_and_reads_as_a_tensor(x):
    q = layers.MVNDiagPosterior(2)(tf.constant(x))
    assert q.batch_shape == x.shape[:2]
    np.testing.assert_array_equal(tf.identity(q), q.mean())
    np.testing.assert_array_equal(q + 1.0, q.mean() + 1.0)
