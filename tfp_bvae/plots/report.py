"""The report of a run: one HTML file that stands alone."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfp_bvae.data import SpikeDataset, atomic_file

if TYPE_CHECKING:
    from tfp_bvae.plots.report_floors import Compared
    from tfp_bvae.plots.report_material import Material
    from tfp_bvae.training import Run

__all__ = ["write_report"]


def write_report(
    run: Run | str | os.PathLike[str],
    data: SpikeDataset | None = None,
    without_data: str = "",
    floors: bool = True,
    say: Callable[[str], Any] = lambda line: None,
) -> Path:
    """Write `report.html` into the folder of a run: pictures, scores, diagnostics, the command.

    The page needs nothing beside it, no network and no script. It is made of what the run holds;
    what is missing (the data, the model of a fit that was cut off) is said on it. One that is there
    is replaced, since it can be made again.

    Args:
        run: a fit, or its folder.
        data: what was fitted; None for a report without.
        without_data: why there are none, for the page.
        floors: compare with simple methods too, which takes longest.
        say: is told what is done, a line at a time.

    Returns:
        The file.

    Raises:
        BlockingIOError: another process is writing into the folder.
        FileNotFoundError, ValueError: the folder is not that of a fit.
        ImportError: matplotlib is not installed.
    """
    from tfp_bvae.metrics import diagnose_fit
    from tfp_bvae.plots import html
    from tfp_bvae.plots import report_sections as parts
    from tfp_bvae.plots.report_figures import pictures
    from tfp_bvae.plots.report_floors import figures_of_fit
    from tfp_bvae.plots.report_material import gather
    from tfp_bvae.plots.report_settings import fitted, repeated, title_of
    from tfp_bvae.training import Run, hold_run, open_run

    run = run if isinstance(run, Run) else open_run(run)
    say("reading the run")
    material = gather(run, data, without_data)
    say("comparing with simple methods" if floors else "inferring")
    compared, why_not = _compared(material, floors)
    beside, problem = _beside(material)
    findings = diagnose_fit(figures_of_fit(material, compared, beside))
    say("drawing")
    missing = [*material.missing, *([problem] if problem else [])]
    title = f"Report: {title_of(material)}"
    page = html.page(
        title,
        html.tag("h1", title),
        parts.verdict(material, compared, findings),
        *([html.section("What is missing", html.bullets(missing))] if missing else []),
        parts.how_well(material, compared, why_not),
        parts.diagnosed(findings),
        parts.pictured(pictures(material, beside)),
        fitted(material),
        repeated(material),
    )
    path = run.path / "report.html"
    with hold_run(run.path), atomic_file(path) as written:
        written.write_text(page, encoding="utf-8")
    return path


def _compared(material: Material, floors: bool) -> tuple[Compared | None, str]:
    """The model among simple methods; or why there is no such comparison."""
    from tfp_bvae.plots.report_figures import EXPECTED
    from tfp_bvae.plots.report_floors import compare_with_floors

    if not floors:
        return None, "Not compared, as was asked for."
    if material.model is None or material.valid is None:
        return None, "Not compared: that takes the data and a finished model."
    try:
        return compare_with_floors(material), ""
    except (*EXPECTED, ImportError) as error:
        return None, f"Not compared: {error}."


def _beside(material: Material) -> tuple[dict[str, Any], str]:
    """The posterior of each latent beside its prior; or why it is not known."""
    from tfp_bvae.inference import compare_with_prior
    from tfp_bvae.plots.report_figures import EXPECTED

    if material.model is None or material.valid is None:
        return {}, ""
    # the prior of a group is known for the trials that were fitted
    side = material.train if "group" in material.model.input_names else material.valid
    try:
        return compare_with_prior(material.model, side.split), ""
    except EXPECTED as error:
        return {}, f"KL of each dimension: {error}."
