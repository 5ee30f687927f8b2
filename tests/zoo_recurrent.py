"""Every public layer of `rnn` once, and in its variants."""

import functools

from zoo_parts import (
    DECODED,
    LATENT,
    UNITS,
    Specimen,
    each_step,
    in_rnn,
    path,
    start,
    unequal,
    with_length,
)

from tfp_bvae import rnn

RECURRENT = {
    "Bidirectional": Specimen(
        lambda: rnn.Bidirectional(UNITS, recurrent_l2=0.1), path, lambda b, t: [(b, 2 * UNITS)]
    ),
    "Bidirectional, sequences": Specimen(
        lambda: rnn.Bidirectional(UNITS, return_sequences=True, clip=0.3),
        path, each_step(2 * UNITS),
    ),
    "Bidirectional, unequal trials": Specimen(
        lambda: rnn.Bidirectional(UNITS, return_sequences=True),
        unequal, each_step(2 * UNITS), with_length,
    ),
    "Bidirectional, LSTM": Specimen(
        lambda: rnn.Bidirectional(UNITS, "lstm", return_sequences=True),
        path, each_step(2 * UNITS),
    ),
    "ClippedGRU": Specimen(lambda: rnn.ClippedGRU(UNITS), path, lambda b, t: [(b, UNITS)]),
    "ClippedGRU, backward sequences": Specimen(
        lambda: rnn.ClippedGRU(UNITS, True, go_backwards=True, clip=0.3, recurrent_l2=0.1),
        path, each_step(UNITS),
    ),
    "Generator": Specimen(
        lambda: rnn.Generator(UNITS, factors=3, dropout=0.3, generator_l2=0.1, seed=1),
        functools.partial(start, like=1, ext_input=2),
        each_step(3, UNITS), random="in training",
    ),
    "Generator, autonomous": Specimen(
        lambda: rnn.Generator(UNITS, factors=3, clip=0.3),
        functools.partial(start, like=1), each_step(3, UNITS),
    ),
    "GRU": Specimen(lambda: rnn.GRU(UNITS), path, lambda b, t: [(b, UNITS)]),
    "GRU, unequal trials": Specimen(
        lambda: rnn.GRU(UNITS, go_backwards=True), unequal, lambda b, t: [(b, UNITS)], with_length
    ),
    "GRU, backward sequences": Specimen(
        lambda: rnn.GRU(UNITS, True, go_backwards=True, recurrent_l2=0.1), path, each_step(UNITS)
    ),
    "LFADSCell": Specimen(
        lambda: rnn.LFADSCell(UNITS, 4, 3, LATENT, inject_ext_input_to_gen=False, seed=1),
        lambda b, t: {"controller_input": path(b, t), "ext_input": path(b, t, 2)},
        DECODED, in_rnn, "in training",
    ),
    "LFADSCell, no ext_input": Specimen(
        lambda: rnn.LFADSCell(UNITS, 4, 3, LATENT, clip=0.3), path, DECODED, in_rnn, "in training"
    ),
    "LFADSDecoder": Specimen(
        lambda: rnn.LFADSDecoder(UNITS, 4, 3, LATENT, dropout=0.2, l2=(0.1, 0.2), seed=1),
        functools.partial(start, controller_input=4, ext_input=2),
        DECODED, random="in training",
    ),
    "LFADSDecoder, ext_input to the controller": Specimen(
        lambda: rnn.LFADSDecoder(UNITS, 4, 3, LATENT, inject_ext_input_to_gen=False),
        functools.partial(start, controller_input=4, ext_input=2),
        DECODED, random="in training",
    ),
    "LFADSDecoder, no ext_input": Specimen(
        lambda: rnn.LFADSDecoder(UNITS, 4, 3, LATENT, clip=0.3),
        functools.partial(start, controller_input=4), DECODED, random="in training",
    ),
    "LSTM": Specimen(lambda: rnn.LSTM(UNITS), path, lambda b, t: [(b, UNITS)]),
    "LSTM, backward sequences": Specimen(
        lambda: rnn.LSTM(UNITS, True, go_backwards=True, recurrent_l2=0.1), path, each_step(UNITS)
    ),
    "SimpleRNN": Specimen(
        lambda: rnn.SimpleRNN(UNITS, True, recurrent_l2=0.1), path, each_step(UNITS)
    ),
}  # fmt: skip
