"""Datasets, in NumPy alone, so that the setup screen can draw them without torch."""

from tuitrain.data.dataset import Dataset, dataset

__all__ = ["Dataset", "dataset"]
