"""All measurements, one after the other: ``python -m bench``."""

from __future__ import annotations

import subprocess
import sys

for module in ("bench.store", "bench.imports", "bench.queue", "bench.tasks", "bench.logs",
               "bench.views", "bench.markdown", "bench.parsing", "bench.bombs", "bench.scale"):
    print(f"== {module}", flush=True)
    subprocess.run([sys.executable, "-m", module], check=True)
