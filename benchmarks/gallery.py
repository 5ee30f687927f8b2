"""Draw every figure of the gallery in the documentation once, from two small simulated fits.

    python benchmarks/gallery.py [--keep FILE] [--only NAME ...]

Writes `docs/_static/gallery/*.png`; takes a few minutes. What was fitted is kept in the file, and
taken from it the next time.
"""

from __future__ import annotations

import argparse
import pickle
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from tfp_bvae import data, inference, models, plots, training

OUT = Path(__file__).resolve().parents[1] / "docs" / "_static" / "gallery"
CACHE = Path(__file__).resolve().parent / "cache" / "gallery.pickle"
MOST_BYTES = 80_000  # of a picture
SMALL = {"generator_units": 64, "f_encoder_units": 48, "z_encoder_units": 32, "factors": 12}


def attractor() -> SimpleNamespace:
    """LFADS on eight conditions of a Lorenz system."""
    dataset = data.lorenz(seed=7, num_conditions=8, num_trials=60, num_valid=10)
    arguments, rates = training.data_arguments(dataset), dataset.train.recon.mean((0, 1))
    model = models.lfads(arguments, SMALL | {"f_size": 12}, mean_rates=rates)
    history = training.fit(model, dataset, {"epochs": 80, "warm_up": 10}, verbose=False)
    return SimpleNamespace(
        split=dataset.valid,
        bin_width=dataset.bin_width,
        conditions=dataset.attrs["valid_cond_idx"],
        history=history,
        best=max(history, key=lambda row: row["val_heldout"])["epoch"],
        posterior=inference.sample_and_average(model, dataset.valid, num_samples=20),
        fitted=inference.compare_with_prior(model, dataset.valid),
    )


def oscillator() -> SimpleNamespace:
    """DSAE on trials with a static class, one of eight on a circle, and an oscillator."""
    dataset = data.static_dynamic(seed=1, num_classes=8, num_trials=120, num_valid=20)
    arguments, rates = training.data_arguments(dataset), dataset.train.recon.mean((0, 1))
    params = {"f_size": 8, "z_size": 3, "beta_f": 1.5, "f_encoder_units": 32, "z_encoder_units": 32}
    model = models.dsae(
        arguments, params | {"factors": 12, "coordinated_dropout": 0.0}, mean_rates=rates
    )
    history = training.fit(model, dataset, {"epochs": 40, "warm_up": 10}, verbose=False)
    classes = dataset.attrs["valid_static"]
    return SimpleNamespace(
        split=dataset.valid,
        bin_width=dataset.bin_width,
        conditions=classes,
        history=history,
        posterior=inference.sample_and_average(model, dataset.valid, num_samples=20),
        fitted=inference.compare_with_prior(model, dataset.valid),
        traversal=inference.traverse(model, dataset.valid.select(range(0, 160, 8))),
        swapped=inference.swap_grid(model, dataset.valid, [5, 65, 125]),
    )


# Each line stands on the page of the gallery as it stands here. `a` is the attractor, `o` the
# oscillator.
FIGURES: dict[str, Callable] = {
    "spikes_with_rates": lambda a, o: plots.plot_spikes_with_rates(
        a.split.recon[0], a.posterior.rates[0], a.bin_width
    ),
    "channel": lambda a, o: plots.plot_channel(
        a.posterior.rates[0, :, 9],
        a.bin_width,
        scale=a.posterior.rates_scale[0, :, 9],
        true=a.split.truth[0, :, 9],
        spikes=a.split.recon[0, :, 9],
    ),
    "factors_2d": lambda a, o: plots.plot_factors(a.posterior.factors, conditions=a.conditions),
    "factors_3d": lambda a, o: plots.plot_factors(
        a.posterior.factors, conditions=a.conditions, dims=3, num_trials=2
    ),
    "inputs": lambda a, o: plots.plot_inputs(
        o.posterior.inferred, o.bin_width, scale=o.posterior.inferred_scale, trial=7
    ),
    "inputs_by_condition": lambda a, o: plots.plot_inputs(
        a.posterior.inferred, a.bin_width, conditions=a.conditions
    ),
    "psth": lambda a, o: plots.plot_psth(
        a.split.recon, a.posterior.rates, a.conditions, a.bin_width, smooth=0.02
    ),
    "losses": lambda a, o: plots.plot_losses(a.history, best=a.best),
    "kl": lambda a, o: plots.plot_kl(o.fitted["f"].kl, threshold=0.05, name="f"),
    "posterior": lambda a, o: plots.plot_posterior(
        *o.fitted["f"][:4], kl=o.fitted["f"].kl, threshold=0.05, name="f"
    ),
    "traversals": lambda a, o: plots.plot_traversals(
        o.traversal.values, o.traversal.rates, o.bin_width, dims=[4, 3]
    ),
    "swaps": lambda a, o: plots.plot_swaps(
        o.swapped, o.bin_width, names=["trial 5", "trial 65", "trial 125"]
    ),
    "trials": lambda a, o: plots.figure_of_trials(a.split, a.posterior, a.bin_width, a.history),
}


def write(name: str, drawn: object) -> None:
    """Write a picture, of few colours and so of few bytes."""
    first = drawn if isinstance(drawn, Figure) else np.ravel(drawn)[0].figure
    path = OUT / f"{name}.png"
    first.savefig(path, dpi=130)
    picture = Image.open(path).convert("RGB")
    for colours in (256, 128, 64):  # maps want many
        picture.quantize(colours, dither=Image.Dither.NONE).save(path, optimize=True)
        size = path.stat().st_size
        if size <= MOST_BYTES:
            break
    print(f"{path.name}: {picture.width} x {picture.height}, {size / 1e3:.0f} kB")
    if size > MOST_BYTES:
        raise ValueError(f"{path.name} must be below {MOST_BYTES} bytes, got {size}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, default=CACHE, help="what was fitted")
    parser.add_argument("--only", nargs="+", choices=FIGURES, default=list(FIGURES))
    args = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    args.keep.parent.mkdir(parents=True, exist_ok=True)
    if not args.keep.is_file():
        args.keep.write_bytes(pickle.dumps((attractor(), oscillator())))
    fits = pickle.loads(args.keep.read_bytes())
    for name in args.only:
        write(name, FIGURES[name](*fits))


if __name__ == "__main__":
    main()
