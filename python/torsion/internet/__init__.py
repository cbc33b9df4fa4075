"""The reactor and everything that it drives: transports, endpoints, Deferreds, timers, and their interfaces."""
