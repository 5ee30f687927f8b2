"""Each diagnosis is made of figures that show it, and not of those that do not."""

import dataclasses

import numpy as np
import pytest

from tfp_bvae.metrics import FitFigures, Thresholds, diagnose_fit

EPOCHS = np.arange(1, 101)
SCORES = 0.3 * (1 - np.exp(-EPOCHS / 10))
LOSSES = 500 + 100 * np.exp(-EPOCHS / 20)


def history(scores=SCORES, losses=LOSSES, **others):
    rows = zip(EPOCHS, scores, losses, strict=True)
    return [
        {"epoch": int(e), "val_heldout": float(s), "loss": float(x), "skipped_steps": 0} | others
        for e, s, x in rows
    ]


def good(**changes):
    """The figures of a fit with nothing to say against."""
    rng = np.random.default_rng(0)
    rates = rng.gamma(2.0, 0.5, size=(5, 20, 4))
    figures = FitFigures(
        history=history(),
        best_epoch=90,
        warm_up=20,
        steps_per_epoch=10,
        kl={"f": np.array([2.0, 1.0]), "z": np.array([5.0])},
        active={"f": np.array([True, True]), "z": np.array([True])},
        betas={"f": 0.1, "z": 0.1},
        score=0.3,
        floors={"mean response": 0.1, "ridge": 0.2},
        reached=0.33,
        reachable=0.35,
        gained=40.0,
        rates=rates,
        data=rng.poisson(rates),
    )
    return dataclasses.replace(figures, **changes)


def levels(figures, **thresholds):
    return {f.about: f.level for f in diagnose_fit(figures, Thresholds(**thresholds))}


def test_a_good_fit_is_left_alone():
    assert set(levels(good()).values()) == {"fine"}
    assert set(levels(good())) == {
        "floors", "collapse of f", "collapse of z", "beta", "overfitting", "convergence", "steps",
        "rates",
    }  # fmt: skip


def test_what_is_not_known_is_not_judged():
    assert diagnose_fit(FitFigures()) == []


falling = np.where(EPOCHS < 40, SCORES, SCORES[39] - 0.002 * (EPOCHS - 40))
flat = np.tile([1.0, 2.0, 3.0, 4.0], (5, 20, 1))


@pytest.mark.parametrize(
    ("changes", "about", "level", "says"),
    [
        ({"score": 0.15}, "floors", "act", "below 1 of 2 simple methods"),
        ({"score": 0.201}, "floors", "look", "level with the best simple method"),
        ({"kl": {"f": np.zeros(2), "z": np.ones(1)}}, "collapse of f", "act", "KL 0.000 nats"),
        ({"kl": {"f": np.ones(2), "z": np.zeros(1)}}, "collapse of z", "act", "is not used"),
        ({"active": {"f": np.arange(64) < 2}}, "collapse of f", "look", "2 of 64"),
        (
            {"kl": {"f": np.array([0.3]), "z": np.array([0.2])}, "score": 0.15},
            "beta", "act", "too strong: the latents tell 0.50 nats",
        ),
        (
            {"kl": {"f": np.array([0.3])}, "reached": 0.1},
            "beta", "act", "the true rates reach 0.350 bits/spike, the model's 0.100",
        ),
        ({"kl": {"f": np.array([90.0])}}, "beta", "look", "too weak"),
        ({"history": history(falling), "best_epoch": 39}, "overfitting", "act", "overfits"),
        ({"history": history(0.003 * EPOCHS), "best_epoch": 100}, "convergence", "act",
         "still getting better"),
        ({"history": history(skipped_steps=0.01)}, "steps", "look", "1 steps of 1000"),
        ({"history": history(skipped_steps=2)}, "steps", "act", "200 steps of 1000"),
        ({"history": [*history(), {"epoch": 101, "val_heldout": -np.inf}]}, "steps", "act",
         "not finite"),
        ({"rates": np.full((5, 20, 4), 1e6)}, "rates", "act", "explode"),
        ({"rates": flat}, "rates", "act", "stand still in channels 0, 1, 2, 3 of 4"),
        ({"rates": np.full((5, 20, 4), np.inf)}, "rates", "act", "not finite"),
        ({"silent": (3, 7)}, "channels", "look", "channels 3, 7"),
    ],
)  # fmt: skip
def test_each_diagnosis(changes, about, level, says):
    found = [f for f in diagnose_fit(good(**changes)) if f.about == about and says in f.says]
    assert [f.level for f in found] == [level]
    assert all(f.advice for f in found)


def test_a_score_that_falls_with_the_training_loss_is_no_overfitting():
    rising = LOSSES[::-1]
    assert levels(good(history=history(falling, rising), best_epoch=39))["overfitting"] == "fine"


def test_one_channel_that_stands_still_is_a_note():
    rates = good().rates.copy()
    rates[..., 2] = 0.7
    assert levels(good(rates=rates))["rates"] == "look"
    assert levels(good(rates=rates, silent=(2,)))["rates"] == "fine"


def test_padding_is_not_judged():
    rates = good().rates.copy()
    rates[2, 15:] = np.nan
    assert levels(good(rates=rates))["rates"] == "fine"


def test_thresholds_are_heeded_and_checked():
    assert levels(good(), collapsed_kl=4.0)["collapse of f"] == "act"
    with pytest.raises(ValueError, match="fall must be above 0"):
        Thresholds(fall=0.0)


def test_what_is_to_be_done_stands_first():
    order = [f.level for f in diagnose_fit(good(score=0.15, silent=(1,)))]
    assert order[:2] == ["act", "look"] and set(order[2:]) == {"fine"}
