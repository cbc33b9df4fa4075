"""A daytime server (RFC 867): tells everybody who connects the time."""

__version__ = "1.0"
