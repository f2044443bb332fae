"""A worker that trains for ever and asks its session nothing, with a child of its own; nothing here is a test."""

from __future__ import annotations

import subprocess
import sys
import time

from bench.worker.pipes.channel import Channel

if __name__ == "__main__":
    Channel(int(sys.argv[1]), int(sys.argv[2])).end_with_session()  # kept by nobody but its thread
    child = subprocess.Popen(["sleep", "600"])
    sys.stdout.write(f"{child.pid}\n")
    sys.stdout.flush()
    while True:
        time.sleep(0.01)
