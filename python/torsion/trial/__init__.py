"""Twisted's names for test cases.  There is no runner: unittest and pytest run them."""
