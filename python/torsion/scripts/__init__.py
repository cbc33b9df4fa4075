"""The command line: ``main`` the command's frame · ``serve`` servers that stop cleanly · ``echo`` · ``chat`` · ``port`` programs moved from Twisted."""
