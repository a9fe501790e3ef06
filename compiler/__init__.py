"""The compiler: any Ising model, Boltzmann machine or RBM onto a coloured p-bit array in fixed point."""

from .models import RBM, BoltzmannMachine, Hopfield, Ising, MaxCut, Model
from .program import Program, compile, load
from .samples import Samples

__all__ = ["RBM", "BoltzmannMachine", "Hopfield", "Ising", "MaxCut", "Model", "Program", "Samples", "compile", "load"]
