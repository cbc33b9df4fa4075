"""HTTP: servers and clients.

``http`` the protocol · ``http_headers`` fields of heads · ``iweb`` the interfaces.
"""
