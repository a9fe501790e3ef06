import pytest

from pbit_hw.compiler.library import full_adder


@pytest.fixture(scope="session")
def adder():
    """The invertible full adder, five spins."""
    return full_adder()
