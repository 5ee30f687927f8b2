"""The matrix products of a training step of LFADS, without which no code can do.

Run as a worker (`turns.py`) by `speed.py`: it does all of them one after the other with numpy's
BLAS, and one large product, which tells the rate that this BLAS can reach.

    python benchmarks/products.py '{"batch": 64, ...}'
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import turns

F_SIZE, Z_SIZE = 64, 4
LARGE = 2048  # rows, inner size and columns of the large product


class Workload(NamedTuple):
    """Sizes of a batch, and of the networks."""

    batch: int
    bins: int
    encoded: int  # bins that the encoders see
    channels: int
    outputs: int
    generator: int
    factors: int
    units: int  # of the encoders and of the controller


WORKLOADS = {
    "lorenz": Workload(64, 50, 50, 30, 30, 64, 20, 64),
    "maze": Workload(256, 45, 35, 137, 182, 200, 100, 64),
    "long": Workload(64, 200, 200, 100, 100, 200, 100, 100),
}


class Product(NamedTuple):
    """A product of `[rows, inner]` and `[inner, columns]`, and how often it is done."""

    rows: int
    inner: int
    columns: int
    times: int = 1

    @property
    def gflop(self) -> float:
        """Multiplications and additions, 1e9."""
        return 2e-9 * self.rows * self.inner * self.columns * self.times


def of_data(work: Workload) -> list[Product]:
    """The forward products that the spikes enter: into the gates of four encoder GRUs."""
    return [Product(work.batch * work.encoded, work.channels, 3 * work.units, 4)]


def of_states(work: Workload) -> list[Product]:
    """All other forward products: what enters them depends on weights."""
    batch, bins, units, generator = work.batch, work.bins, work.units, work.generator
    encoders = [Product(batch, units, 3 * units, 4 * work.encoded)]
    static = [Product(batch, 2 * units, 2 * F_SIZE), Product(batch, F_SIZE, generator)]
    decoder = [
        Product(batch * work.encoded, 2 * units, 3 * units),
        Product(batch, work.factors, 3 * units, bins),
        Product(batch, units, 3 * units, bins),
        Product(batch, units, 2 * Z_SIZE, bins),
        Product(batch, Z_SIZE, 3 * generator, bins),
        Product(batch, generator, 3 * generator, bins),
        Product(batch, generator, work.factors, bins),
        Product(batch * bins, work.factors, work.outputs),
    ]
    return [*encoders, *static, *decoder]


def of_step(work: Workload) -> list[Product]:
    """All products of a training step.

    Backward, the gradient of what came in takes as many products of the same size, but for the
    spikes, whose gradient nobody needs; that of the weights is one product over all time steps.
    """
    found = []
    for product in of_data(work):  # all bins of an encoder are one product already
        rows, inner, columns, times = product
        found += [product, Product(inner, rows, columns, times)]
    for product in of_states(work):
        rows, inner, columns, times = product
        found += [product, Product(rows, columns, inner, times)]
        found += [Product(inner, rows * times, columns)]
    return found


def gflop(work: Workload) -> float:
    """Multiplications and additions in the products of a step, 1e9."""
    return sum(product.gflop for product in of_step(work))


def doing(products: list[Product]) -> Callable[[], None]:
    """A function that does them, one after the other."""
    rng = np.random.default_rng(0)
    made = []
    for rows, inner, columns, times in products:
        shapes = ((rows, inner), (inner, columns), (rows, columns))
        made.append(([rng.standard_normal(shape, np.float32) for shape in shapes], times))

    def run() -> None:
        for (left, right, out), times in made:
            for _ in range(times):
                np.matmul(left, right, out=out)

    return run


def main() -> None:
    work = Workload(**json.loads(sys.argv[1]))
    products = doing(of_step(work))
    single = Product(LARGE, LARGE, LARGE)
    large = doing([single])
    products(), large()

    def measure() -> dict:
        rate = single.gflop / turns.milliseconds(large) * 1e3
        return {"ms": turns.milliseconds(products), "gflop_per_s": rate}

    turns.serve({"gflop": gflop(work)}, measure)


if __name__ == "__main__":
    main()
