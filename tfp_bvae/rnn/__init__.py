"""Recurrent cores: time-major scans with hand-written gradients, and Keras layers on them."""

from tfp_bvae.rnn.cells import CELLS, Cell, recurrent_scan
from tfp_bvae.rnn.decoder import Generator, LFADSDecoder
from tfp_bvae.rnn.gru import BidirectionalClippedGRU, ClippedGRU
from tfp_bvae.rnn.gru_scan import clipped_gru
from tfp_bvae.rnn.kernels import L2Penalty
from tfp_bvae.rnn.lfads_scan import (
    DecoderPath,
    DecoderSequences,
    DecoderStart,
    DecoderWeights,
    lfads_decoder,
)
from tfp_bvae.rnn.noise import NoiseStream, dropout_mask, posterior_values, standard_normal

__all__ = [
    "CELLS",
    "BidirectionalClippedGRU",
    "Cell",
    "ClippedGRU",
    "DecoderPath",
    "DecoderSequences",
    "DecoderStart",
    "DecoderWeights",
    "Generator",
    "L2Penalty",
    "LFADSDecoder",
    "NoiseStream",
    "clipped_gru",
    "dropout_mask",
    "lfads_decoder",
    "posterior_values",
    "recurrent_scan",
    "standard_normal",
]
