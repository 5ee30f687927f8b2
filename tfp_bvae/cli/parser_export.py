"""What can be typed after `tfp-bvae export`. Nothing heavy is imported here."""

from __future__ import annotations

from tfp_bvae.cli.parser_parts import add_out, add_verb

__all__ = ["FORMATS", "add_export"]

FORMATS = ("netcdf", "zarr", "lfads-torch", "nlb", "csv")


def add_export(verbs) -> None:
    """Add the verb `export`."""
    verb = add_verb(verbs, "export", "write what a run inferred in a form that other tools read")
    verb.add_argument("run_folder", metavar="RUN", help="folder of a fit")
    add_out(verb, "FILE", "the file to write; for zarr, a folder")
    verb.add_argument(
        "--format",
        choices=FORMATS,
        help="netCDF, zarr and csv are labelled; lfads-torch and nlb are HDF5 with the names of "
        "lfads-torch, and of a submission to the Neural Latents Benchmark (what .nc, .zarr or "
        ".csv of FILE says)",
    )
    verb.add_argument(
        "--name", metavar="DATASET", help="of --format nlb: what was fitted, such as mc_maze_20"
    )
    verb.add_argument(
        "--posterior", metavar="P.h5", help="of tfp-bvae infer, instead of RUN/posterior.h5"
    )
    verb.add_argument(
        "--data", metavar="F.h5", help="trials that have the labels, where they have moved"
    )
