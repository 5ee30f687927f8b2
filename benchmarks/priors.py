"""Which priors recover an AR(1) from its paths, by the teacher-forced KL and by another one.

    python benchmarks/priors.py [--seeds 0 1 2] [--steps 1500]

Paths of 50 bins and 2 independent dimensions, phi 0.9, variance 1. Each prior is fitted to fresh
paths by `path_kl` between a posterior that is all but the path itself and the prior. Of the fit:
nats per bin and dimension on other paths, to be compared with the entropy of the data, and tau of
paths drawn from the prior.

Beside them, the same with the prior rolled on its own samples, as code in circulation does it: the
steps of the posterior are then compared with a path that has nothing to do with them. The best a
prior can do there is to forget its past.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import tables
import tensorflow as tf
import tf_keras
from tensorflow_probability import distributions as tfd

from tfp_bvae import distributions, layers
from tfp_bvae.rnn import standard_normal

PHI, STEPS, DIM, BATCH = 0.9, 50, 2, 128
TAU, NOISE = -1.0 / np.log(PHI), (1.0 - PHI**2) ** 0.5
POSTERIOR_SCALE = 0.01

PRIORS = {
    "AR(1), diagonal": lambda: layers.AR1Prior(DIM, tau=3.0, innovation_scale=1.0),
    "AR(1), full": lambda: layers.AR1Prior(
        DIM, tau=3.0, innovation_scale=1.0, covariance="full"
    ),
    "GRU": lambda: layers.RecurrentMVNPrior(DIM, 32, "gru"),
    "clipped GRU": lambda: layers.RecurrentMVNPrior(DIM, 32, "clipped_gru"),
    "LSTM": lambda: layers.RecurrentMVNPrior(DIM, 32, "lstm"),
    "simple RNN": lambda: layers.RecurrentMVNPrior(DIM, 32, "simple_rnn"),
}  # fmt: skip
OWN_SAMPLES = ("AR(1), diagonal", "GRU")


def truth(dtype: str = "float32") -> distributions.AR1Process:
    """The process that the data are drawn from."""
    return distributions.AR1Process(
        tf.fill([DIM], tf.constant(TAU, dtype)), tf.constant(NOISE, dtype), STEPS
    )


def paths(count: int, seed) -> tf.Tensor:
    """Paths of the true process, `[count, time, dim]`."""
    return truth().from_noise(standard_normal([count, STEPS, DIM], seed))


def objective(prior, path: tf.Tensor, own_samples: bool, seed) -> tf.Tensor:
    """Nats per trial: the KL of the teacher-forced steps, or of steps that follow own samples."""
    q = tfd.MultivariateNormalDiag(path, POSTERIOR_SCALE * tf.ones([DIM]))
    if own_samples:
        followed = prior.from_noise(standard_normal(tf.shape(path), seed))
        per_step = tfd.kl_divergence(q, prior.conditionals(followed))
        return tf.reduce_mean(tf.reduce_sum(per_step, axis=-1))
    return tf.reduce_mean(distributions.path_kl(q, prior.tensor_distribution, path))


def fit(layer, num_steps: int, seed: int, own_samples: bool) -> None:
    """Adam on fresh paths, its step size falling to zero as a cosine."""
    template = tf.zeros([1, STEPS, 1])
    layer(template)
    rate = tf_keras.optimizers.schedules.CosineDecay(1e-2, num_steps)
    optimizer = tf_keras.optimizers.Adam(rate, global_clipnorm=10.0)
    optimizer.build(layer.trainable_variables)

    @tf.function(jit_compile=True)
    def step(index):
        seeds = tf.random.experimental.stateless_split([seed, index], 2, alg="philox")
        with tf.GradientTape() as tape:
            loss = objective(layer(template), paths(BATCH, seeds[0]), own_samples, seeds[1])
        optimizer.minimize(loss, layer.trainable_variables, tape=tape)

    for index in range(num_steps):
        step(tf.constant(index))


def scores(layer) -> dict:
    """Nats per bin and dimension on other paths, and phi and tau of the prior's own paths."""
    prior = layer(tf.zeros([1, STEPS, 1])).tensor_distribution
    held_out = paths(10_000, [12345, 0])
    lost = tf.reduce_mean(truth().log_prob(held_out) - prior.log_prob(held_out))
    drawn = prior.from_noise(standard_normal([10_000, STEPS, DIM], [54321, 0])).numpy()
    before, after = drawn[:, :-1], drawn[:, 1:]
    phi = float(np.sum(before * after) / np.sum(before**2))
    return {
        "nats": float(entropy() + lost / (STEPS * DIM)),
        "phi": phi,
        "tau": float(-1.0 / np.log(phi)) if phi > 0.0 else 0.0,
    }


