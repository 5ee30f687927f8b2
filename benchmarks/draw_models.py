"""Draws the graph of each model, as its page in the documentation shows it.

    python benchmarks/draw_models.py [--out docs/_static/models] [--format svg]

Boxes are deterministic, circles distributions; names are those of `model.get_layer`, which a test
holds against the models. The posterior's sample is what goes on, into the generator and into the
prior of the next step.
"""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from graphs import DATA, GENERATION, INFERENCE, STYLE, Graph

HERE = Path(__file__).parent


def draw_lfads() -> Graph:
    """Static side at the left; three bins of the dynamic side, and how it goes on."""
    graph, columns = Graph(12.2, 10.0), (4.35, 7.3, 10.25)
    spikes = _spikes(graph, columns, y=1.35)
    q_f = _static(graph, spikes, x=1.55, y_q=5.0)
    start = graph.box(1.55, 6.35, "initial_state", "$g_0$", width=1.8)
    graph.arrow(q_f, start)

    encoders = [graph.box(x, 2.35, "z_encoder", look=INFERENCE) for x in columns]
    controllers = [
        graph.box(x, 3.95, "controller", f"$c_{t}$", INFERENCE) for t, x in _bins(columns)
    ]
    for t, (seen, encoder) in enumerate(zip(spikes, encoders, strict=True)):
        graph.arrow(seen, encoder, INFERENCE)
        for other in (t - 1, t + 1):
            if 0 <= other < len(columns):
                graph.arrow(encoder, controllers[other], INFERENCE)
    _chain(graph, encoders, INFERENCE, both_ways=True)
    _chain(graph, controllers, INFERENCE)
    graph.name("lag", columns[0] + 1.48, 3.62, INFERENCE[0])

    z = _dynamic(graph, columns, y=5.2)
    states = [graph.box(x, 6.35, "generator", f"$g_{t}$") for t, x in _bins(columns)]
    factors = [graph.box(x, 7.3, "factors", f"$y_{t}$") for t, x in _bins(columns)]
    for c, sample, state, factor in zip(controllers, z, states, factors, strict=True):
        graph.arrow(c, sample, INFERENCE)
        graph.arrow(sample, state)
        graph.arrow(state, factor)
    graph.arrow(start, states[0])
    _chain(graph, states, GENERATION)
    _read_out(graph, columns, factors, y=8.2)
    # the controller sees the factors of the bin before
    sources = [((start.centre[0] + 0.9, 6.2), None), *((f.centre, f) for f in factors[:-1])]
    for (point, factor), controller in zip(sources, controllers, strict=True):
        x, y = controller.centre
        aisle = x - 2.02 if factor else x - 1.85
        corner = (x - 0.75, y)
        begin = (point[0] + 0.75, point[1]) if factor else point
        graph.line(begin, (aisle, begin[1]), (aisle, y + 0.14), look=INFERENCE)
        graph.arrow((aisle, y + 0.14), (corner[0], y + 0.14), INFERENCE)
        bin_before = columns.index(x)
        graph.text(aisle + 0.2, y + 0.36, f"$y_{bin_before}$", size=8.5, color=INFERENCE[0])
    return graph


