"""Scores in numpy: spikes, rates, behaviour, disentanglement, swaps, posteriors."""

from .decoding import RidgeDecoder, fit_ridge, ridge_r2
from .evidence import effective_sample_size, importance_weighted_log_likelihood
from .factors import ShuffleBaseline, shuffle_baseline
from .importance import DCIScores, completeness, dci, disentanglement, importance_matrix
from .information import matrix_modularity, mig, modularity, mutual_information, quantile_bins
from .judges import ClassJudge, PathJudge, fit_class_judge, fit_path_judge
from .posterior import CollapseReport, active_units, collapse_report, kl_per_dimension
from .prediction import co_smoothing, forward_prediction
from .probes import CrossProbes, Probe, cross_probes
from .responses import psth, psth_r2, smooth_spikes
from .running import RunningBitsPerSpike, RunningR2
from .separability import explicitness, sap
from .speed import speed_correlation
from .spikes import bits_per_spike, poisson_nll, r2_per_channel, rate_r2
from .swap import JudgedScores, SwapScores, swap_scores
from .velocity import lag_behavior, velocity_lag_scores, velocity_r2

__all__ = [
    "ClassJudge",
    "CollapseReport",
    "CrossProbes",
    "DCIScores",
    "JudgedScores",
    "PathJudge",
    "Probe",
    "RidgeDecoder",
    "RunningBitsPerSpike",
    "RunningR2",
    "ShuffleBaseline",
    "SwapScores",
    "active_units",
    "bits_per_spike",
    "co_smoothing",
    "collapse_report",
    "completeness",
    "cross_probes",
    "dci",
    "disentanglement",
    "effective_sample_size",
    "explicitness",
    "fit_class_judge",
    "fit_path_judge",
    "fit_ridge",
    "forward_prediction",
    "importance_matrix",
    "importance_weighted_log_likelihood",
    "kl_per_dimension",
    "lag_behavior",
    "matrix_modularity",
    "mig",
    "modularity",
    "mutual_information",
    "poisson_nll",
    "psth",
    "psth_r2",
    "quantile_bins",
    "r2_per_channel",
    "rate_r2",
    "ridge_r2",
    "sap",
    "shuffle_baseline",
    "smooth_spikes",
    "speed_correlation",
    "swap_scores",
    "velocity_lag_scores",
    "velocity_r2",
]
