"""The Keras model that all recipes make: `fit` that survives, `predict` that gives tensors."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
import tf_keras

from tfp_bvae import checks

__all__ = ["BetaVAE"]


@tf_keras.utils.register_keras_serializable("tfp_bvae")
class BetaVAE(checks.TFKerasOnly, tf_keras.Model):
    """A functional model whose output is the likelihood of the data.

    * A training step whose gradient is not finite changes neither weights nor logged figures,
      and is counted (`skipped_steps` in the logs).
    * Under the policy mixed_float16 the loss is scaled, as Keras does (`LossScaleOptimizer`), so
      that small gradients do not vanish; the steps it takes to find the scale count as skipped.
    * `predict` returns the mean of the likelihood (rates) at the posterior mean.
    * `hyperparameters`, a plain dict, is saved with the model.

    Args:
        inputs, outputs, name: as for `tf_keras.Model`.

    Raises:
        TypeError: if inputs, or what it is called on, are of Keras 3.
    """

    def __init__(self, inputs, outputs, name=None, trainable=True, **kwargs):
        checks.not_keras3("inputs and outputs of the model", [inputs, outputs])
        super().__init__(inputs, outputs, name=name, trainable=trainable, **kwargs)
        self.hyperparameters: dict = {}
        self.skipped_steps = _Count(name="skipped_steps")

    def train_step(self, data):
        gradients, loss, before = self.gradients_of(data)
        finite = tf.math.is_finite(tf.linalg.global_norm(gradients)) & tf.math.is_finite(loss)
        self._apply(gradients, finite)
        for variable, value in before:  # a skipped step leaves no trace in the figures either
            variable.assign(tf.where(finite, variable, value))
        self.skipped_steps.update_state(tf.cast(~finite, tf.float32))
        return {metric.name: metric.result() for metric in self.metrics}

    def gradients_of(self, data):
        """What a training step begins with; the figures of the epoch take it in.

        Args:
            data: a batch, inputs and targets.

        Returns:
            The gradients of the trainable variables, the loss, and each variable behind the
            figures with the value that it had before.
        """
        x, y, sample_weight = tf_keras.utils.unpack_x_y_sample_weight(data)
        before = _values(metric for metric in self.metrics if metric is not self.skipped_steps)
        with tf.GradientTape() as tape:
            likelihood = self(x, training=True)
            if not self.compiled_loss.built:
                self.compiled_loss.build(likelihood)
                before += _values(self.compiled_loss.metrics)
            loss = self.compute_loss(x, y, likelihood, sample_weight)
            scaled = self.optimizer.get_scaled_loss(loss) if self._scales_loss else loss
        gradients = tape.gradient(scaled, self.trainable_variables)
        if self._scales_loss:
            gradients = self.optimizer.get_unscaled_gradients(gradients)
        return gradients, loss, before

    @property
    def _scales_loss(self) -> bool:
        return isinstance(self.optimizer, tf_keras.mixed_precision.LossScaleOptimizer)

    def _apply(self, gradients, finite: tf.Tensor) -> None:
        """One step of the optimiser, unless something is not finite."""

        def step() -> tf.Tensor:
            self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
            return tf.constant(True)

        if not self._scales_loss:
            tf.cond(finite, step, lambda: tf.constant(False))
            return
        # such an optimiser skips the step itself, and must see why, to lower its scale
        gradients = [tf.where(finite, gradient, np.nan) for gradient in gradients]
        step()

    def apply_on_replicas(self, strategy: tf.distribute.Strategy, gradients, finite) -> None:
        """One step of the optimiser on each replica of a strategy, unless something is not finite.

        Args:
            strategy: that the model was built under.
            gradients: of each replica, summed over them already.
            finite: whether all is finite, the same everywhere.
        """

        def step(gradients) -> None:
            self.optimizer.apply_gradients(
                zip(gradients, self.trainable_variables, strict=True),
                skip_gradients_aggregation=True,
            )

        def steps() -> tf.Tensor:
            strategy.run(step, args=(gradients,))
            return tf.constant(True)

        tf.cond(finite, steps, lambda: tf.constant(False))

    def predict_step(self, data):
        x, _, _ = tf_keras.utils.unpack_x_y_sample_weight(data)
        return self(x, training=False).mean()

    def get_config(self):
        return super().get_config() | {"hyperparameters": self.hyperparameters}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = dict(config)
        hyperparameters = config.pop("hyperparameters", {})
        model = super().from_config(config, custom_objects)
        model.hyperparameters = hyperparameters
        return model


class _Count(tf_keras.metrics.Sum):
    """A sum that is the same on all replicas, so that each can be asked for it alone."""

    def add_weight(self, name, initializer=None):
        first = tf.VariableAggregation.ONLY_FIRST_REPLICA
        return super().add_weight(name, aggregation=first, initializer=initializer)


def _values(metrics) -> list[tuple[tf.Variable, tf.Tensor]]:
    """The state of some metrics: each variable with its present value."""
    return [(v, tf.identity(v)) for metric in metrics for v in metric.variables]
