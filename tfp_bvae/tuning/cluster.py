"""Ray for a search: begun where there is none, and asked whether it can do what is wanted."""

from __future__ import annotations

import contextlib
import logging
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

__all__ = ["require_ray", "running_ray"]

REACHED = 10.0  # s until an address must have answered; Ray itself would try for minutes


def require_ray() -> None:
    """Raise ImportError that says how to install Ray, if it is not there."""
    try:
        import ray.tune  # noqa: F401
    except ImportError as error:
        raise ImportError("tuning needs Ray: pip install 'tfp_bvae[tune]'") from error


@contextlib.contextmanager
def running_ray(
    address: str | None, cpus: int, seen: Path, data: Callable[[], Any] | None = None
) -> Iterator[None]:
    """Ray, for as long as this lasts; one that runs already stays as it is.

    Args:
        address: of a cluster, `"auto"` for the one of this machine; None for Ray on this machine
            alone, which ends when the search does.
        cpus: cores that a member needs.
        seen: a folder that all nodes must see.
        data: reads the data, which all nodes must be able to do; None where they need not.

    Raises:
        ConnectionError: there is no cluster at the address.
        ValueError: a node does not see the folder, has no tfp_bvae or cannot read the data, or
            none has so many cores.
    """
    import ray

    begun = not ray.is_initialized()
    if begun:
        try:
            _require_answer(address)
            ray.init(
                address=address or "local",
                include_dashboard=None if address else False,
                log_to_driver=False,
                logging_level=logging.ERROR,
                configure_logging=True,
            )
        except (OSError, ValueError, RuntimeError) as error:
            raise ConnectionError(
                f"address must be that of a Ray cluster that runs, got {address!r}: {error}"
            ) from error
    try:
        _require_nodes(cpus, seen, data)
        yield
    finally:
        if begun:
            ray.shutdown()


def _require_answer(address: str | None) -> None:
    """Raise OSError at once if nobody listens at `host:port`; Ray finds out about its own names."""
    host, colon, port = (address or "").rpartition("://")[2].rpartition(":")
    if colon and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), timeout=REACHED).close()


def _require_nodes(cpus: int, seen: Path, data: Callable[[], Any] | None) -> None:
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    nodes = [node for node in ray.nodes() if node["Alive"]]
    able = [node for node in nodes if node["Resources"].get("CPU", 0) >= cpus]
    if not able:
        most = max((node["Resources"].get("CPU", 0) for node in nodes), default=0)
        raise ValueError(f"cpus must be at most what a node has, {most:.0f}, got {cpus}")
    look = ray.remote(num_cpus=0, max_retries=1)(_look)
    for node in able:
        place = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
        problem = ray.get(look.options(scheduling_strategy=place).remote(str(seen), data))
        if problem:
            raise ValueError(f"node {node['NodeManagerAddress']} {problem}")


def _look(folder: str, data: Callable[[], Any] | None) -> str:
    """What keeps a node from taking part; empty if nothing does."""
    import importlib.util
    from pathlib import Path

    if importlib.util.find_spec("tfp_bvae") is None:
        return "must have tfp_bvae installed, it has not"
    if not Path(folder).is_dir():
        return f"must see {folder}: put the run on a disk that all nodes share"
    try:
        if data is not None:
            data()
    except (OSError, KeyError, ValueError) as error:
        return f"must be able to read the data: {error}"
    return ""
