"""Freed memory stays in the process once a script has begun."""

import platform
import subprocess
import sys

import pytest

# Prints how many pages the kernel hands out while large blocks are allocated again and again.
COUNT_PAGES = """
import ctypes, resource
from albert_zh import cli

def main():
    libc = ctypes.CDLL(None)
    libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    libc.free.argtypes = [ctypes.c_void_p]
    for turn in range(11):
        block = libc.malloc({size})
        ctypes.memset(block, 1, {size})
        libc.free(block)
        if not turn:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)

{call}
"""
SIZE = 64 * 2**20  # bytes, more than glibc keeps by itself
PAGES = SIZE // 4096


def pages_of_ten_blocks(call: str) -> int:
    code = COUNT_PAGES.format(size=SIZE, call=call)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="settings of glibc")
def test_scripts_use_freed_memory_again():
    if pages_of_ten_blocks("main()") < PAGES:
        pytest.skip("the allocator of this system keeps large blocks by itself")
    assert pages_of_ten_blocks("cli.run(main)") < PAGES / 4
