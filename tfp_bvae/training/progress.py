"""What a person sees while a model is fitted."""

from __future__ import annotations

import time

import tf_keras

__all__ = ["Progress", "StopIfStuck"]

SHOWN = {
    "loss": "loss",
    "kl_f": "kl_f",
    "kl_z": "kl_z",
    "val_heldout": "held-out",
    "skipped_steps": "skipped",
}


class Progress(tf_keras.callbacks.Callback):
    """One bar over all epochs, with the time that is left and the newest figures.

    The first step of a fit is compiled, which takes longer than many epochs: the time that is left
    goes by the other steps (with one step per epoch, from the second epoch on).

    Args:
        epochs: how many there will be.
        first: how many are behind.
    """

    def __init__(self, epochs: int, first: int = 0):
        super().__init__()
        self.bar = tf_keras.utils.Progbar(
            epochs - first, unit_name="epoch", stateful_metrics=list(SHOWN.values())
        )
        self.first = first
        self._steps: list[float] = []  # when the first and the newest step of this fit ended
        self._count = 0

    def on_train_batch_end(self, batch, logs=None):
        self._steps = [*self._steps[:1], time.time()]
        self._count += 1

    def on_epoch_end(self, epoch, logs=None):
        shown = [(SHOWN[name], value) for name, value in logs.items() if name in SHOWN]
        shown = [(name, value) for name, value in shown if name != "skipped" or value]
        if epoch == self.first and self._count > 1:
            without_first = (self._steps[1] - self._steps[0]) * self._count / (self._count - 1)
            self.bar._start = time.time() - without_first
        self.bar.update(epoch + 1 - self.first, shown)


class StopIfStuck(tf_keras.callbacks.Callback):
    """Raises FloatingPointError when an epoch had no step with a finite gradient.

    Unless the loss is scaled (mixed_float16) and the scale can still fall.
    """

    def on_epoch_end(self, epoch, logs=None):
        optimizer = self.model.optimizer
        scaled = isinstance(optimizer, tf_keras.mixed_precision.LossScaleOptimizer)
        if scaled and optimizer.dynamic and float(optimizer.loss_scale) > 1.0:
            return
        if logs["skipped_steps"] >= self.params["steps"]:
            raise FloatingPointError(
                f"no step of epoch {epoch + 1} had a finite gradient; "
                "try a lower learning_rate or clip_norm"
            )
