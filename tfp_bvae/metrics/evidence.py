"""How likely data are under a latent-variable model, from weighted samples of its posterior."""

from __future__ import annotations

import numpy as np

from .factors import finite


def importance_weighted_log_likelihood(log_weights: np.ndarray) -> np.ndarray:
    r"""The importance-weighted bound on the log-likelihood of each trial.

    $$\log \hat p(x) = \log \frac{1}{S} \sum_{s=1}^S e^{w_s}, \qquad
      w_s = \log p(x, h_s) - \log q(h_s \mid x), \quad h_s \sim q(h \mid x)$$

    In expectation at or below the log-likelihood, and the nearer to it the more samples there are;
    of one sample it is the evidence lower bound. The largest weight is taken out before the
    exponential, so that weights of any size are added without overflow.

    Args:
        log_weights: $w$, in nats, `[sample, trial]`.

    Returns:
        Nats, `[trial]`.

    Raises:
        ValueError: `log_weights` has other axes, no sample, or a value that is not finite.

    Burda, Grosse and Salakhutdinov (2016), "Importance weighted autoencoders".

    >>> importance_weighted_log_likelihood(np.log([[1.0, 5.0], [3.0, 5.0]])).round(4)
    array([0.6931, 1.6094])
    """
    log_weights = finite("log_weights", log_weights, 2)
    largest = log_weights.max(axis=0)
    return largest + np.log(np.exp(log_weights - largest).mean(axis=0))


def effective_sample_size(log_weights: np.ndarray) -> np.ndarray:
    r"""How many samples of equal weight would be worth as much as these.

    $$S_\mathrm{eff} = \frac{\left(\sum_s e^{w_s}\right)^2}{\sum_s e^{2 w_s}}$$

    From 1, where one sample has all the weight, to S, where all weigh the same. Near 1 the bound
    of `importance_weighted_log_likelihood` rests on one sample, and more of them would raise it.

    Args:
        log_weights: in nats, `[sample, trial]`.

    Returns:
        Samples, `[trial]`.

    Raises:
        ValueError: as `importance_weighted_log_likelihood`.

    Kong (1992), "A note on importance sampling using standardized weights".

    >>> effective_sample_size([[0.0, 0.0], [0.0, -99.0], [0.0, -99.0]]).round(4)
    array([3., 1.])
    """
    log_weights = finite("log_weights", log_weights, 2)
    weights = np.exp(log_weights - log_weights.max(axis=0))
    return np.square(weights.sum(axis=0)) / np.square(weights).sum(axis=0)
