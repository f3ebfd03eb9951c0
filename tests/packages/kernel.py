"""Has a kernel of Jupyter run the cells of a notebook that says how its results are kept, and says the kernel's pid."""

import sys

from jupyter_client import KernelManager

CELLS = sys.stdin.readline().encode().decode("unicode_escape").split("\0")

manager = KernelManager()
manager.start_kernel()
client = manager.blocking_client()
client.start_channels()
client.wait_for_ready(timeout=150)
for cell in CELLS:
    reply = client.execute_interactive(cell, timeout=150, output_hook=lambda message: None)
    assert reply["content"]["status"] == "ok", reply
print("pid", manager.provisioner.pid)
sys.stdin.read()
client.stop_channels()
manager.shutdown_kernel(now=True)
