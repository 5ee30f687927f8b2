"""What a person sees while a model is fitted."""

from __future__ import annotations

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

    def on_epoch_end(self, epoch, logs=None):
        shown = [(SHOWN[name], value) for name, value in logs.items() if name in SHOWN]
        shown = [(name, value) for name, value in shown if name != "skipped" or value]
        self.bar.update(epoch + 1 - self.first, shown)


class StopIfStuck(tf_keras.callbacks.Callback):
    """Raises FloatingPointError when an epoch had no step with a finite gradient."""

    def on_epoch_end(self, epoch, logs=None):
        if logs["skipped_steps"] >= self.params["steps"]:
            raise FloatingPointError(
                f"no step of epoch {epoch + 1} had a finite gradient; "
                "try a lower learning_rate or clip_norm"
            )
