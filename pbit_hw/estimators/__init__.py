"""Restricted Boltzmann machines as scikit-learn estimators, trained with a p-bit array in the loop.

    from pbit_hw.estimators import BoltzmannClassifier, PbitRBM
    features = PbitRBM(n_components=64, random_state=0).fit_transform(images)
    digits = BoltzmannClassifier(random_state=0).fit(images, labels).predict(images)

They need scikit-learn (``pip install pbit-hw[learn]``).
"""

from .classifier import BoltzmannClassifier
from .rbm import PbitRBM

__all__ = ["BoltzmannClassifier", "PbitRBM"]
