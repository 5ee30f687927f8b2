"""What is traced and compiled is so once, whatever is left over of the trials at the end."""

from __future__ import annotations

import tf_keras

from tfp_bvae import inference, training
from tfp_bvae.inference.passes import passes_of
from tfp_bvae.models import BetaVAE
from tfp_bvae.training import HeldOut

ODD = {"epochs": 3, "batch_size": 12, "warm_up": 1}  # 32 trials are no multiple of that


def test_three_epochs_trace_one_training_step(dataset, make_model, monkeypatch):
    traced, after_epoch, train_step = [], [], BetaVAE.train_step

    def watched(self, data):
        traced.append(data)
        return train_step(self, data)

    monkeypatch.setattr(BetaVAE, "train_step", watched)
    count = tf_keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: after_epoch.append(len(traced))
    )
    model = make_model()
    training.fit(model, dataset, ODD, verbose=False, callbacks=[count])
    assert len(dataset.train.encod) % ODD["batch_size"]
    assert model.train_tf_function.experimental_get_tracing_count() == 1
    assert len(after_epoch) == 3 and len(set(after_epoch)) == 1


def test_one_validation_step_is_traced(dataset, make_model):
    held_out = HeldOut(make_model(), dataset.valid, batch_size=5)
    assert len(dataset.valid.encod) % 5
    for _ in range(2):
        held_out()
    assert held_out._step.experimental_get_tracing_count() == 1


def test_averaging_traces_each_pass_once(dataset, make_model):
    model = make_model()
    for _ in range(2):
        inference.sample_and_average(
            model, dataset.valid, num_samples=4, batch_size=5, samples_at_once=2
        )
    passes = passes_of(model, "sample")
    assert passes._encode.experimental_get_tracing_count() == 1
    assert passes._decode.experimental_get_tracing_count() == 1
