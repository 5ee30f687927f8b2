"""What is no LFADS of lfads-torch, or has no counterpart here, is refused by name."""

import numpy as np
import pytest
from peer_weights import config_of, weights_of

from tfp_bvae import data
from tfp_bvae.models import from_lfads_torch, lfads_torch_shapes

REFUSED = {
    "a key that is missing": (
        lambda w: w.pop("decoder.rnn.cell.co_linear.bias"), {}, KeyError,
        r"weights must hold 'decoder.rnn.cell.co_linear.bias', of shape \(4,\), which is missing",
    ),
    "an anchor that is missing": (
        lambda w: w.pop("decoder.ic_to_g0.weight"), {}, KeyError, "decoder.ic_to_g0.weight",
    ),
    "no read-out": (
        lambda w: [w.pop(f"readout.0.{x}") for x in ("weight", "bias")], {}, KeyError,
        "weights must hold 'readout.0.weight'",
    ),
    "a key that is unknown": (
        lambda w: w.update({"recon.0.scale": np.ones([2, 5])}), {}, KeyError,
        "those of an LFADS of lfads-torch, got 'recon.0.scale' as well",
    ),
    "a wrong shape": (
        lambda w: w.update({"encoder.ic_linear.bias": np.zeros(7)}), {}, ValueError,
        r"encoder.ic_linear.bias must have shape \(8,\), as the other arrays say, got \(7,\)",
    ),
    "no matrix": (
        lambda w: w.update({"decoder.con_h0": np.zeros(5)}), {}, ValueError,
        r"decoder.con_h0 must have 2 axes, got shape \(5,\)",
    ),
    "a value that is not finite": (
        lambda w: w.update({"readout.0.bias": np.full(5, np.nan)}), {}, ValueError,
        "readout.0.bias must be finite",
    ),
    "text": (
        lambda w: w.update({"readout.0.bias": np.array(["a"] * 5)}), {}, ValueError,
        "readout.0.bias must be an array of real numbers",
    ),
    "a Student's t": (
        lambda w: w.update({"co_prior.loc": w.pop("co_prior.logtaus")}), {}, KeyError,
        "got loc, lognvars: a Student's t is no prior",
    ),
    "another size": (lambda w: None, {"gen_dim": 9}, ValueError, "gen_dim must be 7, as the wei"),
    "a segment": (lambda w: None, {"ic_enc_seq_len": 2}, ValueError, "ic_enc_seq_len must be 0, g"),
    "another floor": (lambda w: None, {"ic_post_var_min": 1e-3}, ValueError, "must be 0.0001, got"),
    "no posterior": (lambda w: None, {"variational": False}, ValueError, "must be True, got"),
    "gamma": (lambda w: None, {"reconstruction": "Gamma"}, ValueError, "must not be 'Gamma': ther"),
    "Gaussian": (
        lambda w: None, {"reconstruction": "Gaussian"}, ValueError,
        "must not be 'Gaussian': its variance follows the factors",
    ),
    "a setting that is unknown": (
        lambda w: None, {"co_lag": 1}, KeyError, "did you mean 'ci_lag'",
    ),
    "no number of bins": (
        lambda w: None, {"kl_ic_scale": 1e-3}, ValueError, "recon_seq_len must be given with kl_ic",
    ),
    "fewer predicted than encoded": (
        lambda w: w.update({"readout.0.bias": np.zeros(4), "readout.0.weight": np.zeros([4, 3])}),
        {}, ValueError, "readout must predict at least what is encoded",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_counterpart_is_refused(name):
    change, config, error, complaint = REFUSED[name]
    weights = weights_of("controller")
    change(weights)
    with pytest.raises(error, match=complaint):
        from_lfads_torch(weights, config)


def test_arguments_must_agree():
    case = "held out, forward, inputs"
    with pytest.raises(ValueError, match="channels must be 5, as the weights"):
        from_lfads_torch(weights_of(case), config_of(case), {"channels": 6})
    with pytest.raises(ValueError, match="forward_bins must be 2"):
        from_lfads_torch(weights_of(case), config_of(case), {"forward_bins": 0})
    with pytest.raises(ValueError, match="ci_enc_dim, con_dim and co_dim must all be 0"):
        lfads_torch_shapes(5, [5], con_dim=0)


def test_a_file_cannot_run_code(tmp_path):
    weights = weights_of("controller")
    weights["readout.0.bias"] = np.array([print], dtype=object)
    np.savez(tmp_path / "weights.npz", **weights)
    with pytest.raises(ValueError, match=r"readout.0.bias must be an array of numbers or strings"):
        from_lfads_torch(tmp_path / "weights.npz")
    with pytest.raises(FileNotFoundError, match="weights must be an npz file that exists"):
        from_lfads_torch(tmp_path / "other.npz")
    with data.memory_limit(100), pytest.raises(ValueError, match="must fit into memory"):
        np.savez(tmp_path / "weights.npz", **weights_of("controller"))
        from_lfads_torch(tmp_path / "weights.npz")
