"""Running one test on a reactor: waiting for what it returns (``waiting``), and seeing what it leaves behind (``watching``)."""

from torsion.testing.running.waiting import DEFAULT_TIMEOUT, TestTimeoutError, wait_for
from torsion.testing.running.watching import Leak, LeftBehindError, Watch

__all__ = ["DEFAULT_TIMEOUT", "Leak", "LeftBehindError", "TestTimeoutError", "Watch", "wait_for"]
