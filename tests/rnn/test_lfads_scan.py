"""The LFADS decoder against numpy, and its gradient against that of a slow loop."""

import numpy as np
import pytest
import tensorflow as tf
from plain_scans import plain_decoder
from scipy.special import expit

from tfp_bvae.rnn import (
    CELLS,
    DecoderPath,
    DecoderSequences,
    DecoderStart,
    DecoderWeights,
    lfads_decoder,
)

BATCH, STEPS, CONTROLLER, INFERRED, GENERATOR, FACTORS = 2, 5, 4, 2, 3, 3
SHIFT, MIN_SCALE = 0.4, 0.01
LOOSE, TIGHT = 100.0, 0.3
GRU = CELLS["clipped_gru"]
SIZES = DecoderPath(CONTROLLER, INFERRED, INFERRED, INFERRED, GENERATOR, FACTORS)


@pytest.fixture
def weights(draw):
    return DecoderWeights(
        draw(FACTORS, 3 * CONTROLLER),
        draw(CONTROLLER, 3 * CONTROLLER),
        draw(CONTROLLER, 2 * INFERRED),
        draw(2 * INFERRED),
        draw(INFERRED, 3 * GENERATOR),
        draw(GENERATOR, 3 * GENERATOR),
        draw(GENERATOR, FACTORS),
    )


@pytest.fixture
def sequences(draw):
    return make_sequences(draw, STEPS, BATCH)


def make_sequences(draw, steps, batch):
    def mask(size):
        return 1.25 * tf.cast(draw(steps, batch, size) > -0.5, tf.float64)

    return DecoderSequences(
        draw(steps, batch, 3 * CONTROLLER),
        draw(steps, batch, 3 * GENERATOR),
        draw(steps, batch, INFERRED),
        mask(FACTORS),
        mask(GENERATOR),
    )


@pytest.fixture
def start(draw):
    return DecoderStart(draw(BATCH, CONTROLLER), draw(BATCH, GENERATOR), draw(BATCH, FACTORS))


def fast(*flat, clip, floor=MIN_SCALE, rule="softplus"):
    weights, (controller, generator, *constants), start = flat[:7], flat[7:12], flat[12:]
    sequences = DecoderSequences(GRU.split(controller), GRU.split(generator), *constants)
    return lfads_decoder(
        DecoderWeights(*weights), sequences, DecoderStart(*start), SHIFT, floor, clip, rule
    )


def slow(*flat, clip, floor=MIN_SCALE, rule="softplus"):
    """The equations of a step, in a Python loop that TensorFlow differentiates by itself."""
    weights, sequences, start = flat[:7], flat[7:12], flat[12:]
    return plain_decoder(
        DecoderWeights(*weights), DecoderSequences(*sequences), DecoderStart(*start),
        SHIFT, floor, clip, rule,
    )  # fmt: skip


def cotangents_of(draw, chosen):
    """Random gradients of the outputs chosen by name, zeros for the others."""
    drawn = {name: draw(STEPS, BATCH, size) for name, size in SIZES._asdict().items()}
    return DecoderPath(
        **{name: x if name in chosen else tf.zeros_like(x) for name, x in drawn.items()}
    )


@pytest.mark.parametrize("clip, jit", [(LOOSE, False), (TIGHT, False), (TIGHT, True)])
def test_gradients_for_all_outputs_at_once(
    clip, jit, weights, sequences, start, draw, assert_same_gradient
):
    assert_same_gradient(
        lambda *flat: fast(*flat, clip=clip),
        lambda *flat: slow(*flat, clip=clip),
        (*weights, *sequences, *start),
        cotangents_of(draw, DecoderPath._fields),
        jit_compile=jit,
    )


@pytest.mark.parametrize("floor", [MIN_SCALE, 0.0])
def test_gradients_with_a_log_variance(
    floor, weights, sequences, start, draw, assert_same_gradient
):
    settings = {"clip": 0.6, "floor": floor, "rule": "log_variance"}
    assert_same_gradient(
        lambda *flat: fast(*flat, **settings),
        lambda *flat: slow(*flat, **settings),
        (*weights, *sequences, *start),
        cotangents_of(draw, DecoderPath._fields),
    )


