"""Raw parameters to Gaussians."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_probability import bijectors as tfb

from tfp_bvae import distributions as bvd
from tfp_bvae.distributions.scale_rules import scale_from_raw, scale_slope

MAKERS = [(bvd.mvn_diag, bvd.mvn_diag_params_size), (bvd.mvn_tril, bvd.mvn_tril_params_size)]
makers = pytest.mark.parametrize(("make", "params_size"), MAKERS)


@makers
@pytest.mark.parametrize("event_size", [1, 2, 5])
@pytest.mark.parametrize("init_scale", [1e-2, 1.0, 316.0])
def test_zero_gives_init_scale(make, params_size, event_size, init_scale, dtype, rtol):
    params = np.zeros([3, 4, params_size(event_size)], dtype)
    made = make(params, event_size, init_scale=init_scale)
    assert made.batch_shape == (3, 4) and made.event_shape == (event_size,) and made.dtype == dtype
    np.testing.assert_allclose(made.mean(), 0.0)
    covariance = np.broadcast_to(init_scale**2 * np.eye(event_size), [3, 4, event_size, event_size])
    np.testing.assert_allclose(made.covariance(), covariance, rtol=2 * rtol)


def test_the_shift_is_exact():
    shift = bvd.softplus_shift(0.316, 1e-3)
    assert 1e-3 + np.logaddexp(0.0, shift) == pytest.approx(0.316, rel=1e-14)
    assert bvd.softplus_shift(1000.0, 1e-3) == pytest.approx(999.999, rel=1e-14)


def test_diag_takes_location_first(dtype):
    made = bvd.mvn_diag(np.array([1.0, 2.0, 3.0, 4.0], dtype), 2, init_scale=0.5, min_scale=0.1)
    shift = np.log(np.expm1(0.4))
    np.testing.assert_allclose(made.mean(), [1.0, 2.0])
    expected = 0.1 + np.logaddexp(0.0, np.array([3.0, 4.0]) + shift)
    np.testing.assert_allclose(made.stddev(), expected, rtol=1e-6)


@pytest.mark.parametrize("floor", [0.1, 0.0])
def test_diag_of_a_log_variance(floor, dtype):
    params = np.array([1.0, 2.0, 3.0, -4.0], dtype)
    made = bvd.mvn_diag(params, 2, 0.5, floor, scale_rule="log_variance")
    variance = floor**2 + (0.25 - floor**2) * np.exp([3.0, -4.0])
    np.testing.assert_allclose(made.stddev(), np.sqrt(variance), rtol=1e-6)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"scale_rule": "exp"}, "scale_rule must be one of"),
        ({"scale_rule": "log_variance", "min_scale": -0.1}, r"min_scale must be in \[0.0"),
        ({"scale_rule": "log_variance", "min_scale": 1.0}, "init_scale must be above min_scale"),
    ],
)
def test_a_rule_and_its_floor_are_checked(settings, complaint):
    with pytest.raises(ValueError, match=complaint):
        bvd.mvn_diag(np.zeros(4), 2, **settings)


@pytest.mark.parametrize(
    "rule, floor", [("softplus", 0.1), *[("log_variance", x) for x in (0.0, 0.1)]]
)
def test_the_slope_of_a_scale_is_its_derivative(rule, floor):
    raw = tf.linspace(tf.constant(-6.0, tf.float64), 6.0, 25)
    with tf.GradientTape() as tape:
        tape.watch(raw)
        scale = scale_from_raw(raw, floor, rule)
    np.testing.assert_allclose(
        scale_slope(scale, floor, rule), tape.gradient(scale, raw), rtol=1e-10
    )


def test_tril_equals_fill_scale_tril(dtype, rtol):
    params = np.random.default_rng(0).normal(size=[6, 3 + 6]).astype(dtype)
    shift = np.log(np.expm1(0.4)).astype(dtype)
    to_scale = tfb.Chain(
        [tfb.Shift(np.asarray(0.1, dtype)), tfb.Softplus(), tfb.Shift(np.asarray(shift))]
    )
    fill = tfb.FillScaleTriL(diag_bijector=to_scale, diag_shift=None)
    made = bvd.mvn_tril(params, 3, init_scale=0.5, min_scale=0.1)
    np.testing.assert_allclose(made.scale_tril, fill(params[:, 3:]), rtol=rtol)
    np.testing.assert_allclose(made.mean(), params[:, :3])


@makers
@pytest.mark.parametrize("raw", [-1e4, -100.0, 0.0, 100.0, 1e4])
def test_floor_and_finite_gradients(make, params_size, raw, dtype):
    params = tf.fill([2, params_size(3)], tf.constant(raw, dtype))
    with tf.GradientTape() as tape:
        tape.watch(params)
        made = make(params, 3, min_scale=0.01)
        spread = tf.linalg.diag_part(made.scale.to_dense())
        value = tf.reduce_sum(made.entropy()) + tf.reduce_sum(spread)
    assert np.min(spread) >= np.asarray(0.01, dtype)
    assert np.all(np.isfinite(tape.gradient(value, params)))


@makers
@pytest.mark.parametrize("jit_compile", [False, True])
def test_unknown_shapes_in_a_graph(make, params_size, jit_compile, dtype):
    size = params_size(3)

    @tf.function(
        input_signature=[tf.TensorSpec([None, None, None], dtype)], jit_compile=jit_compile
    )
    def log_prob(params):
        return make(params, 3).log_prob(tf.ones([3], dtype))

    params = np.random.default_rng(0).normal(size=[2, 5, size]).astype(dtype)
    expected = make(params, 3).log_prob(np.ones([3], dtype))
    np.testing.assert_allclose(log_prob(params), expected, rtol=1e-5)


@makers
def test_errors_at_the_door(make, params_size):
    with pytest.raises(ValueError, match=r"params must have a last axis of size \d+, got shape"):
        make(tf.zeros([2, 7]), 3)
    with pytest.raises(ValueError, match="params must have a last axis"):
        make(tf.zeros([]), 3)
    with pytest.raises(TypeError, match="params must be floating point, got int32"):
        make(tf.zeros([2, params_size(3)], tf.int32), 3)
    with pytest.raises(ValueError, match=r"init_scale must be above min_scale 0\.5, got 0\.5"):
        make(tf.zeros([params_size(3)]), 3, init_scale=0.5, min_scale=0.5)
    with pytest.raises(ValueError, match="min_scale must be above 0"):
        make(tf.zeros([params_size(3)]), 3, min_scale=0.0)
    with pytest.raises(ValueError, match="event_size must be a whole number of at least 1"):
        make(tf.zeros([3]), 0)
    with pytest.raises(TypeError, match="event_size must be a whole number"):
        params_size(2.0)
