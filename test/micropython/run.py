"""Runs a MicroPython program under CPython: run.py main.py"""

import runpy
import socket
import ssl
import sys


class Stream(socket.socket):
    """A socket with the stream methods that MicroPython's have."""

    def write(self, data, size=None):
        if isinstance(data, str):
            data = data.encode()
        self.sendall(bytes(data)[:size])

    def read(self, size):
        data = b""
        while len(data) < size:
            try:
                part = self.recv(size - len(data))
            except BlockingIOError:
                return data or None
            if not part:
                break
            data += part
        return data


class SecureStream(ssl.SSLSocket):
    """The same over TLS."""

    def write(self, data, size=None):
        if isinstance(data, str):
            data = data.encode()
        self.sendall(bytes(data)[:size])

    def read(self, size=1024, buffer=None):
        data = b""
        while len(data) < size:
            try:
                part = super().read(size - len(data))
            except ssl.SSLWantReadError:
                return data or None
            if not part:
                break
            data += part
        return data


socket.socket = Stream
ssl.SSLContext.sslsocket_class = SecureStream
sys.path.insert(0, sys.path[0])  # umqtt and network, beside this file
runpy.run_path(sys.argv[1], run_name="__main__")
