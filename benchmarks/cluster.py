"""A search on a Ray cluster of two nodes, one of which is killed in its middle.

    python benchmarks/cluster.py [--generations 6] [--kill-at 3]

Both nodes are of this machine (`ray.cluster_utils.Cluster`), with a core each, and a member trains
on each of them. Once a generation is complete, the second node is removed without a word. The
search must end all the same, with every member in every generation. An undisturbed search with the
same seed follows, to say whether what was found is the same. Writes `results/cluster.md`.
"""

from __future__ import annotations

import argparse
import contextlib
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import tables

from tfp_bvae import data, training, tuning

PARAMS = {"factors": 3, "generator_units": 8, "f_encoder_units": 6, "f_size": 4, "z_size": 1}
FIT = {"warm_up": 2, "batch_size": 16, "jit_compile": False}


@contextlib.contextmanager
def two_nodes() -> Iterator:
    """A cluster of two nodes with a core each; the second can be removed."""
    import ray
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    second = cluster.add_node(num_cpus=1)
    ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
    try:
        yield cluster, second
    finally:
        ray.shutdown()
        cluster.shutdown()


def search(settings: dict, kill_at: int | None) -> dict:
    """One search; what happened in it, with the seconds since it began."""
    dataset = data.synthetic.lorenz(
        seed=0, num_conditions=4, num_channels=6, num_trials=10, num_valid=2, duration_ms=200
    )
    begun, events = time.monotonic(), []

    def happened(what: str) -> None:
        events.append([round(time.monotonic() - begun, 1), what])

    with tempfile.TemporaryDirectory() as folder, two_nodes() as (cluster, second):
        path = Path(folder) / "run"
        arguments = training.data_arguments(dataset)
        run = training.create_run(path, "lfads", dataset, arguments, PARAMS, FIT)
        killed = []

        def show(line: str) -> None:
            happened(" ".join(line.split()))
            generation = line.split()[0].partition("/")[0]
            if kill_at is not None and generation == str(kill_at) and not killed:
                killed.append(threading.Thread(target=kill))
                killed[0].start()

        def kill() -> None:
            cluster.remove_node(second, allow_graceful=False)
            happened("the second node is killed")

        found = tuning.population_based_training(run, dataset, settings, show=show)
        for thread in killed:
            thread.join()
        happened("the search ends")
        files = sorted(file.name for file in path.iterdir())
    return {"events": events, "score": found.score, "rows": found.table, "files": files}


def text(disturbed: dict, undisturbed: dict, settings: dict) -> str:
    """What happened, and whether it mattered."""
    rows = [[f"{seconds:.0f}", what] for seconds, what in disturbed["events"]]
    known = [(row["generation"], row["member"]) for row in disturbed["rows"]]
    numbers = range(1, settings["generations"] + 1), range(settings["population"])
    whole = sorted(known) == [(g, m) for g in numbers[0] for m in numbers[1]]
    same = all(
        {n: x for n, x in mine.items() if n != "seconds"}
        == {n: x for n, x in its.items() if n != "seconds"}
        for mine, its in zip(disturbed["rows"], undisturbed["rows"], strict=True)
    )
    alike = "the same" if same else "not the same"
    return (
        tables.markdown(["s", "what happened"], rows)
        + f"\nEvery member has a row for every generation: {'yes' if whole else 'no'}. The best "
        f"score is {disturbed['score']:.6f}, that of the undisturbed search "
        f"{undisturbed['score']:.6f}; all scores, parents and hyperparameters are {alike}. "
        f"Left in the folder: {', '.join(disturbed['files'])}. {tables.machine()}.\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--population", type=int, default=4)
    parser.add_argument("--generations", type=int, default=6)
    parser.add_argument("--epochs-per-generation", type=int, default=2)
    parser.add_argument("--kill-at", type=int, default=3, help="once this generation is complete")
    parser.add_argument("--name", default="cluster")
    args = parser.parse_args()
    settings = {
        "population": args.population,
        "generations": args.generations,
        "epochs_per_generation": args.epochs_per_generation,
        "patience": None,
    }
    disturbed, undisturbed = search(settings, args.kill_at), search(settings, None)
    runs = [{"killed": True, **disturbed}, {"killed": False, **undisturbed}]
    tables.write(args.name, runs, text(disturbed, undisturbed, settings))


if __name__ == "__main__":
    main()
