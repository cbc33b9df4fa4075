"""The command line: ``main`` the command · ``command`` its options · ``tools`` its parts that are no services: ``completion`` · ``port`` programs moved from Twisted."""
