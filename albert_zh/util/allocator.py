"""Settings of the C library's allocator that keep the memory of freed tensors in the process."""

import ctypes

# From <malloc.h> of glibc.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3

# Bytes; more than any tensor has. glibc before 2.35 takes no mmap threshold over 32 MiB.
_LARGEST, _LARGEST_BEFORE_2_35 = 2**30, 2**25


def keep_freed_memory() -> bool:
    """Let freed memory be used again rather than returned to the kernel, from now on.

    By default glibc maps every block over 32 MiB anew (every block over 128 KiB as soon as
    TensorFlow has started a Python generator, which lowers the trim threshold) and unmaps it when
    it is freed. The kernel clears each page of it at the next use. A training step allocates the
    same tensors again and again; on processors where TensorFlow does not use oneDNN's allocator,
    clearing them took up to half of the processor time.

    Returns:
        Whether the settings were made; False where the C library is another one (macOS, musl).
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
        ctypes.CDLL(None).gnu_get_libc_version  # noqa: B018  (musl has a mallopt, which does nothing)
    except (AttributeError, OSError, TypeError):
        return False
    large = mallopt(_M_MMAP_THRESHOLD, _LARGEST) or mallopt(_M_MMAP_THRESHOLD, _LARGEST_BEFORE_2_35)
    return bool(large and mallopt(_M_TRIM_THRESHOLD, _LARGEST))
