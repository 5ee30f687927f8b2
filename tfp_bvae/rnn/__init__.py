"""Recurrent cores: time-major scans with hand-written gradients, and Keras layers on them."""

from tfp_bvae.rnn.batch_parts import part_of_batch
from tfp_bvae.rnn.bidirectional import Bidirectional
from tfp_bvae.rnn.cells import CELLS, Cell
from tfp_bvae.rnn.decoder import LFADSDecoder
from tfp_bvae.rnn.generator import Generator
from tfp_bvae.rnn.kernels import L2Penalty
from tfp_bvae.rnn.lfads_cell import LFADSCell
from tfp_bvae.rnn.lfads_scan import lfads_decoder
from tfp_bvae.rnn.lfads_step import (
    DecoderPath,
    DecoderSequences,
    DecoderStart,
    DecoderWeights,
    LFADSState,
)
from tfp_bvae.rnn.noise import (
    NoiseStream,
    dropout_mask,
    posterior_values,
    standard_normal,
)
from tfp_bvae.rnn.rates import AdjustableRate
from tfp_bvae.rnn.recurrence import Recurrence, recurrent_scan, recurrent_scans
from tfp_bvae.rnn.recurrent import GRU, LSTM, ClippedGRU, SimpleRNN

__all__ = [  # noqa: RUF022 (plainly by letter: names of layers are no constants)
    "AdjustableRate",
    "Bidirectional",
    "CELLS",
    "Cell",
    "ClippedGRU",
    "DecoderPath",
    "DecoderSequences",
    "DecoderStart",
    "DecoderWeights",
    "GRU",
    "Generator",
    "L2Penalty",
    "LFADSCell",
    "LFADSDecoder",
    "LFADSState",
    "LSTM",
    "NoiseStream",
    "Recurrence",
    "SimpleRNN",
    "dropout_mask",
    "lfads_decoder",
    "part_of_batch",
    "posterior_values",
    "recurrent_scan",
    "recurrent_scans",
    "standard_normal",
]
