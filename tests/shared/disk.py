"""A disk that can be full: a file system of its own where we may mount one."""

import os
import subprocess

import psutil
from line import eventually


class Disk:
    """A folder on a file system in memory that grows up to `size` bytes; until `close`.

    Where mounting is not allowed it is a plain folder, and a limit on the size of files stands in:
    the process that writes gets EFBIG instead of ENOSPC, by the same calls.
    """

    def __init__(self, folder, size):
        self.folder = folder
        self._size = size
        folder.mkdir(parents=True, exist_ok=True)
        self.mounted = self._mount(f"size={size}", "-t", "tmpfs", "tmpfs")

    def fill(self, pid):
        """Nothing more can be written, by the process `pid` at least."""
        if self.mounted:
            # Whoever writes meanwhile makes it larger than was just seen.
            eventually(lambda: self._resize(self._used()), every=0)
        else:
            self._limit(pid, 1)

    def make_room(self, pid=None):
        """As before; `pid` where the process that was hit still runs."""
        if self.mounted:
            assert self._resize(self._size)
        elif pid is not None:
            self._limit(pid, psutil.RLIM_INFINITY)

    def close(self):
        if self.mounted:
            # Lazily: a process that was just killed may hold a file a moment longer.
            subprocess.run(["umount", "--lazy", self.folder], check=True)

    def _used(self):
        """Bytes, by whole pages: shrunk to this, the file system has no room at all."""
        state = os.statvfs(self.folder)
        return (state.f_blocks - state.f_bfree) * state.f_frsize

    def _resize(self, size):
        return self._mount(f"remount,size={size}")

    def _mount(self, options, *what):
        command = ["mount", "-o", options, *what, self.folder]
        try:
            return subprocess.run(command, capture_output=True, check=False).returncode == 0
        except FileNotFoundError:  # no Linux
            return False

    @staticmethod
    def _limit(pid, size):
        process = psutil.Process(pid)
        process.rlimit(psutil.RLIMIT_FSIZE, (size, process.rlimit(psutil.RLIMIT_FSIZE)[1]))
