"""The errors of the project: one line each, naming the value, the limit and the way out."""


class PbitError(Exception):
    """Base of every error that pbit-hw raises on purpose; the command line prints it in one line."""


class ModelError(PbitError, ValueError):
    """A model is malformed: NaN, wrong shape, an edge to nowhere."""


class FormatError(PbitError, ValueError):
    """A value does not fit its fixed-point format."""


class ImageError(PbitError):
    """A compiled image or its file is damaged, foreign, or of another version."""


class FitError(PbitError):
    """A program does not fit a board."""


class RequestError(PbitError, ValueError):
    """A run was asked for that the array cannot do."""


class LinkError(PbitError):
    """The link to a device failed: timeout, CRC, short read, refusal. No data is returned."""


class DigestMismatchError(LinkError):
    """The device holds another array than the program was compiled for."""


class ToolError(PbitError):
    """A tool of the build chain is missing or failed."""


class CheckpointError(PbitError):
    """A checkpoint of training is missing, damaged, or of another run."""
