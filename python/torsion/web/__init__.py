"""HTTP: servers and clients.

``http`` the protocol, ``http_headers`` its fields · ``server`` sites and requests, ``resource`` what answers, ``static`` files, ``template`` pages, ``pages``,
``guard`` logins, ``vhost``, ``rewrite``, ``proxy``, ``script``, ``twcgi``, ``wsgi`` and ``asgi`` applications of others, ``xmlrpc`` calls,
``websocket``, ``http2`` · ``client`` agents, ``fetch`` in one line · ``iweb`` the interfaces, ``error`` · ``tap`` the command ``torsion web``.
"""
