"""`report` leaves one page that stands alone, of every model and of whatever a run still holds."""

import json
import re
import shlex
import shutil
from html.parser import HTMLParser

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from tfp_bvae import training
from tfp_bvae.cli.parser import build_parser
from tfp_bvae.cli.settings import part, read_settings
from tfp_bvae.data import SpikeDataset, Split, write_hdf5
from tfp_bvae.models import RECIPES, Arguments, Params
from tfp_bvae.training import FitSettings, fit_command, open_run

HEADINGS = ["How well it does", "Diagnostics", "Pictures", "What was fitted", "To repeat it"]
VOID = {"meta", "link", "img", "br"}


class Page(HTMLParser):
    """What a page holds; elements must be closed in order."""

    def __init__(self, path):
        super().__init__()
        self.size, self.text = path.stat().st_size, path.read_text(encoding="utf-8")
        self.images, self.links, self.headings, self.words, self.open = [], [], [], [], []
        self.tags = set()
        self.feed(self.text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        attrs = dict(attrs)
        self.links += [attrs[name] for name in ("src", "href", "srcset", "action") if name in attrs]
        if tag == "img":
            self.images.append(attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, found):
        if self.open and self.open[-1] in ("h1", "h2"):
            self.headings.append(found)
        if self.open and self.open[-1] != "style":
            self.words.append(found)

    @property
    def said(self):
        """All its words."""
        return " ".join(" ".join(self.words).split())


def checked(run, missing=False) -> Page:
    """The page of a run, that has all that every page has."""
    page = Page(run / "report.html")
    assert page.open == []
    assert page.size < 5e6
    assert all(link.startswith("data:") for link in page.links)
    assert "@import" not in page.text and "url(" not in page.text
    assert "script" not in page.tags
    assert all(len(image["alt"]) > 20 for image in page.images)
    headings = ["What is missing", *HEADINGS] if missing else HEADINGS
    assert page.headings[1:] == headings
    assert not [path for path in run.iterdir() if path.name.startswith(".")]
    return page


@pytest.fixture(scope="session")
def reported(tmp_path_factory, fitted):
    """The shared run with its report."""
    from tfp_bvae.cli import main

    run = shutil.copytree(fitted, tmp_path_factory.mktemp("reported") / "run")
    assert main(["report", str(run)]) == 0
    return run


@pytest.fixture
def copied(fitted, tmp_path):
    return shutil.copytree(fitted, tmp_path / "run")


def test_a_page_says_what_was_fitted_and_how_well(reported):
    page = checked(reported)
    scores = json.loads((reported / "metrics.json").read_text())["valid"]
    assert "LFADS was fitted to 32 training trials of 6 channels: lorenz.h5." in page.said
    assert f"{scores['rate_r2']:.3f}" in page.said
    for method in ("LFADS, this fit", "mean response", "ridge on smoothed", "Poisson GLM", "GPFA"):
        assert method in page.said
    assert len(page.images) >= 8
    assert "not drawn" not in page.said
    assert open_run(reported).data["sha256"] in page.said
    assert "generator_units 8 units of the generator" in page.said


def test_the_model_and_the_methods_are_scored_on_the_same_entries(fitted, dataset):
    from tfp_bvae.plots.report_floors import compare_with_floors
    from tfp_bvae.plots.report_material import gather

    found = open_run(fitted)
    material = gather(found, dataset)
    compared = compare_with_floors(material, glm=False)
    held = training.HeldOut(material.model, dataset.valid, 16, jit_compile=False)
    assert compared.score == pytest.approx(held())
    _, targets, scored = held.batch(np.arange(8))
    mean = (dataset.train.recon.sum(0) + dataset.train.recon.mean((0, 1))) / 33
    from tfp_bvae.metrics import bits_per_spike

    expected = bits_per_spike(
        np.broadcast_to(np.maximum(mean, 1e-3), targets.shape), np.where(scored, targets, np.nan)
    )
    assert compared.floors[0].score == pytest.approx(expected, rel=1e-5)


def test_what_is_missing_is_said_and_the_rest_is_there(copied, call, dataset, tmp_path):
    described = json.loads((copied / "run.json").read_text())
    described["data"]["path"] = str(tmp_path / "gone.h5")
    (copied / "run.json").write_text(json.dumps(described))
    (copied / "model.keras").unlink()
    (copied / "metrics.json").unlink()
    code, out, err = call("report", copied)
    assert (code, err) == (0, "")
    assert "without the data" in out
    page = checked(copied, missing=True)
    for said in ("gone.h5 is gone", "must hold model.keras", "there is no metrics.json"):
        assert said in page.said
    assert {"Factors in two dimensions", "Course of the fit"} <= set(page.words)

    for name in ("posterior.h5", "history.csv"):
        (copied / name).unlink()
    assert call("report", copied).code == 0
    assert "There is nothing to draw." in checked(copied, missing=True).said


def test_a_file_that_is_not_what_was_fitted(copied, call, refused, dataset, tmp_path):
    other = tmp_path / "other.h5"
    write_hdf5(other, SpikeDataset(dataset.train, dataset.valid.select(np.arange(4)), 0.02))
    assert "the data are not those" in refused("report", copied, other)
    described = json.loads((copied / "run.json").read_text())
    described["data"]["path"] = str(other)
    (copied / "run.json").write_text(json.dumps(described))
    assert call("report", copied, "--no-floors").code == 0
    assert "the data are not those" in checked(copied, missing=True).said


def test_hostile_names_are_text(tmp_path, call, settings, dataset):
    name = "<script>alert(1)</script>"
    folder = tmp_path / "a&b<img src=x onerror=alert(2)>"
    folder.mkdir()
    path, run = folder / "d\"'<b>.h5", tmp_path / "run"
    attrs = {f"{side}_condition": np.array([name, r"$\frac{</style>$"] * (n // 2))
             for side, n in (("train", 32), ("valid", 8))}  # fmt: skip
    write_hdf5(path, SpikeDataset(dataset.train, dataset.valid, 0.02, attrs))
    words = ["fit", path, "--out", run, "--epochs", "1", "--quiet", *settings]
    assert call(*words).code == 0
    assert call("report", run, "--no-floors").code == 0
    page = checked(run)
    assert "onerror" not in page.tags and page.tags <= {
        "html", "head", "meta", "link", "title", "style", "body", "main", "h1", "h2", "h3", "div",
        "p", "section", "table", "caption", "thead", "tbody", "tr", "th", "td", "strong", "figure",
        "figcaption", "img", "pre", "code", "ul", "li",
    }  # fmt: skip
    assert str(path) in page.said


SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in ("dsae-full", "dsae-factorized")]


@pytest.mark.parametrize("model", ["lfads", "fhvae", *SLOW])
def test_every_model(model, tmp_path, call, dataset):
    path, run = tmp_path / "d.h5", tmp_path / "run"
    write_hdf5(path, dataset)
    sets = {"f_size": 4, "z_size": 3, "f_encoder_units": 6, "z_encoder_units": 5,
            "generator_units": 8, "batch_size": 16, "jit_compile": "false",
            "warm_up": 1}  # fmt: skip
    if model == "fhvae":
        sets |= {"segment_length": 5}
    words = [w for n, v in sets.items() for w in ("--set", f"{n}={v}")]
    assert call("fit", path, "--model", model, "--out", run, "--epochs", "2", "--quiet",
                *words).code == 0  # fmt: skip
    assert call("report", run, "--stream").code == 0
    page = checked(run)
    assert "not drawn" not in page.said
    assert "Not compared" not in page.said
    assert ": convergence" in page.said
    assert_repeats(run)


def assert_repeats(run):
    """The command, typed again, means the settings that the run has."""
    found = open_run(run)
    words = fit_command(found)
    shown = re.search(r"<code>(.*?)</code>", (run / "report.html").read_text(), re.DOTALL)[1]
    from html import unescape

    assert shlex.split(unescape(shown)) == words
    options = build_parser().parse_args(words[1:])
    given = read_settings(options.model, options.set, epochs=options.epochs, seed=options.seed)
    files = [options.data] if isinstance(options.data, str) else options.data
    assert (options.model, files) == (found.model, [found.data["path"]])
    params = RECIPES[options.model].params(part(given, Params))
    arguments = found.arguments.replace(
        {n: getattr(Arguments(), n) for n in training.provenance.CHOSEN}
    )
    arguments = arguments.replace(part(given, Arguments))
    known = {"arguments": arguments.to_dict(), "params": params.to_dict()}
    assert FitSettings.of(part(given, FitSettings)).resolved(known) == found.fit
    assert params.replace({"learning_rate": found.fit.learning_rate}) == found.params.replace(
        {"learning_rate": found.fit.learning_rate}
    )
    ignored = {"epochs": 1, "batch_size": 1}
    assert arguments.replace(ignored) == found.arguments.replace(ignored)


def test_the_command_repeats_settings_of_every_kind(tmp_path, dataset):
    run = training.create_run(
        tmp_path / "a run", "dsae-full", dataset,
        training.data_arguments(dataset, "negative_binomial", seed=4),
        {"f_size": 5, "beta_f": 1e-5, "learning_rate": 0.0123456789},
        {"epochs": 7, "patience": 3, "beta_schedule": "cyclical"}, tmp_path / "x y.h5",
    )  # fmt: skip
    (run.path / "report.html").write_text(f"<code>{shlex.join(fit_command(run))}</code>")
    assert_repeats(run.path)


def cut(split, bins, channels):
    return Split(split.recon[:, :bins, :channels], split.recon, None, split.truth)


@pytest.mark.parametrize(
    "kind", [pytest.param("both", marks=pytest.mark.slow), "gaussian", "missing"]
)
def test_every_kind_of_data(kind, tmp_path, call, settings, dataset, rng):
    sides, words = [dataset.train, dataset.valid], []
    if kind == "both":
        sides = [cut(side, 8, 4) for side in sides]
    elif kind == "gaussian":
        values = [np.log(s.truth) + 0.1 * rng.normal(size=s.truth.shape) for s in sides]
        sides, words = [Split(v, v) for v in values], ["--set", "likelihood=gaussian"]
    else:
        sides = [gaps(side, rng) for side in sides]
    path, run = tmp_path / "d.h5", tmp_path / "run"
    write_hdf5(path, SpikeDataset(*sides, 0.02))
    assert call("fit", path, "--out", run, "--epochs", "2", "--quiet", *words, *settings).code == 0
    assert call("report", run).code == 0
    page = checked(run)
    assert "not drawn" not in page.said and "Not compared" not in page.said
    expected = {
        "both": "the 2 held-out channels and 2 later bins of",
        "gaussian": "nats/entry",
    }.get(kind, "a random fifth of the entries")
    assert expected in page.said


def gaps(split, rng):
    """Two bins shorter in every third trial, and a tenth of the entries missing."""
    counts = np.where(rng.random(split.recon.shape) < 0.1, np.nan, split.recon)
    length = np.where(np.arange(len(counts)) % 3, 10, 8)
    counts[np.arange(10) >= length[:, None]] = np.nan
    return Split(counts, counts, length=length)


def test_a_report_is_replaced_whole_or_not_at_all(reported, copied, call, monkeypatch):
    from tfp_bvae.plots import report_figures

    (copied / "report.html").write_text("older")
    monkeypatch.setattr(report_figures, "EXPECTED", ())
    monkeypatch.setattr("tfp_bvae.metrics.diagnose_fit", lambda figures: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        call("report", copied, "--no-floors")
    assert (copied / "report.html").read_text() == "older"


def test_what_is_no_run_is_refused(tmp_path, refused):
    assert "must be the folder of a fit, got" in refused("report", tmp_path / "gone")
    (tmp_path / "empty").mkdir()
    assert "without run.json" in refused("report", tmp_path / "empty")
