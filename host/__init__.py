"""The host: devices over a link, and training with the array in the loop."""

from .ais import AIS, Estimate
from .callbacks import EarlyStopping
from .classification import label_log_probabilities
from .device import Device
from .divergence import ContrastiveDivergence
from .inference import classify, infer
from .likelihood import (
    free_energies,
    log_likelihood,
    log_partition,
    pseudo_log_likelihood,
    reconstruction_error,
)
from .metering import Cost, Meter
from .training import History, Trainer, train
from .transport import SerialTransport, Transport
from .unlearning import Minima, count_minima, unlearn

__all__ = [
    "AIS",
    "ContrastiveDivergence",
    "Cost",
    "Device",
    "EarlyStopping",
    "Estimate",
    "History",
    "Meter",
    "Minima",
    "SerialTransport",
    "Trainer",
    "Transport",
    "classify",
    "count_minima",
    "free_energies",
    "infer",
    "label_log_probabilities",
    "log_likelihood",
    "log_partition",
    "pseudo_log_likelihood",
    "reconstruction_error",
    "train",
    "unlearn",
]
