"""The host: devices over a link, and training with the array in the loop."""

from .device import Device
from .likelihood import pseudo_log_likelihood
from .training import ContrastiveDivergence, History, train
from .transport import SerialTransport, Transport

__all__ = [
    "ContrastiveDivergence",
    "Device",
    "History",
    "SerialTransport",
    "Transport",
    "pseudo_log_likelihood",
    "train",
]
