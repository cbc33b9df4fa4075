"""Thin adapters between the native transports and Twisted's interfaces.

``stream`` a connection · ``listener`` a port and the connections it accepts · ``connector`` a connection to be made ·
``owner`` what the last two share: how a native stream's end becomes a Failure · ``numeric`` addresses and port numbers.
"""
