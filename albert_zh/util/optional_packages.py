"""Optional packages, loaded where they are used."""

import importlib
from types import ModuleType


def load_extra(module: str, *, purpose: str) -> ModuleType:
    """Import a module of an optional package.

    >>> load_extra("no_such_package.part", purpose="flying")
    Traceback (most recent call last):
    ValueError: flying needs the package no-such-package; install it: pip install no-such-package

    Args:
        module: Its full name; the package to install is called like its first part, with `-` for
            each `_`.
        purpose: What the user asked for, for the message.

    Raises:
        ValueError: The package is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        package = module.partition(".")[0].replace("_", "-")
        raise ValueError(
            f"{purpose} needs the package {package}; install it: pip install {package}"
        ) from None
