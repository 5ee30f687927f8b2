"""Fitting: schedules, validation, checkpoints, around Keras' own `fit`."""

from tfp_bvae.training.alignment import align_sessions
from tfp_bvae.training.batches import GroupBatches, TrialBatches
from tfp_bvae.training.checkpoints import Checkpoints, History, read_history, write_history
from tfp_bvae.training.chief import is_chief
from tfp_bvae.training.feed import NextEpoch, as_dataset
from tfp_bvae.training.fit import compile_model, fit
from tfp_bvae.training.hierarchical import HierarchicalSampling
from tfp_bvae.training.holding import hold_run
from tfp_bvae.training.losses import NegativeLogLikelihood
from tfp_bvae.training.model_file import read_model
from tfp_bvae.training.progress import Progress, StopIfStuck
from tfp_bvae.training.provenance import changed_settings, fit_command, software
from tfp_bvae.training.replicas import without_strategy
from tfp_bvae.training.run import Run
from tfp_bvae.training.run_data import data_arguments, fingerprint, mean_rates
from tfp_bvae.training.run_folder import create_run, open_run, update_run
from tfp_bvae.training.schedules import WarmUp, cosine_decay, cyclical, linear, ramped_weights
from tfp_bvae.training.score_keeper import ScoreKeeper
from tfp_bvae.training.settings import FitSettings
from tfp_bvae.training.validation import HeldOut

__all__ = [
    "Checkpoints",
    "FitSettings",
    "GroupBatches",
    "HeldOut",
    "HierarchicalSampling",
    "History",
    "NegativeLogLikelihood",
    "NextEpoch",
    "Progress",
    "Run",
    "ScoreKeeper",
    "StopIfStuck",
    "TrialBatches",
    "WarmUp",
    "align_sessions",
    "as_dataset",
    "changed_settings",
    "compile_model",
    "cosine_decay",
    "create_run",
    "cyclical",
    "data_arguments",
    "fingerprint",
    "fit",
    "fit_command",
    "hold_run",
    "is_chief",
    "linear",
    "mean_rates",
    "open_run",
    "ramped_weights",
    "read_history",
    "read_model",
    "software",
    "update_run",
    "without_strategy",
    "write_history",
]
