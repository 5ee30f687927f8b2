"""FHVAE: its terms against numpy, once each, and what each part sees.

How it saves, loads, compiles and keeps to a precision is held by the laws in conformance/, over
the specimen of the zoo.
"""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from scipy import special, stats
from zoo import counts
from zoo_graphs import disturb

from tfp_bvae import models

BATCH, STEPS, CHANNELS, GROUPS = 5, 6, 4, 3
SMALL = {
    "f_size": 2, "f_encoder_units": 3, "z_size": 3, "z_encoder_units": 4, "generator_units": 5,
}  # fmt: skip
WEIGHTS = {"beta_f": 0.7, "beta_z": 0.3, "discrimination": 2.0}
INPUTS = {
    "spikes": counts(BATCH, STEPS, CHANNELS),
    "group": np.array([0, 2, 2, 0, 2], "int32"),  # of group 1 there is no segment
    "count": np.array([2.0, 4.0, 4.0, 2.0, 4.0], "float32"),
}


def make(arguments=None, **params):
    given = {"channels": CHANNELS, "num_groups": GROUPS} | (arguments or {})
    model = models.fhvae(given, SMALL | WEIGHTS | params)
    disturb(model)  # moves every weight, so that no bias is zero
    for weight in model.get_layer("p_z").weights:  # but this is no weight that trains
        weight.assign(tf.zeros_like(weight))
    for latent in ("f", "z"):
        model.get_layer(f"kl_{latent}").beta.assign(WEIGHTS[f"beta_{latent}"])
    return model


def metrics(model, inputs=None):
    """What each term reports, at inference."""
    for metric in model.metrics:
        metric.reset_state()
    model(INPUTS if inputs is None else inputs, training=False)
    return {metric.name: float(metric.result()) for metric in model.metrics}


# The whole loss, by hand.


def lstm(x, kernel, recurrent, bias):
    """States `[batch, time, units]`, gates in the order of Keras."""
    units = len(recurrent)
    h = m = np.zeros([len(x), units])
    states = []
    for t in range(x.shape[1]):
        i, f, c, o = np.split(x[:, t] @ kernel + h @ recurrent + bias, 4, axis=1)
        m = special.expit(f) * m + special.expit(i) * np.tanh(c)
        h = special.expit(o) * np.tanh(m)
        states.append(h)
    return np.stack(states, axis=1)


def kl(loc, scale, prior_loc, prior_scale):
    each = np.log(prior_scale / scale) - 0.5
    each = each + (scale**2 + (loc - prior_loc) ** 2) / (2 * prior_scale**2)
    return each.sum(axis=1)


def by_hand(model, inputs, targets):
    """Each term of section 2 of the paper in numpy, at the means of the posteriors."""
    weights = {layer.name: [w.numpy() for w in layer.weights] for layer in model.layers}

    def two(name, x):
        lower = lstm(x, *weights[f"{name}_0"])
        return lower, lstm(lower, *weights[name])

    def posterior(name, x, init_scale, min_scale):
        last = np.concatenate([states[:, -1] for states in two(f"{name}_encoder", x)], axis=1)
        loc, raw = (last @ weights[f"{name}_{part}"][0] + weights[f"{name}_{part}"][1]
                    for part in ("loc", "scale"))  # fmt: skip
        shift = np.log(np.expm1(init_scale - min_scale))
        return loc, min_scale + np.logaddexp(0, raw + shift)

    spikes, group = inputs["spikes"], inputs["group"]
    table = weights["group_means"][0]
    f, f_scale = posterior("f", spikes, 0.5, 1e-2)
    tiled = np.repeat(f[:, None], STEPS, axis=1)
    z, z_scale = posterior("z", np.concatenate([spikes, tiled], axis=2), 1.0, 1e-3)
    drive = np.repeat(np.concatenate([z, f], axis=1)[:, None], STEPS, axis=1)
    kernel, bias = weights["log_rate"]
    log_rates = two("generator", drive)[1] @ kernel + bias
    naive = -((f[:, None] - table) ** 2).sum(axis=2) / (2 * 0.5**2)
    log_prior = stats.norm(0, 1).logpdf(table[group]).sum(axis=1)
    return {
        "nll": -stats.poisson(np.exp(log_rates)).logpmf(targets).sum(axis=(1, 2)).mean(),
        "kl_f": kl(f, f_scale, table[group], 0.5).mean(),
        "kl_z": kl(z, z_scale, 0.0, 1.0).mean(),
        "group_means": -(log_prior / inputs["count"]).mean(),
        "discrimination": -special.log_softmax(naive, axis=1)[np.arange(BATCH), group].mean(),
    }


