"""What a model says of trials as one labelled `xarray.Dataset`: names, times, units."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

import tfp_bvae
from tfp_bvae.data import SpikeDataset, session_part, to_splits
from tfp_bvae.inference.labels import (
    DIMS,
    VALUES,
    FittedRun,
    Labels,
    ModelFacts,
    counted_labels,
    known_labels,
    labels_of_trials,
    require_trials_of,
)
from tfp_bvae.inference.posterior import Posterior
from tfp_bvae.models import BetaVAE

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["label_parts", "posterior_dataset"]

MEANING = {
    "rates": "expected spikes per bin",
    "factors": "factors, low-dimensional summary of the rates",
    "inferred": "dynamic latent (inferred inputs)",
    "f": "static latent: location of its posterior",
    "initial_state": "initial state of the generator",
}


def posterior_dataset(
    model: BetaVAE | FittedRun,
    posteriors: Mapping[str, Posterior],
    data: SpikeDataset | xr.Dataset | None = None,
) -> xr.Dataset:
    """Rates, factors and latents with their uncertainty, labelled with times, names and units.

    Args:
        model: what gave the posteriors; or its run.
        posteriors: by the name of the split, `"train"` or `"valid"`.
        data: the trials, which have labels: a dataset, or the labelled trials that it was made of.
            None: trials, bins and channels are counted from 0.

    Returns:
        A dataset with dims trial, time, channel, factor, latent_z, latent_f, unit. Variables
        `rates` (spikes per bin), `factors`, `inferred`, `f`, `initial_state`, as a `Posterior` has
        them, and their standard deviations as `..._scale`. Coordinates are those of
        `data.trials_dataset`: `time` (s, left edges), `channel`, `held_out`, `forward`, `trial`,
        `split`, `condition`, `session` and whatever else each trial has. Bins after the end of a
        trial are NaN, and so are rates of channels that its session does not have. Trials stand
        split by split.

    Raises:
        TypeError: `model` is no model and no run, or `posteriors` is no mapping.
        ValueError: another split, or `data` has other trials, bins or channels.

    >>> from tfp_bvae.data import lorenz
    >>> from tfp_bvae.inference import posterior_mean
    >>> from tfp_bvae.models import lfads
    >>> data, model = lorenz(num_conditions=1), lfads({"channels": 30})
    >>> found = posterior_dataset(model, {"valid": posterior_mean(model, data.valid)}, data)
    >>> dict(found.rates.sizes), found.rates.attrs["units"], found.split.values[0]
    ({'trial': 4, 'time': 50, 'channel': 30}, 'spikes per bin', 'valid')
    """
    import xarray as xr

    if not isinstance(posteriors, Mapping):
        kind = type(posteriors).__name__
        raise TypeError(f'posteriors must be by split, such as {{"valid": posterior}}, got {kind}')
    if data is not None:
        data = data if isinstance(data, SpikeDataset) else to_splits(data)
        require_trials_of(data, {side: len(found.rates) for side, found in posteriors.items()})
    parts = ((side, slice(0, len(found.rates)), found) for side, found in posteriors.items())
    found = list(label_parts(model, parts, data))
    if not found:
        raise ValueError("posteriors must hold that of at least one split, got none")
    if len(found) == 1:
        return found[0]
    # trials of the splits one after the other; all else is the same
    return xr.concat(found, "trial", data_vars="minimal", coords="minimal", compat="override",
                     join="override")  # fmt: skip


def label_parts(
    model: BetaVAE | FittedRun,
    parts: Iterable[tuple[str, slice, Posterior]],
    data: SpikeDataset | xr.Dataset | None = None,
) -> Iterator[xr.Dataset]:
    """`posterior_dataset` of some trials at a time, for more of them than memory holds.

    Args:
        model: what gave the posteriors; or its run.
        parts: split, trials of it and their posterior, such as `StoredPosterior.parts` gives them.
        data: the trials, which have labels, or None.

    Yields:
        A dataset of each part.

    Raises:
        TypeError: `model` is no model and no run.
        ValueError: another split, or `data` has other trials, bins or channels.

    >>> import numpy as np
    >>> from tfp_bvae.models import lfads
    >>> posterior = Posterior(*np.ones([2, 4, 5, 1]), *np.ones([2, 4, 1]))
    >>> parts = [("train", slice(0, 4), posterior)]
    >>> [part.rates.shape for part in label_parts(lfads({"channels": 1}), parts)]
    [(4, 5, 1)]
    """
    facts = ModelFacts.of(model)
    if data is not None and not isinstance(data, SpikeDataset):
        data = to_splits(data)
    labels: dict[str, Labels] = {}
    for side, trials, posterior in parts:
        if side not in labels:
            labels[side] = {} if data is None else known_labels(facts, data, side)
        coords = labels[side] or counted_labels(facts, side, trials, posterior.rates.shape)
        if data is not None:
            posterior = _of_own_channels(posterior, data, side, trials)
        yield _labelled(facts, posterior, labels_of_trials(coords, trials, bool(labels[side])))


def _of_own_channels(
    posterior: Posterior, data: SpikeDataset, side: str, trials: slice
) -> Posterior:
    """Rates of channels that the session of a trial does not have mean nothing: they are NaN."""
    if getattr(data, side).session is None:
        return posterior
    session, shape = getattr(data, side).session[trials], posterior.rates.shape
    own = np.zeros((len(session), 1, data.train.recon.shape[2]), bool)
    for number in np.unique(session):
        _, channels = session_part(data, side, int(number))
        own[np.ix_(session == number, [0], channels)] = True
    if own.shape[::2] != shape[::2]:
        return posterior  # which is refused for it
    names = [name for name in ("rates", "rates_scale") if getattr(posterior, name) is not None]
    cut = {name: np.where(own, getattr(posterior, name), np.float32(np.nan)) for name in names}
    return dataclasses.replace(posterior, **cut)


def _labelled(facts: ModelFacts, posterior: Posterior, coords: Labels) -> xr.Dataset:
    import xarray as xr

    for axis, name in enumerate(("trial", "time", "channel")):
        wanted, got = len(coords[name][1]), posterior.rates.shape[axis]
        if wanted != got:
            raise ValueError(f"posteriors must have the {wanted} {name}s of data, got {got}")
    variables = {}
    for name, array in posterior.arrays().items():
        quantity = name.removesuffix("_scale")
        variables[name] = (DIMS[quantity], array, _attrs(facts, name, posterior))
    attrs = {
        "title": "posterior of trials",
        "source": f"tfp_bvae {tfp_bvae.__version__}",
        "model": facts.name,
        "likelihood": facts.arguments["likelihood"],
        "bin_width": facts.arguments["bin_width"],
        "bin_width_units": "s",
    }
    found = xr.Dataset(variables, coords, attrs)
    found["time"].attrs |= {"units": "s", "long_name": "left edge of the bin"}
    return found


def _attrs(facts: ModelFacts, name: str, posterior: Posterior) -> dict[str, str]:
    """Unit and meaning of a variable, and where its uncertainty stands."""
    quantity = name.removesuffix("_scale")
    meaning = MEANING[quantity]
    if quantity == "rates" and facts.rates_unit == VALUES:
        meaning = "mean of the data"
    if name == "f_scale":
        meaning = "static latent: scale (standard deviation) of its posterior"
    elif name != quantity:
        meaning = f"standard deviation over posterior samples of: {meaning}"
    found = {"long_name": meaning, "units": facts.rates_unit if quantity == "rates" else "1"}
    if name == quantity and getattr(posterior, f"{name}_scale") is not None:
        found["ancillary_variables"] = f"{name}_scale"
    return found
