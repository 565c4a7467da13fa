"""The certificate authority of one embedded AWS, which its functions trust for databases alone."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import trustme

if TYPE_CHECKING:
    from pathlib import Path


class Authority:
    """An authority made anew at each start; `file` holds its certificate, and nobody else trusts it.

    Args:
        folder: where `file` is put.
    """

    def __init__(self, folder: Path) -> None:
        self._authority = trustme.CA()
        self.file = folder / "database-authority.pem"
        self._authority.cert_pem.write_to_path(self.file)
        self.file.chmod(0o644)

    def context(self, host: str) -> ssl.SSLContext:
        """Give what a server at `host` speaks TLS with."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._authority.issue_cert(host).configure_cert(context)
        return context
