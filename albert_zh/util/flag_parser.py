"""Values of flags: numbers and texts, with errors in plain words."""

from collections.abc import Sequence
from typing import Any

from absl import flags


class FlagParser(flags.ArgumentParser):
    """Reads the value of a number or a text; absl's own speak Python."""

    def __init__(
        self, kind: type, choices: Sequence[str], *, may_be_empty: bool, is_required: bool
    ):
        """
        Args:
            kind: int, float or str.
            choices: Allowed values of a text; any, if there are none.
            may_be_empty: Whether an empty text is a value, too.
            is_required: Whether the flag must be given, for the error message.
        """
        self._kind, self._choices = kind, choices
        self._may_be_empty, self._is_required = may_be_empty, is_required

    def parse(self, argument: Any) -> Any:
        if self._kind is str and not argument.strip() and not self._may_be_empty:
            # As a path it would be the working directory.
            way_out = "give a value" if self._is_required else "give a value, or leave the flag out"
            raise ValueError(f"the value is empty (is a variable of the shell unset?); {way_out}")
        try:
            value = self._kind(argument)
        except ValueError:
            kind = "a whole number, in digits" if self._kind is int else "a number"
            raise ValueError(f"it must be {kind}") from None
        if self._choices and value not in self._choices:
            raise ValueError(f"choose one of {', '.join(self._choices)}")
        return value
