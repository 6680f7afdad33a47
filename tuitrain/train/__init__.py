"""Stacked training in PyTorch; nothing outside this package and `tuitrain.worker` needs torch."""

from tuitrain.train.device import device_name, device_uuid, fix_rounding, resolve_device
from tuitrain.train.state import Divergence, TrainState
from tuitrain.train.trainer import Trainer

__all__ = [
    "Divergence",
    "TrainState",
    "Trainer",
    "device_name",
    "device_uuid",
    "fix_rounding",
    "resolve_device",
]
