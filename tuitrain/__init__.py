"""Watch neural networks learn, from a terminal."""

__version__ = "0.1.0"
