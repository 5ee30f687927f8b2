"""What of some data cannot be used: counted, said once, and kept with the rest."""

from __future__ import annotations

import warnings
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import checks
from .container import require_trials

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["SetAside", "drop_silent", "listed"]

SHOWN = 5  # names in a sentence
CHANCE = 20.0  # spikes: a trial of so many on average is silent by chance once in 5e8
STACK = 3  # from where a warning is raised to who called a public function


class SetAside:
    """Sentences of what was set aside, in the order in which it was found.

    >>> aside = SetAside()
    >>> aside.add(2, "channel", "without a spike", ["a", "b"])
    >>> aside.add(0, "trial", "out of range")
    >>> str(aside)
    '2 channels without a spike (a, b)'
    """

    def __init__(self) -> None:
        self._found: list[str] = []

    def __str__(self) -> str:
        return "; ".join(self._found)

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, count: int, what: str, why: str, which: Collection[Any] = ()) -> None:
        """Note that so many were set aside; nothing if there are none."""
        if count:
            plural = what if count == 1 else f"{what}s"
            names = f" ({listed(which)})" if len(which) else ""
            self._found.append(f"{count} {plural} {why}{names}")

    def warn(self, name: str, did: str = "set aside", stack: int = STACK) -> None:
        """Warn of all of it in one line, if there is any."""
        if self:
            warnings.warn(f"{name}: {did} {self}", stacklevel=stack)


def listed(names: Collection[Any]) -> str:
    """The first few of some names, and that there are more.

    >>> listed(range(8))
    '0, 1, 2, 3, 4, ...'
    """
    shown = [str(name) for name in list(names)[:SHOWN]]
    return ", ".join([*shown, "..."] if len(names) > SHOWN else shown)


def drop_silent(data: xr.Dataset, silent: str = "drop") -> xr.Dataset:
    r"""Leave out channels and trials in which nothing was recorded, with a warning that counts.

    - A trial, or a channel, without any observed value.
    - A channel that has no spike in any trial: a dead electrode, of which nothing can be learned.
    - A trial without a spike on any channel, where that is no chance: where trials have at least
      20 spikes on average (a Poisson count of mean 20 is 0 with probability $e^{-20}$).

    Args:
        data: labelled trials.
        silent: "drop"; or "keep" silent channels and trials, to leave the channels of a file as
            they are for a model that knows them, and only say how many there are. What was never
            observed goes in either case, but for channels.

    Returns:
        The trials that stay; `attrs["set_aside"]` says what went, after what it said before.

    Raises:
        ValueError: nothing stays, or `silent` is another word.

    >>> import warnings
    >>> from tfp_bvae.data import trials_dataset
    >>> data = trials_dataset(np.ones([4, 5, 3]) * [1, 0, 1], 0.02)
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     dropped = drop_silent(data)
    >>> dict(dropped.sizes), dropped.attrs["set_aside"]
    ({'trial': 4, 'time': 5, 'channel': 2}, '1 channel without a spike (1)')
    """
    require_trials(data, counts=False)
    checks.one_of("silent", silent, ("drop", "keep"))
    data, aside, kept = drop_silent_of(data, silent)
    aside.warn("data")
    kept.warn("data", "kept")
    return with_set_aside(data, aside)


def drop_silent_of(data: xr.Dataset, silent: str) -> tuple[xr.Dataset, SetAside, SetAside]:
    """The trials that stay, what went, and what is silent and stays."""
    aside, kept = SetAside(), SetAside()
    observed = ~np.isnan(data["spikes"].values)
    empty = ~observed.any(axis=(1, 2))
    aside.add(int(empty.sum()), "trial", "without any observed value", data.trial.values[empty])
    data, observed = data.isel(trial=~empty), observed[~empty]
    if not data.sizes["trial"]:
        raise ValueError("data must hold a trial with an observed value, got none")
    spikes = np.abs(np.nan_to_num(data["spikes"].values))
    dead = spikes.sum(axis=(0, 1)) == 0
    still = spikes.sum(axis=(1, 2)) == 0
    if spikes.sum() < CHANCE * max(np.sum(~still), 1):
        still[:] = False
    if dead.all():
        raise ValueError("data must hold a spike, got none in any trial")
    note = kept if silent == "keep" else aside
    note.add(int(dead.sum()), "channel", "without a spike", data.channel.values[dead])
    note.add(int(still.sum()), "trial", "without a spike", data.trial.values[still])
    if silent == "drop":
        data = data.isel(trial=~still, channel=~dead)
    return data, aside, kept


def with_set_aside(data: xr.Dataset, aside: SetAside) -> xr.Dataset:
    """The same, with what went added to what it says of itself."""
    before = str(data.attrs.get("set_aside", ""))
    text = "; ".join(part for part in (before, str(aside)) if part)
    return data.assign_attrs(set_aside=text) if text else data
