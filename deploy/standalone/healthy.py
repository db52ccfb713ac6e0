"""`python -m standalone.healthy`: exit code 0 when the service of this container is alive, for a health check."""

from __future__ import annotations

import os
import socket
import sys


def main() -> None:
    """Ask /health of this machine's own port; anything but 200 is unhealthy."""
    port = int(os.environ.get("TOCSIN_PORT", "8088"))
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=3) as line:
            line.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            status = line.recv(64).split(b" ", 2)[1:2]
    except OSError as error:
        sys.exit(f"no answer on port {port}: {error}")
    if status != [b"200"]:
        sys.exit(f"/health answers {b' '.join(status).decode(errors='replace')}")


if __name__ == "__main__":
    main()
