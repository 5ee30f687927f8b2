"""Times of single training steps, as `training.fit` compiles them."""

from __future__ import annotations

import time

import numpy as np
import tensorflow as tf

from tfp_bvae.data import SpikeDataset
from tfp_bvae.models import BetaVAE, model_arrays
from tfp_bvae.training import FitSettings, compile_model


def time_step(
    model: BetaVAE, data: SpikeDataset, settings: FitSettings, repeats: int = 30
) -> dict[str, float]:
    """Seconds to the end of the first step (trace and compile), and ms per later step."""
    inputs, targets = model_arrays(model, data.train)
    size = min(settings.batch_size, len(targets))
    batch = {name: tf.constant(x[:size]) for name, x in inputs.items()}, tf.constant(targets[:size])
    compile_model(model, settings, steps=repeats)
    step = tf.function(model.train_step, jit_compile=settings.jit_compile)
    first = _seconds(step, batch)
    later = [1e3 * _seconds(step, batch) for _ in range(repeats)]
    return {
        "first_step_s": first,
        "step_ms": float(np.median(later)),
        "step_ms_low": float(np.percentile(later, 10)),
        "step_ms_high": float(np.percentile(later, 90)),
    }


def _seconds(step, batch) -> float:
    start = time.perf_counter()
    tf.nest.map_structure(lambda x: x.numpy(), step(batch))
    return time.perf_counter() - start
