"""`tfp-bvae infer`."""

from __future__ import annotations

import sys
from argparse import Namespace

from tfp_bvae.cli.recording import read_recording
from tfp_bvae.cli.scores import infer_parts, posterior_file
from tfp_bvae.cli.sessions import of_session, read_session
from tfp_bvae.data import write_arrays
from tfp_bvae.inference import infer_recordings
from tfp_bvae.inference.report import RATES_UNIT
from tfp_bvae.training import Run, open_run

__all__ = ["run"]


def run(options: Namespace) -> None:
    """Write the posterior of each split of a file, or of a continuous recording."""
    found = open_run(options.run_folder)
    if options.window is not None:
        _infer_recording(found, options)
        return
    data = read_session(found, options.data, options.session, options.stream)
    for note in data.attrs.get("read_notes", "").splitlines():
        print(f"tfp-bvae: note: {note}", file=sys.stderr)
    model = found.load_model()
    with posterior_file(options.out, data) as write:
        for side, trials, part in infer_parts(model, data, options.samples):
            write(side, trials, of_session(found, options.session, part))
    count = f"{data.train.num_trials} train, {data.valid.num_trials} valid"
    print(f"{options.out}: {count} trials")


def _infer_recording(found: Run, options: Namespace) -> None:
    if options.session is not None:
        raise ValueError("--session must go with trials, got --window as well")
    recording, _ = read_recording(options.data, options.key)
    model = found.load_model()
    (arrays,) = infer_recordings(
        model, recording, options.window, options.overlap, num_samples=options.samples
    )
    attrs = {"rates_unit": RATES_UNIT, "bin_width": found.arguments.bin_width}
    write_arrays(options.out, arrays, attrs)
    print(f"{options.out}: {len(recording)} bins")