def test_every_term_and_the_loss_are_those_of_numpy():
    model = make()
    expected = by_hand(model, INPUTS, INPUTS["spikes"])
    nll = -tf.reduce_mean(model(INPUTS, training=False).log_prob(INPUTS["spikes"]))
    found = metrics(model) | {"nll": float(nll)}
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=2e-5, err_msg=name)
    model.compile(loss=lambda y, likelihood: -likelihood.log_prob(y))
    loss = model.evaluate(INPUTS, INPUTS["spikes"], batch_size=BATCH, verbose=0, return_dict=True)
    weighted = WEIGHTS["beta_f"] * expected["kl_f"] + WEIGHTS["beta_z"] * expected["kl_z"]
    weighted += expected["group_means"] + WEIGHTS["discrimination"] * expected["discrimination"]
    np.testing.assert_allclose(loss["loss"], expected["nll"] + weighted, rtol=2e-5)


@pytest.mark.parametrize("training", [True, False])
def test_four_terms_once_each(training):
    model = make()
    model(INPUTS, training=training)
    assert len(model.losses) == 4
    names = [metric.name for metric in model.metrics if metric.name != "skipped_steps"]
    assert sorted(names) == ["discrimination", "group_means", "kl_f", "kl_z"]


def test_penalties_of_the_kit_leave_the_sample_as_it_is():
    model = make(dip=2.0)
    f, params = (model.get_layer(name).output for name in ("f", "f_params"))
    f, params = tf_keras.Model(model.input, [f, params])(INPUTS, training=False)
    np.testing.assert_allclose(f, params[:, :2], rtol=1e-6)
    model(INPUTS, training=True)
    assert len(model.losses) == 5


# What depends on what.


def test_gradients_reach_every_weight():
    model = make()
    with tf.GradientTape() as tape:
        likelihood = model(INPUTS, training=True)
        loss = tf.add_n([-tf.reduce_mean(likelihood.log_prob(INPUTS["spikes"])), *model.losses])
    for weight, gradient in zip(
        model.trainable_variables, tape.gradient(loss, model.trainable_variables), strict=True
    ):
        assert gradient is not None, weight.name
        assert np.abs(tf.convert_to_tensor(gradient)).max() > 0, weight.name
    assert not any("p_z" in weight.name for weight in model.trainable_variables)


def test_f_is_held_against_the_mean_of_its_own_group():
    model = make(discrimination=0.0)
    table = model.get_layer("group_means").table
    before = metrics(model)["kl_f"]
    table.assign(tf.tensor_scatter_nd_add(table, [[1]], [[3.0, 3.0]]))  # no segment is of it
    assert metrics(model)["kl_f"] == before
    f = tf_keras.Model(model.input, model.get_layer("f_params").output)(INPUTS)[:, :2].numpy()
    each = [f[INPUTS["group"] == group].mean(axis=0) for group in (0, 2)]
    table.assign([each[0], [0.0, 0.0], each[1]])
    own = metrics(model)["kl_f"]
    table.assign([each[1], [0.0, 0.0], each[0]])
    assert own < metrics(model)["kl_f"]


def test_rates_and_latents_do_not_depend_on_the_group():
    model = make()
    others = INPUTS | {"group": np.ones(BATCH, "int32"), "count": np.full(BATCH, 9.0, "float32")}
    np.testing.assert_array_equal(
        model.predict(INPUTS, verbose=0), model.predict(others, verbose=0)
    )


def test_z_sees_the_sample_of_f_and_the_rates_come_of_both():
    model = make()
    f, z = (tf.nest.flatten(model.get_layer(name).output)[0] for name in ("kl_f", "kl_z"))
    inner = tf_keras.Model([f, model.input["spikes"]], model.get_layer("z_params").output)
    some, spikes = tf.zeros([BATCH, 2]), tf.constant(INPUTS["spikes"])
    assert not np.allclose(inner([some, spikes]), inner([some + 1.0, spikes]))
    half = tf_keras.Model([f, z, model.input["spikes"]], model.get_layer("log_rate").output)
    path = tf.zeros([BATCH, 3])
    rates = half([some, path, spikes])
    np.testing.assert_array_equal(rates, half([some, path, 0.0 * spikes]))  # only how many bins
    assert not np.allclose(rates, half([some + 1.0, path, spikes]))
    assert not np.allclose(rates, half([some, path + 1.0, spikes]))


