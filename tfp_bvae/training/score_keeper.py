"""Keeps the best weights of a fit."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
import tf_keras

from tfp_bvae.training.validation import HeldOut

__all__ = ["ScoreKeeper"]

SMOOTHING = 0.7  # weight of the newest score, as in LFADS


class ScoreKeeper(tf_keras.callbacks.Callback):
    """Validates at the end of epochs, and keeps the weights of the best smoothed score.

    A score counts only once the warm-up is over: before, the objective is another one. All that
    is kept is made of variables (`state`), so that a checkpoint saves it.

    Args:
        model: the model, built.
        held_out: the score.
        warm_up: epochs before scores count.
        every: epochs between validations.
        patience: epochs without improvement before the fit stops; None for never.
    """

    def __init__(
        self,
        model: tf_keras.Model,
        held_out: HeldOut,
        warm_up: int,
        every: int = 1,
        patience: int | None = None,
    ):
        super().__init__()
        self.held_out, self.warm_up = held_out, warm_up
        self.every, self.patience = every, patience
        self.state = {
            "best": tf.Variable(-np.inf, trainable=False),
            "smoothed": tf.Variable(np.nan, trainable=False),
            "best_epoch": tf.Variable(-1, trainable=False),
            "weights": [tf.Variable(w, trainable=False) for w in model.weights],
        }

    def on_epoch_end(self, epoch, logs=None):
        last = epoch + 1 == self.params["epochs"]
        if (epoch + 1) % self.every and not last:
            return
        score, before = self.held_out(), float(self.state["smoothed"])
        smoothed = score if np.isnan(before) else SMOOTHING * score + (1 - SMOOTHING) * before
        self.state["smoothed"].assign(smoothed)
        logs["val_heldout"] = score
        if epoch + 1 < self.warm_up and not last:
            return
        best_epoch = int(self.state["best_epoch"])
        if smoothed > float(self.state["best"]) or best_epoch < 0:
            self._keep(epoch, smoothed)
        elif self.patience and epoch - best_epoch >= self.patience:
            self.model.stop_training = True

    def _keep(self, epoch: int, score: float) -> None:
        self.state["best"].assign(score)
        self.state["best_epoch"].assign(epoch)
        for kept, weight in zip(self.state["weights"], self.model.weights, strict=True):
            kept.assign(weight)

    def restore_best(self) -> None:
        """Gives the model the best weights."""
        for kept, weight in zip(self.state["weights"], self.model.weights, strict=True):
            weight.assign(kept)
