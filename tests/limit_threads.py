"""Threads of a worker process: its share of the processors.

Several processes that each use all processors slow each other down by a quarter. The libraries read
these variables when they are imported, so this module is imported before them.
"""

import os

VARIABLES = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")

n_workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
if n_workers > 1:
    share = max(1, (os.cpu_count() or 1) // n_workers)
    for variable in VARIABLES:
        os.environ.setdefault(variable, str(share))