@pytest.mark.parametrize("name", DecoderPath._fields)
def test_gradients_for_each_output_alone(
    name, weights, sequences, start, draw, assert_same_gradient
):
    assert_same_gradient(
        lambda *flat: fast(*flat, clip=0.6),
        lambda *flat: slow(*flat, clip=0.6),
        (*weights, *sequences, *start),
        cotangents_of(draw, [name]),
    )


def test_the_tight_clip_is_reached(weights, sequences, start):
    path = fast(*weights, *sequences, *start, clip=TIGHT)
    for states in (path.controller, path.generator):
        at_bound = np.abs(states) == TIGHT
        assert at_bound.any() and not at_bound.all()


def test_noise_and_masks_are_constants_of_a_step(weights, sequences, start):
    with tf.GradientTape() as tape:
        tape.watch(sequences)
        path = fast(*weights, *sequences, *start, clip=LOOSE)
    gradient = tape.gradient(path, sequences)
    for name in ("noise", "factor_mask", "generator_mask"):
        assert not np.any(getattr(gradient, name)), name
    assert np.any(gradient.controller) and np.any(gradient.generator)


def test_one_step_equals_numpy(weights, sequences, start):
    """Once more without any code of the package, for one trial at a time."""
    path = fast(*weights, *(x[:1] for x in sequences), *start, clip=0.6)
    w = DecoderWeights(*(x.numpy() for x in weights))

    def gru(a, h, kernel):
        n = len(h)
        update = expit(a[:n] + h @ kernel[:, :n])
        reset = expit(a[n : 2 * n] + h @ kernel[:, n : 2 * n])
        candidate = np.tanh(a[2 * n :] + (reset * h) @ kernel[:, 2 * n :])
        return np.clip(update * h + (1 - update) * candidate, -0.6, 0.6)

    for trial in range(BATCH):
        e, a, noise, f_mask, g_mask = (x[0, trial].numpy() for x in sequences)
        c, g, f = (x[trial].numpy() for x in start)
        c = gru(e + (f * f_mask) @ w.controller_factors, c, w.controller_recurrent)
        loc, raw = np.split(c @ w.posterior_kernel + w.posterior_bias, 2)
        scale = MIN_SCALE + np.log1p(np.exp(raw + SHIFT))
        u = loc + scale * noise
        g = gru(a + u @ w.generator_inferred, g, w.generator_recurrent)
        expected = DecoderPath(c, loc, scale, u, g, (g * g_mask) @ w.factor_kernel)
        for found, wanted in zip(path, expected, strict=True):
            np.testing.assert_allclose(found[0, trial], wanted, rtol=1e-12)


def test_time_and_batch_may_be_unknown(weights, draw):
    sizes = (3 * CONTROLLER, 3 * GENERATOR, INFERRED, FACTORS, GENERATOR)
    traces = []

    @tf.function(
        input_signature=[
            [tf.TensorSpec([None, None, size], tf.float64) for size in sizes],
            [tf.TensorSpec([None, s], tf.float64) for s in (CONTROLLER, GENERATOR, FACTORS)],
        ]
    )
    def gradients(sequences, start):
        traces.append(1)
        with tf.GradientTape() as tape:
            tape.watch(start)
            path = fast(*weights, *sequences, *start, clip=TIGHT)
            for x, size in zip(path, SIZES, strict=True):
                assert x.shape.as_list() == [None, None, size]
        return path, tape.gradient(path, start)

    for steps, batch in [(STEPS, BATCH), (3, 4)]:
        start = [draw(batch, size) for size in (CONTROLLER, GENERATOR, FACTORS)]
        path, d_start = gradients(list(make_sequences(draw, steps, batch)), start)
        assert path.factors.shape == [steps, batch, FACTORS]
        assert d_start[1].shape == [batch, GENERATOR]
    assert len(traces) == 1


def test_xla_compiles_it_for_each_length(weights, sequences, start):
    compiled = tf.function(fast, jit_compile=True)
    for steps in (STEPS, 3):
        some = (*weights, *(x[:steps] for x in sequences), *start)
        expected = fast(*some, clip=LOOSE)
        for a, b in zip(compiled(*some, clip=LOOSE), expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-10)
