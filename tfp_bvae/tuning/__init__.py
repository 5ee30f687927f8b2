"""Search for good hyperparameters, on one machine or many: population based and at random.

Ray Tune does the work, and is imported when a search begins.
"""

from tfp_bvae.tuning.conduct import Tuned
from tfp_bvae.tuning.perturbation import draw, perturb
from tfp_bvae.tuning.search import population_based_training, random_search
from tfp_bvae.tuning.settings import TuneSettings
from tfp_bvae.tuning.space import search_space

__all__ = [
    "TuneSettings",
    "Tuned",
    "draw",
    "perturb",
    "population_based_training",
    "random_search",
    "search_space",
]
