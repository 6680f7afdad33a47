"""Which process trains an experiment, and whether it still lives."""

from __future__ import annotations

from pathlib import Path

import msgspec
import psutil

from tuitrain.record import files

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class ProcessId(msgspec.Struct, frozen=True):
    """A process, told from every other one: pids are used again, this triple is not."""

    pid: int
    started: float
    """Seconds since the machine was booted: does not move with the wall clock."""
    boot: str

    @classmethod
    def of(cls, pid: int) -> ProcessId:
        """Identity of a living process.

        Raises:
            psutil.NoSuchProcess: there is none with this pid.
        """
        return cls(pid, psutil.Process(pid).create_time() - psutil.boot_time(), boot_id())

    def alive(self) -> bool:
        """Whether this very process still runs; a zombie does not.

        One whose threads have not all ended does: the one that writes may be about to commit.
        """
        if self.boot != boot_id():
            return False
        try:
            process = psutil.Process(self.pid)
            if process.status() == psutil.STATUS_ZOMBIE and process.num_threads() < 2:
                return False
            return abs(ProcessId.of(self.pid).started - self.started) < 0.05
        except psutil.NoSuchProcess:
            return False
        except psutil.AccessDenied:
            return True


def boot_id() -> str:
    """Differs after every boot of the machine."""
    if BOOT_ID.exists():
        return BOOT_ID.read_text().strip()
    return str(round(psutil.boot_time()))


def write(path: Path, process: ProcessId) -> None:
    """Records the process at `path`; a reader sees all of it or nothing."""
    files.replace(path, msgspec.json.encode(process))


def read(path: Path) -> ProcessId | None:
    """The process recorded at `path`; None if none is, or the file is not readable."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=ProcessId)
    except (OSError, msgspec.DecodeError):
        return None
