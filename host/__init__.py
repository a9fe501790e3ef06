"""The host: devices over a link, and training with the array in the loop."""

from .ais import AIS, Estimate
from .classification import label_log_probabilities
from .device import Device
from .divergence import ContrastiveDivergence
from .likelihood import (
    free_energies,
    log_likelihood,
    log_partition,
    pseudo_log_likelihood,
    reconstruction_error,
)
from .training import History, Trainer, train
from .transport import SerialTransport, Transport

__all__ = [
    "AIS",
    "ContrastiveDivergence",
    "Device",
    "Estimate",
    "History",
    "SerialTransport",
    "Trainer",
    "Transport",
    "free_energies",
    "label_log_probabilities",
    "log_likelihood",
    "log_partition",
    "pseudo_log_likelihood",
    "reconstruction_error",
    "train",
]
