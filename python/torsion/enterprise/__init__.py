"""Databases: ``adbapi`` connections of the DB-API, each in a thread."""
