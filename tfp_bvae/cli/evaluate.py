"""`tfp-bvae evaluate`."""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path

from tfp_bvae.cli.scores import infer_parts, read_data_of, score_parts
from tfp_bvae.cli.sessions import read_session
from tfp_bvae.training import open_run

__all__ = ["run"]


def run(options: Namespace) -> None:
    """Print the scores of a fitted model as JSON, and nothing else, on stdout."""
    found = open_run(options.run_folder)
    path = options.data or found.data["path"]
    if path is None:
        raise FileNotFoundError(f"FILE must be given: {found.path} was fitted to data of no file")
    if not Path(path).exists():
        raise FileNotFoundError(f"FILE must be given: the file of {found.path}, {path}, is gone")
    if options.data:
        data = read_session(found, path, options.session, options.stream)
    elif options.session:
        raise ValueError("--session must go with the file that is of that session, got no file")
    else:
        data = read_data_of(found, path, options.stream)
        found.require_same(data)
    model = found.load_model()
    scores = score_parts(model, data, infer_parts(model, data, options.samples))
    print(json.dumps({"run": str(found.path), "data": str(path), **scores}, indent=2))
