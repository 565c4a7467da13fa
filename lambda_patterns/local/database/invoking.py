"""What `aws_lambda.invoke` calls: a listener for each server, that invokes with the database's role."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import logging
import secrets
import urllib.error
import urllib.request
from os import environ
from typing import Any

from lambda_patterns.local.behaviour.permissions import role_allows
from lambda_patterns.local.database.loop import wait_for
from lambda_patterns.local.ministack import module
from lambda_patterns.local.settings import HOST

responses = module("core.responses")
log = logging.getLogger(__name__)

_SECONDS = 60
_LONGEST = 2**21


class Invoking:
    """A listener on loopback that only who reads the server's folder may speak to.

    Attributes:
        roles: the roles that are associated with the database for the feature Lambda.
    """

    def __init__(self, scope: tuple[str, str]) -> None:
        self.roles: list[str] = []
        self._scope = scope
        self._password = secrets.token_hex(16)
        self._server, self.port = wait_for(self._listen())

    @property
    def door(self) -> tuple[int, str]:
        """The port, and the password that opens it."""
        return self.port, self._password

    async def _listen(self) -> tuple[asyncio.Server, int]:
        server = await asyncio.start_server(self._serve, HOST, 0, limit=_LONGEST)
        return server, server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            password, _, request = (await reader.readline()).decode().strip().partition(" ")
            if not hmac.compare_digest(password, self._password):
                return
            asked = json.loads(base64.b64decode(request))
            answer = await asyncio.get_running_loop().run_in_executor(None, self._invoke, asked)
            writer.write(base64.b64encode(json.dumps(answer).encode()) + b"\n")
            await writer.drain()
        except (ConnectionError, ValueError):
            log.exception("a call from SQL could not be read")
        finally:
            writer.close()

    def _invoke(self, asked: dict[str, Any]) -> dict[str, Any]:
        name, qualifier = asked["function"], asked.get("qualifier")
        account, region = self._scope
        arn = name if name.startswith("arn:") else f"arn:aws:lambda:{region}:{account}:function:{name}"
        with responses.request_scope(account, region):
            allowed = any(role_allows(role, "lambda:InvokeFunction", arn) for role in self.roles)
        if not self.roles:
            return {"error": "no role is associated with this database for the feature Lambda"}
        if not allowed:
            return {"error": f"Lambda API returned error: Access Denied: lambda:InvokeFunction on {arn}"}
        path = f"/2015-03-31/functions/{arn}/invocations" + (f"?Qualifier={qualifier}" if qualifier else "")
        headers = {
            "X-Amz-Invocation-Type": asked["type"],
            "Authorization": f"AWS4-HMAC-SHA256 Credential={account}/20260101/{region}/lambda/aws4_request, "
            "SignedHeaders=host, Signature=0",
        }
        call = urllib.request.Request(  # our own server
            f"http://{HOST}:{environ['GATEWAY_PORT']}{path}",
            asked["payload"].encode(),
            headers,
            method="POST",
        )
        try:
            with urllib.request.urlopen(call, timeout=_SECONDS) as answer:  # noqa: S310  # our own server
                return {
                    "status": answer.status,
                    "payload": answer.read().decode(),
                    "version": answer.headers.get("X-Amz-Executed-Version", "$LATEST"),
                }
        except urllib.error.HTTPError as error:
            return {"error": f"Lambda API returned error: {error.code}: {error.read().decode()[:500]}"}
        except OSError as error:
            return {"error": f"Lambda API returned error: Network Connection. {error}"}

    def stop(self) -> None:
        """Take no more calls."""
        wait_for(self._close())

    async def _close(self) -> None:
        self._server.close()
