"""Simulated recordings whose true rates are known."""

from .attractor import lorenz
from .network import chaotic_rnn
from .oscillator import static_dynamic
from .sessions import sessions

__all__ = ["chaotic_rnn", "lorenz", "sessions", "static_dynamic"]
