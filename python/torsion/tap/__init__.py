"""Kinds of service that the command makes, a module each with ``Options`` and ``makeService``: ``echo`` · ``chat`` · ``portforward`` · ``serving`` what the first two share."""
