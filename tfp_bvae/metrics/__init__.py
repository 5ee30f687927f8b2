"""Scores in numpy: spikes, rates, behaviour, disentanglement, swaps, posteriors."""

from .decoding import RidgeDecoder, fit_ridge, ridge_r2
from .diagnose import diagnose_fit
from .diagnostics import Finding, FitFigures, Thresholds
from .evidence import effective_sample_size, importance_weighted_log_likelihood
from .factors import ShuffleBaseline, shuffle_baseline
from .floors import Floor, floor_scores
from .hidden import Hidden, mean_response, smooth_observed
from .importance import DCIScores, completeness, dci, disentanglement, importance_matrix
from .information import matrix_modularity, mig, modularity, mutual_information, quantile_bins
from .judges import ClassJudge, PathJudge, fit_class_judge, fit_path_judge
from .posterior import CollapseReport, active_units, collapse_report, kl_per_dimension
from .prediction import co_smoothing, forward_prediction
from .probes import CrossProbes, Probe, cross_probes
from .readouts import poisson_read_out, ridge_read_out
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
    "Finding",
    "FitFigures",
    "Floor",
    "Hidden",
    "JudgedScores",
    "PathJudge",
    "Probe",
    "RidgeDecoder",
    "RunningBitsPerSpike",
    "RunningR2",
    "ShuffleBaseline",
    "SwapScores",
    "Thresholds",
    "active_units",
    "bits_per_spike",
    "co_smoothing",
    "collapse_report",
    "completeness",
    "cross_probes",
    "dci",
    "diagnose_fit",
    "disentanglement",
    "effective_sample_size",
    "explicitness",
    "fit_class_judge",
    "fit_path_judge",
    "fit_ridge",
    "floor_scores",
    "forward_prediction",
    "importance_matrix",
    "importance_weighted_log_likelihood",
    "kl_per_dimension",
    "lag_behavior",
    "matrix_modularity",
    "mean_response",
    "mig",
    "modularity",
    "mutual_information",
    "poisson_nll",
    "poisson_read_out",
    "psth",
    "psth_r2",
    "quantile_bins",
    "r2_per_channel",
    "rate_r2",
    "ridge_r2",
    "ridge_read_out",
    "sap",
    "shuffle_baseline",
    "smooth_observed",
    "smooth_spikes",
    "speed_correlation",
    "swap_scores",
    "velocity_lag_scores",
    "velocity_r2",
]
