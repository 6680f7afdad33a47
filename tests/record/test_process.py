from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import psutil
import pytest

from tuitrain.record import process
from tuitrain.record.process import ProcessId


def test_this_process_lives(tmp_path: Path) -> None:
    me = ProcessId.of(os.getpid())
    assert me.alive()
    process.write(tmp_path / "process.json", me)
    assert process.read(tmp_path / "process.json") == me


def test_pid_alone_is_no_identity() -> None:
    me = ProcessId.of(os.getpid())
    assert not msgspec.structs.replace(me, started=me.started - 1).alive()
    assert not msgspec.structs.replace(me, boot="another").alive()


def test_a_zombie_is_dead() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    identity = ProcessId.of(child.pid)
    assert identity.alive()
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # dead, and still a zombie
    assert not identity.alive()
    child.communicate()
    assert not identity.alive()


def test_what_cannot_be_read_is_none(tmp_path: Path) -> None:
    path = tmp_path / "process.json"
    assert process.read(path) is None
    path.write_text("{")
    assert process.read(path) is None


@pytest.mark.skipif(sys.platform != "linux", reason="other systems tell no threads of a zombie")
def test_a_process_lives_until_its_last_thread_has_ended() -> None:
    code = (
        "import ctypes, threading, time\n"
        "threading.Thread(target=time.sleep, args=(60,)).start()\n"
        "print('up', flush=True)\n"
        "ctypes.CDLL(None).pthread_exit(None)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as child:
        assert child.stdout
        child.stdout.readline()
        identity = ProcessId.of(child.pid)
        while psutil.Process(child.pid).status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.01)
        assert identity.alive()
        child.kill()
        while psutil.Process(child.pid).num_threads() > 1:
            time.sleep(0.01)
        assert not identity.alive()
