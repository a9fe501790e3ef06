"""What every sampler inherits, on one that records what it is asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from pbit_hw.contract.errors import LinkError
from pbit_hw.contract.image import Image
from pbit_hw.contract.request import Batch, Request, call_seed
from pbit_hw.contract.sampler import Sampler


class StubProgram:
    """A program whose samples are the batch itself."""

    def __init__(self, image: Image) -> None:
        self.image = image

    def request(self, *, seed: int, sweeps: int = 1, **options: Any) -> Request:
        ones = np.ones((1, self.image.size), np.uint8)
        return Request(np.full(sweeps, 512, np.int32), np.array([sweeps]), seed, ones, ones[0], ones)

    def decode(self, batch: Batch, request: Request) -> tuple[Batch, Request]:
        return batch, request

    def reweighted(self, couplings: npt.ArrayLike, biases: npt.ArrayLike) -> StubProgram:
        return StubProgram(self.image.with_weights(np.asarray(couplings), np.asarray(biases)))


class Recorder(Sampler):
    """Records loads and runs; refuses while ``broken``."""

    broken = False

    def _load_image(self, image: Image) -> None:
        self.log = [*getattr(self, "log", []), ("image", image)]
        self._refuse()

    def _load_weights(self, image: Image) -> None:
        self.log.append(("weights", image))
        self._refuse()

    def run(self, request: Request) -> Batch:
        self._refuse()
        return Batch(np.zeros((1, 1, 7), np.uint8), 0, 0)

    def _refuse(self) -> None:
        if self.broken:
            raise LinkError("broken")


def test_a_sampler_loads_its_program(image: Image) -> None:
    program = StubProgram(image)
    sampler = Recorder(program, seed=5)
    assert sampler.program is program
    assert sampler.log == [("image", image)]


def test_every_run_draws_from_its_own_streams(image: Image) -> None:
    sampler = Recorder(StubProgram(image), seed=5)
    seeds = [sampler.sample(3)[1].seed for _ in range(10)]
    assert seeds == [call_seed(5, call) for call in range(10)]
    assert len(set(seeds)) == 10


def test_a_run_that_fails_is_not_counted(image: Image) -> None:
    sampler = Recorder(StubProgram(image), seed=5)
    sampler.broken = True
    with pytest.raises(LinkError):
        sampler.sample(3)
    sampler.broken = False
    assert sampler.sample(3)[1].seed == 5


def test_new_weights_are_streamed_and_the_array_stays(image: Image) -> None:
    sampler = Recorder(StubProgram(image))
    sampler.set_weights(-image.weights, np.zeros(7, np.int32))
    assert [what for what, _ in sampler.log] == ["image", "weights"]
    assert np.array_equal(sampler.program.image.weights, -image.weights)
    assert sampler.program.image.digest == image.digest


def test_a_load_that_fails_leaves_the_program(image: Image) -> None:
    program = StubProgram(image)
    sampler = Recorder(program)
    sampler.broken = True
    with pytest.raises(LinkError):
        sampler.load(StubProgram(image))
    with pytest.raises(LinkError):
        sampler.set_weights(-image.weights, np.zeros(7, np.int32))
    assert sampler.program is program