def draw_dsae(posterior: str = "full") -> Graph:
    """The full posterior, or the factorized one, in which a bin is encoded by itself."""
    is_full = posterior == "full"
    graph, columns = Graph(12.2, 10.2 if is_full else 9.2), (4.35, 7.3, 10.25)
    top = 0.0 if is_full else -1.0
    spikes = _spikes(graph, columns, y=1.35)
    q_f = _static(graph, spikes, x=1.55, y_q=5.2 + top, y_encoder=2.35 if is_full else 1.75)
    encoders = [graph.box(x, 2.75, "z_encoder", look=INFERENCE) for x in columns]
    for seen, encoder in zip(spikes, encoders, strict=True):
        graph.arrow(seen, encoder, INFERENCE)
    last = encoders
    if is_full:
        _chain(graph, encoders, INFERENCE, both_ways=True)
        last = [graph.box(x, 3.85, "z_encoder_2", look=INFERENCE, width=1.7) for x in columns]
        _chain(graph, last, INFERENCE)
        for lower, upper in zip(encoders, last, strict=True):
            graph.arrow(lower, upper, INFERENCE)
        _bus(graph, (2.55, 5.2 + top), 2.02, encoders, INFERENCE, q_f)
    z = _dynamic(graph, columns, y=5.2 + top, recurrent=True)
    for encoder, sample in zip(last, z, strict=True):
        graph.arrow(encoder, sample, INFERENCE)
    hidden = [graph.box(x, 6.6 + top, "generator") for x in columns]
    factors = [graph.box(x, 7.5 + top, "factors", f"$y_{t}$") for t, x in _bins(columns)]
    for sample, state, factor in zip(z, hidden, factors, strict=True):
        graph.arrow(sample, state)
        graph.arrow(state, factor)
    _bus(graph, q_f.centre, 5.98 + top, hidden, GENERATION, q_f)
    _read_out(graph, columns, factors, y=8.4 + top)
    return graph


def draw_fhvae() -> Graph:
    """One segment of a group: a vector f and a vector z, and the bins they are read from."""
    graph = Graph(12.2, 9.3)
    graph.plate(0.15, 0.85, 12.05, 9.15, r"group $i$")
    graph.plate(3.0, 1.3, 11.85, 8.9, r"segment $n = 1 \ldots n_i$")
    seen = graph.circle(7.3, 2.05, "spikes", "$x_{1:T}$", DATA, 0.46, beside=(1.0, 0.0))

    f_lower = graph.box(4.9, 2.95, "f_encoder_0", look=INFERENCE, width=1.7)
    f_upper = graph.box(4.9, 3.85, "f_encoder", look=INFERENCE, width=1.7)
    q_f = graph.circle(4.9, 5.2, "q_f", "$f$", INFERENCE, beside=(-0.44, -0.5))
    z_lower = graph.box(10.0, 2.95, "z_encoder_0", look=INFERENCE, width=1.7)
    z_upper = graph.box(10.0, 3.85, "z_encoder", look=INFERENCE, width=1.7)
    q_z = graph.circle(8.6, 5.2, "q_z", "$z$", INFERENCE, beside=(0.0, -0.62))
    p_z = graph.circle(10.9, 5.2, "p_z", r"$\mathcal{N}(0, I)$", GENERATION, 0.62, (0.0, -0.8))
    for a, b in ((seen, f_lower), (f_lower, f_upper), (f_upper, q_f), (seen, z_lower)):
        graph.arrow(a, b, INFERENCE)
    for a, b in ((z_lower, z_upper), (z_upper, q_z), (q_f, z_lower)):
        graph.arrow(a, b, INFERENCE)
    graph.text(6.9, 4.62, "a sample of $f$", size=7.6, color=INFERENCE[0], ha="left")

    means = graph.circle(1.55, 6.75, "group_means", r"$\mu_i$", GENERATION, beside=(0.0, 0.6))
    p_f = graph.circle(1.55, 5.2, "p_f", "$p(f)$", GENERATION)
    told = graph.box(4.4, 6.75, "discrimination", r"$\log p(i \mid \bar f)$", width=2.2, height=0.8)
    graph.arrow(means, p_f)
    graph.arrow(means, told)
    graph.arrow(q_f, told, INFERENCE)
    graph.kl(q_f, p_f, "kl_f", beside=(0.4, 0.17))
    graph.kl(q_z, p_z, "kl_z")

    latents = graph.box(7.0, 6.3, "latents", "$[z; f]$", width=1.5)
    for q in (q_f, q_z):
        graph.arrow(q, latents)
    lower = graph.box(7.0, 7.2, "generator_0", width=1.7)
    upper = graph.box(7.0, 8.1, "generator", "$y_t$", width=1.7)
    rates = graph.box(9.15, 8.1, "log_rate", r"$\eta_t$")
    output = graph.circle(10.9, 8.1, "likelihood", "$x_t$", DATA, beside=(0.0, -0.62))
    for a, b in ((latents, lower), (lower, upper), (upper, rates), (rates, output)):
        graph.arrow(a, b)
    graph.text(5.1, 8.1, "in each bin $t$", size=7.6, color="#444444")
    graph.key()
    return graph


