"""`tfp-bvae simulate`."""

from __future__ import annotations

from argparse import Namespace

from tfp_bvae.data import SpikeDataset, chaotic_rnn, lorenz, static_dynamic, write_hdf5

__all__ = ["run"]


def run(options: Namespace) -> None:
    """Write a simulated dataset."""
    dataset = SYSTEMS[options.system](options)
    write_hdf5(options.out, dataset)
    print(f"{options.out}: {dataset}")


def _lorenz(options: Namespace) -> SpikeDataset:
    return lorenz(
        options.seed,
        session=options.session,
        num_conditions=options.conditions,
        num_channels=options.channels,
        num_trials=options.trials,
        num_valid=options.valid,
        duration_ms=options.duration,
        bin_width_ms=options.bin_width,
        base_rate=options.base_rate,
    )


def _static_dynamic(options: Namespace) -> SpikeDataset:
    return static_dynamic(
        options.seed,
        num_classes=options.classes,
        num_channels=options.channels,
        num_trials=options.trials,
        num_valid=options.valid,
        num_bins=options.bins,
        bin_width_ms=options.bin_width,
        base_rate=options.base_rate,
    )


def _chaotic_rnn(options: Namespace) -> SpikeDataset:
    return chaotic_rnn(
        options.seed,
        gain=options.gain,
        pulses=options.pulses,
        num_conditions=options.conditions,
        num_channels=options.channels,
        num_trials=options.trials,
        num_valid=options.valid,
        num_bins=options.bins,
        normalize=options.normalize,
    )


SYSTEMS = {"chaotic-rnn": _chaotic_rnn, "lorenz": _lorenz, "static-dynamic": _static_dynamic}