# Training.


@pytest.mark.slow
def test_a_step_compiled_by_xla_is_the_step_without():
    weights = []
    for compiled in (True, False):
        model = make()
        start = [weight.numpy() for weight in model.trainable_variables]
        model.compile(
            tf_keras.optimizers.SGD(0.1),
            loss=lambda y, likelihood: -likelihood.log_prob(y),
            jit_compile=compiled,
        )
        logs = model.train_on_batch(INPUTS, INPUTS["spikes"], return_dict=True)
        assert logs["skipped_steps"] == 0.0 and np.isfinite(logs["loss"])
        weights.append(model.get_weights())
    for a, b in zip(*weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    for a, b in zip(model.trainable_variables, start, strict=True):
        assert not np.array_equal(a, b), a.name


def test_the_table_of_a_fit_is_near_the_closed_form():
    from tfp_bvae.inference import estimate_group_means

    model = make(discrimination=0.0)
    model.get_layer("kl_f").beta.assign(1.0)
    table = model.get_layer("group_means").table
    counted = INPUTS | {"count": np.array([2.0, 3.0, 3.0, 2.0, 3.0], "float32")}
    for layer in model.layers:
        layer.trainable = layer.name == "group_means"
    model.compile(tf_keras.optimizers.SGD(0.5), loss=lambda y, likelihood: -likelihood.log_prob(y))
    model.fit(counted, INPUTS["spikes"], batch_size=BATCH, epochs=100, verbose=0)
    f = tf_keras.Model(model.input, model.get_layer("f_params").output)(INPUTS)[:, :2]
    groups, means = estimate_group_means(f, INPUTS["group"])
    np.testing.assert_allclose(table.numpy()[groups], means, atol=1e-4)


# Settings.


def test_settings_are_those_of_the_paper_and_can_be_changed():
    params = models.fhvae_params()
    assert (params.f_size, params.z_size, params.p_f_scale) == (32, 32, 0.5)
    assert (params.discrimination, params.beta_f, params.beta_z) == (1.0, 1.0, 1.0)
    assert models.fhvae_params({"z_encoder_cell": "gru"}).z_encoder_cell == "gru"
    assert models.Params.of(params.to_dict()) == params
    assert make().hyperparameters["model"] == "fhvae"


def test_the_read_out_starts_at_the_mean_rates():
    rates = np.linspace(0.1, 2.0, CHANNELS)
    model = models.fhvae({"channels": CHANNELS, "num_groups": 1}, SMALL, mean_rates=rates)
    np.testing.assert_allclose(model.get_layer("log_rate").bias, np.log(rates), rtol=1e-6)


def test_masks_and_other_likelihoods_of_the_kit_work():
    model = make({"likelihood": "gaussian", "outputs": 6}, coordinated_dropout=0.3, dropout=0.1)
    assert model(INPUTS, training=True).event_shape[-1] == 6
    assert model.output_shape == (None, None, 6)


@pytest.mark.parametrize(
    "arguments, params, said",
    [
        ({"num_groups": None}, {}, "num_groups must be given for fhvae, got None"),
        ({"num_groups": 0}, {}, "num_groups must be in"),
        ({"forward_bins": 2}, {}, "forward_bins of fhvae must be one of 0, got 2"),
        ({"num_samples": 2}, {}, "num_samples of fhvae must be one of 1, got 2"),
        ({}, {"segment": 2}, "segment of fhvae must be one of 0, got 2"),
        ({}, {"z_prior": "ar1"}, "z_prior of fhvae must be one of 'standard_normal', got 'ar1'"),
        ({}, {"generator_cell": "dense"}, "generator_cell of fhvae must be one of 'clipped_gru'"),
        ({}, {"discrimination": -1.0}, "discrimination must be in"),
    ],
)
def test_what_it_cannot_have_is_refused(arguments, params, said):
    with pytest.raises(ValueError) as error:
        make(arguments, **params)
    assert said in str(error.value)


def test_no_z_is_refused():
    with pytest.raises(ValueError, match="z_size"):
        make(z_size=0)


def test_discrimination_is_refused_where_there_are_no_groups():
    with pytest.raises(ValueError, match=r"discrimination must be 0\.0 in a model without groups"):
        models.lfads({"channels": CHANNELS}, {"discrimination": 1.0})
