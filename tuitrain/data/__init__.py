"""Datasets, in NumPy alone, so that the setup screen can draw them without torch."""

from tuitrain.data.dataset import Dataset, dataset
from tuitrain.data.plane import grid, plane, raw

__all__ = ["Dataset", "dataset", "grid", "plane", "raw"]
