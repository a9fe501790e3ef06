"""pbit-hw: the open toolchain for probabilistic computing."""
