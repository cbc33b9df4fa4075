"""What paths raise."""

from __future__ import annotations


class InsecurePath(Exception):
    """A name that would lead out of the directory that it was to be looked up in, or that cannot be a name at all."""


class LinkError(Exception):
    """Symbolic links that lead back to where they started."""


class UnlistableError(OSError):
    """A directory that cannot be listed: it is not there, is no directory, or may not be read.

    It has the attributes of the error that the system raised.

    :ivar originalException: that error.
    """

    def __init__(self, originalException: OSError) -> None:
        """Stand for *originalException*."""
        error = originalException
        # The text is made of these, and `args` has lost some of them.
        super().__init__(error.errno, error.strerror, error.filename, getattr(error, "winerror", None))
        self.__dict__.update(originalException.__dict__)
        self.originalException = originalException
