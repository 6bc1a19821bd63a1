"""Connections for requests that keep to one deadline, and that tell whether a request was written.

The time-out of requests is per read, so a server that drips could hold a task for ever: here, what urllib3 leaves for the first read is
the time for head and body together. And no exception of requests tells whether Zoho may have seen a request: here, a connection notes
when it begins to write one. What fails before (name, connection, proxy, TLS) Zoho has not seen.
"""

from __future__ import annotations

import http.client
import io
import re
import socket
import time
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from airflow_provider_zcrm.api.errors import ConnectionFailed

# gets an element when a request is about to be written in this thread
written: ContextVar[list[bool]] = ContextVar("written")


def no_answer(url: str, error: Exception, *, sent: bool, method: str, path: str) -> ConnectionFailed:
    """Return what it means that a library got no answer: the host, and the innermost reason (those around it are about pools).

    :param sent: whether the request may have reached Zoho.
    """
    reason: BaseException = error
    while inner := next(
        (e for e in (getattr(reason, "reason", None), *reason.args, reason.__cause__) if isinstance(e, BaseException)), None
    ):
        reason = inner
    silent = "timed out" if isinstance(error, TimeoutError) else type(reason).__name__
    # the address of a proxy may hold its password
    words = re.sub(r"[^\s'\"]*@", "***@", getattr(reason, "strerror", None) or str(reason) or silent)
    advice = "" if sent else "Can this machine reach that host (name, proxy, firewall, certificate)?"
    message = f"No answer from Zoho ({urlsplit(url).netloc}): {words} ({type(error).__name__})."
    return ConnectionFailed(message, advice=advice, sent=sent, method=method, path=path)


class WatchedAdapter(HTTPAdapter):
    """An adapter for such connections, direct or through a proxy."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools of direct connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        """Make the pools of connections through a proxy."""
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager


class _UntilDeadline(io.RawIOBase):
    """Reads a socket's file for as long in all as the socket's time-out was when reading began."""

    def __init__(self, file: io.RawIOBase, sock: socket.socket) -> None:
        self._file, self._sock = file, sock
        self._deadline = time.monotonic() + (sock.gettimeout() or 0.0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer took too long")
        self._sock.settimeout(left)
        return self._file.readinto(buffer)

    def close(self) -> None:
        self._file.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_UntilDeadline(self.fp.detach(), sock))


class _Watched(http.client.HTTPConnection):
    response_class = _Response

    def endheaders(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is None:
            self.connect()
        written.get().append(True)
        super().endheaders(*args, **kwargs)


class _HttpConnection(_Watched, HTTPConnection):
    pass


class _HttpsConnection(_Watched, HTTPSConnection):
    pass


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _HttpConnection


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _HttpsConnection


_POOLS = {"http": _HttpPool, "https": _HttpsPool}
