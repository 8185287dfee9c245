"""Optional packages, loaded where they are used."""

import importlib
from importlib import metadata
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
        ValueError: The package is not installed, or it is broken.
    """
    package = module.partition(".")[0]
    try:
        return importlib.import_module(module)
    except ImportError as error:
        name = package.replace("_", "-")
        if (error.name or package).partition(".")[0] == package and isinstance(
            error, ModuleNotFoundError
        ):
            raise ValueError(
                f"{purpose} needs the package {name}; install it: pip install {name}"
            ) from None
        raise ValueError(
            f"{purpose} needs the package {name}, which is installed but cannot be imported: "
            f"{error}. Install it again: pip install --force-reinstall {name}"
        ) from None


def package_version(package: str) -> str:
    """The version of an installed package, which another distribution may provide."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return str(getattr(importlib.import_module(package), "__version__", "unknown"))
