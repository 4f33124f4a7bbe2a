"""What can go wrong.

Every exception derives from :class:`StraylightError` and from the builtin exception of its kind,
so that both ``except StraylightError`` and, say, ``except FileNotFoundError`` catch it. ``hint``
says what to do, as far as that is known.
"""


class StraylightError(Exception):
    """Anything that went wrong in this package."""

    hint: str = ""


class InvalidValueError(StraylightError, ValueError):
    """An argument has a value that cannot be used."""


class ConfigurationError(StraylightError, ValueError):
    """A file or setting is not what it should be."""


class ImageError(StraylightError, ValueError):
    """An image cannot be read or decoded."""


class NotFoundError(StraylightError, LookupError):
    """What was asked for is not there."""


class NotSupportedError(StraylightError, NotImplementedError):
    """The SDK has this, and this package or the server that is asked has not; the text says which
    and names the way out."""


class MissingFileError(StraylightError, FileNotFoundError):
    """A file or folder is not there."""


class FileError(StraylightError, OSError):
    """A file cannot be read or written."""


class InferenceError(StraylightError, RuntimeError):
    """A model cannot be loaded or run."""


class FitFailedError(StraylightError, ValueError):
    """An OOD model cannot be fitted."""


class HookFailedError(StraylightError, RuntimeError):
    """A trigger or an action failed when it was called directly."""


class ServerError(StraylightError, ConnectionError):
    """A server cannot be reached, or refused what was asked of it."""


class LoginError(ServerError, PermissionError):
    """A server does not accept the token."""


class ServerTimeoutError(ServerError, TimeoutError):
    """A server took too long."""
