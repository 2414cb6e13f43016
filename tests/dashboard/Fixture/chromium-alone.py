#!/usr/bin/env python3
"""Runs Chromium without netlink sockets, so that it does not notice the machine's network.

Chromium drops all its connections, those to loopback too, whenever a network interface comes or goes (ERR_NETWORK_CHANGED),
and other tests make containers all the time. A seccomp filter answers its socket(AF_NETLINK) with EPERM; it then takes the
network as it is.
"""
import ctypes
import os
import platform
import struct
import sys

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
SOCKET = {"x86_64": 41, "aarch64": 198}[platform.machine()]
AF_NETLINK, EPERM = 16, 1
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, ERRNO = 0x7FFF0000, 0x00050000


def instruction(code, value, when_true=0, when_false=0):
    return struct.pack("HBBI", code, when_true, when_false, value)


# struct seccomp_data: the call's number at 0, its first argument at 16.
PROGRAM = (
    instruction(LOAD, 0)
    + instruction(EQUAL, SOCKET, 0, 3)
    + instruction(LOAD, 16)
    + instruction(EQUAL, AF_NETLINK, 0, 1)
    + instruction(RETURN, ERRNO | EPERM)
    + instruction(RETURN, ALLOW)
)


class Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("program", ctypes.c_void_p)]


libc = ctypes.CDLL(None, use_errno=True)
program = ctypes.create_string_buffer(PROGRAM, len(PROGRAM))
forbid = Filter(len(PROGRAM) // 8, ctypes.cast(program, ctypes.c_void_p))
if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(forbid), 0, 0):
    sys.exit(f"chromium-alone: prctl: {os.strerror(ctypes.get_errno())}")
os.execv("/usr/bin/chromium", ["/usr/bin/chromium", *sys.argv[1:]])
