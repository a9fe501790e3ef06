"""``python -m pbit_hw.cli``."""

from . import main

main()
