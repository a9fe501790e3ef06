"""Processors and aligned memory."""

from __future__ import annotations

import numpy as np
import pytest

from pbit_hw.sim.native import Processor, aligned, host

ALL = "+avx512f,+avx512bw,+avx512vbmi"


@pytest.mark.parametrize(
    ("features", "permutes"),
    [(ALL, True), ("", False), ("+avx2", False), (f"{ALL},-avx512f", False), ("+avx512f,+avx512bw", False)],
)
def test_permutes(features, permutes):
    assert Processor("any", features).permutes is permutes


def test_host_prefers_wide_vectors():
    assert host().features.endswith("-prefer-256-bit")


@pytest.mark.parametrize("shape", [(0,), (3,), (5, 7), (2, 3, 64)])
@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.uint64])
def test_aligned(shape, dtype):
    array = aligned(shape, dtype)
    assert array.shape == shape
    assert array.dtype == dtype
    assert array.ctypes.data % 64 == 0 or array.size == 0
    assert not array.any()