def entropy() -> float:
    """Of the data, nats per bin and dimension."""
    return float(truth("float64").entropy()) / (STEPS * DIM)


def run(kind: str, num_steps: int, seed: int, own_samples: bool) -> dict:
    """One fit, and its scores."""
    tf_keras.backend.clear_session()
    tf_keras.utils.set_random_seed(seed)
    layer, start = PRIORS[kind](), time.perf_counter()
    fit(layer, num_steps, seed, own_samples)
    seconds = time.perf_counter() - start
    return {
        "prior": kind, "own_samples": own_samples, "seed": seed, **scores(layer), "fit_s": seconds,
    }  # fmt: skip


def table(runs: list[dict], num_steps: int) -> str:
    """One row for each prior and objective, mean and spread over seeds."""
    rows = [["true process", "", f"{entropy():.4f}", "", f"{PHI:.3f}", f"{TAU:.2f}", "", ""]]
    for own_samples in (False, True):
        for kind in PRIORS:
            found = [r for r in runs if (r["prior"], r["own_samples"]) == (kind, own_samples)]
            if found:
                rows.append(row(kind, "own samples" if own_samples else "teacher-forced", found))
    header = [
        "prior", "KL", "nats per bin and dimension", "above the entropy, %", "phi of its samples",
        "tau of its samples, bins", "off the true tau, %", "fit, s",
    ]  # fmt: skip
    seeds = len({r["seed"] for r in runs})
    rate = 0.5 * np.log(2.0 * np.pi * np.e * NOISE**2)
    note = (
        f"Mean ± SD over {seeds} seeds, {num_steps} steps of {BATCH} paths each. The entropy of "
        f"the data counts the first bin, which has more than the {rate:.4f} nats of later ones.\n"
        f"\n{tables.machine()}.\n"
    )
    return tables.markdown(header, rows) + "\n" + note


def row(kind: str, objective_name: str, found: list[dict]) -> list:
    """The runs of one prior and objective."""
    above = [100.0 * (r["nats"] / entropy() - 1.0) for r in found]
    off = [100.0 * (r["tau"] / TAU - 1.0) for r in found]
    return [
        kind,
        objective_name,
        tables.mean_and_spread([r["nats"] for r in found], 4),
        tables.mean_and_spread(above, 2),
        tables.mean_and_spread([r["phi"] for r in found], 3),
        tables.mean_and_spread([r["tau"] for r in found], 2),
        tables.mean_and_spread(off, 1),
        f"{np.mean([r['fit_s'] for r in found]):.0f}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--only", nargs="+", choices=PRIORS, default=list(PRIORS))
    parser.add_argument("--name", default="priors")
    args = parser.parse_args()
    runs = []
    for seed in args.seeds:  # what there is so far is on disk at any time
        for own_samples in (False, True):
            for kind in args.only:
                if own_samples and kind not in OWN_SAMPLES:
                    continue
                runs.append(run(kind, args.steps, seed, own_samples))
                tables.write(args.name, runs, table(runs, args.steps))


if __name__ == "__main__":
    main()