def _bins(columns):
    return enumerate(columns, start=1)


def _spikes(graph, columns, y):
    spikes = [
        graph.circle(x, y, "spikes", f"$x_{t}$", DATA, radius=0.36, beside=(0.78, 0.0))
        for t, x in _bins(columns)
    ]
    graph.text(columns[-1] + 1.55, y + 3.85, r"$\cdots$", size=12)
    graph.key()
    return spikes


def _static(graph, spikes, x, y_q, y_encoder=2.35):
    """The f encoder, which reads all bins; the posterior and the prior of f."""
    encoder = graph.box(x, y_encoder, "f_encoder", look=INFERENCE)
    floor = spikes[0].centre[1] - 0.58
    for node in spikes:
        u, v = node.centre
        graph.line((u, v - 0.36), (u, floor), look=INFERENCE)
    graph.line((spikes[-1].centre[0], floor), (x, floor), look=INFERENCE, end=encoder)
    q_f = graph.circle(x, y_q, "q_f", "$f$", INFERENCE, beside=(0.46, -0.5))
    graph.arrow(encoder, q_f, INFERENCE)
    p_f = graph.circle(x - 1.05, y_q - 1.35, "p_f", "$p(f)$", GENERATION, 0.4)
    graph.kl(q_f, p_f, "kl_f", beside=(-0.38, 0.16))
    return q_f


def _dynamic(graph, columns, y, recurrent=False):
    """Posterior and prior of each z; the prior is fed the sample of the bin before."""
    found = []
    for t, x in _bins(columns):
        q = graph.circle(x, y, "q_z", f"$z_{t}$", INFERENCE, radius=0.38, beside=(0.5, -0.46))
        p = graph.circle(x - 1.42, y, "p_z", "$p$", GENERATION, radius=0.28, beside=(0.0, -0.44))
        graph.kl(q, p, "kl_z", beside=(0.0, -0.18 if recurrent else 0.18))
        if found:
            graph.arrow(found[-1][0], p)
            if recurrent:
                graph.arrow(found[-1][1], p, bend=-0.4)
        found.append((q, p))
    return [q for q, _ in found]


def _chain(graph, nodes, look, both_ways=False):
    style = "<|-|>" if both_ways else "-|>"
    for a, b in itertools.pairwise(nodes):
        graph.arrow(a, b, look, style=style)
    x, y = nodes[-1].centre
    half = nodes[-1].get_width() / 2
    graph.arrow((x + half, y), (x + half + 0.75, y), look, style=style)


def _bus(graph, start, y, nodes, look, source):
    """One line from a latent, with a branch to each bin."""
    x0, _ = start
    graph.line(start, (x0, y), (nodes[-1].centre[0] - 0.42, y), look=look)
    if start != source.centre:
        graph.line(source.centre, start, look=look)
    for node in nodes:
        u, v = node.centre
        graph.arrow((u - 0.42, y), (u - 0.42, v - 0.31), look)


def _read_out(graph, columns, factors, y):
    for (t, x), factor in zip(_bins(columns), factors, strict=True):
        rate = graph.box(x, y, "log_rate", rf"$\eta_{t}$")
        output = graph.circle(
            x, y + 1.05, "likelihood", f"$x_{t}$", DATA, radius=0.36, beside=(1.02, 0.0)
        )
        graph.arrow(factor, rate)
        graph.arrow(rate, output)


GRAPHS = {
    "lfads": draw_lfads,
    "dsae_full": draw_dsae,
    "dsae_factorized": lambda: draw_dsae("factorized"),
    "fhvae": draw_fhvae,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=HERE.parent / "docs" / "_static" / "models")
    parser.add_argument("--format", default="svg", choices=("svg", "png"))
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    stable = {"metadata": {"Date": None}} if given.format == "svg" else {"dpi": 105}
    for name, draw in GRAPHS.items():
        with matplotlib.rc_context(STYLE):
            draw().figure.savefig(given.out / f"{name}.{given.format}", **stable)


if __name__ == "__main__":
    main()
