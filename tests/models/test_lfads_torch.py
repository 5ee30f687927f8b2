"""Models of lfads-torch as this package: what its own modules put out, to 1e-5."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from peer_weights import ARRAYS, CASES, config_of, sessions_of, weights_of
from scipy.special import gammaln

from tfp_bvae.models import from_lfads_torch, lfads_torch_shapes

WITH_CONTROLLER = [case for case in CASES if "alone" not in case and "no contr" not in case]
SAMPLES = ("ic_mean", "ic_std", "gen_init", "gen_states", "factors")
OF_CONTROLLER = ("co_means", "co_stds", "con_states")


def theirs(case: str, name: str) -> np.ndarray:
    """An output of all sessions, one after the other."""
    return np.concatenate([ARRAYS[f"{case}/{name}/{s}"] for s in range(sessions_of(case))])


def inputs_of(case: str, model) -> dict:
    """Inputs as the model wants them; channels that a session lacks are zeros."""
    counts = [ARRAYS[f"{case}/encod_data/{s}"] for s in range(sessions_of(case))]
    channels = model.hyperparameters["arguments"]["channels"]
    wide = [np.pad(x, [(0, 0), (0, 0), (0, channels - x.shape[2])]) for x in counts]
    inputs = {"spikes": np.concatenate(wide), "ext_input": theirs(case, "ext_input")}
    inputs["session"] = np.repeat(np.arange(len(counts)), [len(x) for x in counts])
    return {name: tf.constant(inputs[name]) for name in model.input_names}


@pytest.fixture(scope="module")
def converted():
    """Each model, and what it makes of the inputs on its way to the rates: once for all tests."""
    found = {}

    def of(case):
        if case not in found:
            model = from_lfads_torch(weights_of(case), config_of(case))
            parts = [model.get_layer(name).output for name in ("f_params", "initial_state")]
            parts.append(model.get_layer("generator").output)
            inputs = inputs_of(case, model)
            f_params, start, out = tf_keras.Model(model.inputs, parts)(inputs)
            q_f = model.get_layer("q_f")(f_params)
            ours = {"ic_mean": q_f.mean(), "ic_std": q_f.stddev(), "gen_init": start}
            ours |= {"gen_states": out["generator"], "factors": out["factors"]}
            if "inferred" in out:
                ours |= {"co_means": out["inferred_loc"], "co_stds": out["inferred_scale"]}
                ours["con_states"] = out["controller"]
            found[case] = model, ours, model(inputs), q_f
        return found[case]

    return of


def assert_same(ours, theirs):
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("case", CASES)
def test_latents_and_states_are_the_same(case, converted):
    _, ours, _, _ = converted(case)
    for name in (*SAMPLES, *(OF_CONTROLLER if case in WITH_CONTROLLER else ())):
        assert_same(ours[name], theirs(case, name))
    assert np.mean(np.abs(ours["gen_states"]) > 0.79) > 0.01  # the clip counts


@pytest.mark.parametrize("case", CASES)
def test_rates_are_the_same(case, converted):
    model, _, likelihood, _ = converted(case)
    rates, channels = likelihood.mean().numpy(), model.hyperparameters["arguments"]["channels"]
    first = 0
    for session in range(sessions_of(case)):
        wanted = ARRAYS[f"{case}/output_params/{session}"]
        seen = ARRAYS[f"{case}/encod_data/{session}"].shape[2]
        places = [*range(seen), *range(channels, channels + wanted.shape[2] - seen)]
        assert_same(rates[first : first + len(wanted)][:, :, places], wanted)
        first += len(wanted)
    assert first == len(rates)


@pytest.mark.parametrize("case", CASES)
def test_the_kl_of_the_static_latent_is_the_same(case, converted):
    model, _, _, q_f = converted(case)
    p_f = model.get_layer("p_f")(model.get_layer("f_params").output)
    p_f = model.get_layer("p_f").distribution(p_f)
    assert_same(np.mean(q_f.kl_divergence(p_f)), ARRAYS[f"{case}/ic_kl"])


@pytest.mark.parametrize("case", WITH_CONTROLLER)
def test_the_prior_of_the_dynamic_latent_is_the_same(case, converted):
    model, ours, _, _ = converted(case)
    p_z, path = model.get_layer("p_z").distribution(ours["co_means"]), ours["co_means"]
    if f"{case}/co_log_prob" in ARRAYS:
        assert_same(p_z.log_prob(path), ARRAYS[f"{case}/co_log_prob"])
        return
    variance = p_z.stddev()[:1] ** 2  # theirs is a mean over bins, ours a sum
    scale = ours["co_stds"]
    terms = np.log(variance / scale**2) + (scale**2 + (path - p_z.mean()) ** 2) / variance - 1
    assert_same(0.5 * terms.numpy().sum(-1).mean(), ARRAYS[f"{case}/co_kl"])


@pytest.mark.parametrize("case", [case for case in CASES if sessions_of(case) == 1])
def test_the_likelihood_is_the_same_but_for_what_does_not_depend_on_the_model(case, converted):
    _, _, likelihood, _ = converted(case)
    x, wanted = theirs(case, "recon_data"), ARRAYS[f"{case}/recon/0"]
    ours = -likelihood.distribution.log_prob(x).numpy()
    if "squared" in case:
        assert_same(ours - 0.5 * np.log(np.pi), wanted)
        return
    several = np.maximum(x, 1)
    stirling = several * np.log(several) - several + 0.5 * np.log(2 * np.pi * several)
    assert_same(ours - gammaln(x + 1), wanted - np.where(x > 1, stirling, 0.0))


def test_it_saves_and_loads_and_its_gradients_are_finite(converted, tmp_path):
    case = "held out, forward, inputs"
    model, _, likelihood, _ = converted(case)
    model.save(tmp_path / "model.keras")
    again = tf_keras.models.load_model(tmp_path / "model.keras", compile=False, safe_mode=True)
    inputs = inputs_of(case, model)
    np.testing.assert_array_equal(again(inputs).mean(), likelihood.mean())
    with tf.GradientTape() as tape:
        likelihood = again(inputs, training=True)
        targets = theirs(case, "recon_data")
        loss = tf.add_n([-tf.reduce_mean(likelihood.log_prob(targets)), *again.losses])
    gradients = tape.gradient(loss, again.trainable_variables)
    assert all(np.all(np.isfinite(tf.convert_to_tensor(gradient))) for gradient in gradients)


def test_a_file_holds_settings_beside_the_weights(tmp_path):
    case = "controller"
    config = {f"hyper_parameters.{k}": v for k, v in config_of(case).items()}
    np.savez(tmp_path / "weights.npz", **weights_of(case), **config)
    model = from_lfads_torch(tmp_path / "weights.npz", {"ci_lag": 3}, {"bin_width": 0.005})
    params, arguments = (model.hyperparameters[name] for name in ("params", "arguments"))
    assert (params["lag"], params["clip"], params["dropout"]) == (3, 0.8, 0.1)
    assert arguments["bin_width"] == 0.005
    entries = 7 * 5
    assert params["beta_f"] == pytest.approx(1e-3 * entries)
    assert params["beta_z"] == pytest.approx(2e-3 * entries)


def test_weights_of_the_loss_are_converted():
    config = config_of("controller") | {"cd_rate": 0.5, "cd_pass_rate": 0.2, "lr_init": 1e-3}
    config |= {"l2_gen_scale": 0.1, "l2_con_scale": 0.2}
    params = from_lfads_torch(weights_of("controller"), config).hyperparameters["params"]
    entries, penalised = 7 * 5 / 0.6, 3 * 7**2 + 3 * 5**2
    assert params["beta_f"] == pytest.approx(1e-3 * entries)
    assert params["l2_generator"] == pytest.approx(0.1 * entries / penalised)
    assert params["l2_controller"] == pytest.approx(0.2 * entries / penalised)
    assert (params["coordinated_dropout"], params["coordinated_pass"]) == (0.5, 0.2)
    assert params["learning_rate"] == 1e-3


def test_settings_of_a_fit_to_come_go_before_what_is_converted():
    given = {"beta_f": 0.25, "dropout": 0.0}
    model = from_lfads_torch(weights_of("sessions"), config_of("sessions"), params=given)
    params = model.hyperparameters["params"]
    assert (params["beta_f"], params["dropout"]) == (0.25, 0.0)
    assert model.hyperparameters["aligned_by"] == "none"  # a fit does not start them anew
    with pytest.raises(KeyError, match=r"params must be one of 'beta_f'.* got 'factors'"):
        from_lfads_torch(weights_of("sessions"), config_of("sessions"), params={"factors": 3})


def test_a_prior_that_is_averaged_over_bins_has_a_smaller_beta(converted):
    model, *_ = converted("held out, forward, inputs")
    assert model.hyperparameters["params"]["beta_z"] == pytest.approx(2e-3 * 8)
    assert model.hyperparameters["params"]["beta_f"] == pytest.approx(1e-3 * 8 * 9)


def test_sessions_without_a_read_in_have_the_identity():
    shapes = lfads_torch_shapes(3, [4, 3], ic_enc_dim=4, ci_enc_dim=0, con_dim=0, co_dim=0)
    rng = np.random.default_rng(0)
    model = from_lfads_torch({key: rng.normal(size=shape) for key, shape in shapes.items()})
    kernels = model.get_layer("input_factors").kernels
    np.testing.assert_array_equal(kernels, np.tile(np.eye(3), [2, 1, 1]))


@pytest.mark.parametrize("case", CASES)
def test_the_shapes_of_the_keys_are_known(case):
    weights, config = weights_of(case), config_of(case)
    names = ("ic_enc_dim", "ci_enc_dim", "con_dim", "co_dim", "ic_dim", "gen_dim", "fac_dim")
    several = sessions_of(case) > 1
    shapes = lfads_torch_shapes(
        config["encod_data_dim"],
        [weights[f"readout.{s}.weight"].shape[0] for s in range(sessions_of(case))],
        [weights[f"readin.{s}.weight"].shape[1] for s in range(2)] if several else (),
        ext_input_dim=config["ext_input_dim"],
        co_prior="normal" if "co_prior.mean" in weights else "ar1",
        **{name: config[name] for name in names},
    )
    idle = {key for key in weights if key.startswith("co_prior") and not config["co_dim"]}
    assert shapes == {key: x.shape for key, x in weights.items() if key not in idle}
