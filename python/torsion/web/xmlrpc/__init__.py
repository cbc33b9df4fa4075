"""Calls over HTTP, in XML: resources that are called, and calls of others'.

``server`` has :class:`XMLRPC`, ``client`` :class:`Proxy`; ``reading`` says what is accepted.  What is written, and the types of
values, are the stdlib's.
"""

import xmlrpc.client as xmlrpclib
from xmlrpc.client import Binary, DateTime, Fault

from .client import Proxy, QueryFactory, QueryProtocol, payloadTemplate
from .server import (
    FAILURE,
    NOT_FOUND,
    XMLRPC,
    Handler,
    NoSuchFunction,
    XMLRPCIntrospection,
    addIntrospection,
    withRequest,
)

Boolean = bool

__all__ = [
    "FAILURE",
    "NOT_FOUND",
    "XMLRPC",
    "Binary",
    "Boolean",
    "DateTime",
    "Fault",
    "Handler",
    "NoSuchFunction",
    "Proxy",
    "QueryFactory",
    "QueryProtocol",
    "XMLRPCIntrospection",
    "addIntrospection",
    "payloadTemplate",
    "withRequest",
    "xmlrpclib",
]
