"""Names that older programs have for what stands elsewhere now."""

from __future__ import annotations

import pytest

from torsion.web import error, http, server


def test_the_first_client_is_there_and_warns() -> None:
    with pytest.warns(DeprecationWarning, match=r"Use torsion\.web\.client\.Agent instead"):
        client = http.HTTPClient
    assert client.__name__ == "HTTPClient"


def test_methods_that_are_not_supported_are_told_by_the_server_too() -> None:
    assert server.UnsupportedMethod is error.UnsupportedMethod


def test_others_are_not_there() -> None:
    with pytest.raises(AttributeError, match="HTTPClientFactory"):
        http.HTTPClientFactory
