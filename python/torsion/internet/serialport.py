"""Serial lines, where pyserial is installed (``pip install torsion[serial]``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

try:
    import serial
    from serial import (
        EIGHTBITS,
        FIVEBITS,
        PARITY_EVEN,
        PARITY_NONE,
        PARITY_ODD,
        SEVENBITS,
        SIXBITS,
        STOPBITS_ONE,
        STOPBITS_TWO,
    )
except ImportError as problem:
    raise ImportError("torsion.internet.serialport needs pyserial: pip install torsion[serial]") from problem

from torsion.internet.abstract import FileDescriptor
from torsion.internet.fdesc import readFromFD, writeToFD

if TYPE_CHECKING:
    from torsion.python.failure import Failure

__all__ = [
    "EIGHTBITS",
    "FIVEBITS",
    "PARITY_EVEN",
    "PARITY_NONE",
    "PARITY_ODD",
    "SEVENBITS",
    "SIXBITS",
    "STOPBITS_ONE",
    "STOPBITS_TWO",
    "BaseSerialPort",
    "SerialPort",
    "serial",
]


class BaseSerialPort:
    """What can be asked of and done to the line itself; see pyserial for the meaning of each.

    :ivar _serial: pyserial's object for the line.
    """

    _serial: Any = None

    def setBaudRate(self, baudrate: int) -> None:
        """Set the speed, in bits per second."""
        self._serial.baudrate = baudrate

    def inWaiting(self) -> int:
        """Return how many bytes have arrived and were not read."""
        return int(self._serial.in_waiting)

    def flushInput(self) -> None:
        """Throw away what has arrived and was not read."""
        self._serial.reset_input_buffer()

    def flushOutput(self) -> None:
        """Throw away what the system has not sent yet."""
        self._serial.reset_output_buffer()

    def sendBreak(self) -> None:
        """Send the break condition for a quarter of a second, during which the reactor waits."""
        self._serial.send_break()

    def getDSR(self) -> bool:
        """Return whether *data set ready* is on."""
        return bool(self._serial.dsr)

    def getCD(self) -> bool:
        """Return whether *carrier detect* is on."""
        return bool(self._serial.cd)

    def getRI(self) -> bool:
        """Return whether *ring indicator* is on."""
        return bool(self._serial.ri)

    def getCTS(self) -> bool:
        """Return whether *clear to send* is on."""
        return bool(self._serial.cts)

    def setDTR(self, on: int = 1) -> None:
        """Set *data terminal ready*."""
        self._serial.dtr = bool(on)

    def setRTS(self, on: int = 1) -> None:
        """Set *ready to send*."""
        self._serial.rts = bool(on)


class SerialPort(BaseSerialPort, FileDescriptor):
    """A protocol's connection to a serial line (``ITransport``)."""

    connected = 1

    def __init__(
        self,
        protocol: Any,
        deviceNameOrPortNumber: str | int,
        reactor: Any,
        baudrate: int = 9600,
        bytesize: int = EIGHTBITS,
        parity: str = PARITY_NONE,
        stopbits: float = STOPBITS_ONE,
        timeout: float = 0,
        xonxoff: int = 0,
        rtscts: int = 0,
    ) -> None:
        """Open the line, connect *protocol* and start to read.

        :param protocol: the protocol; its ``makeConnection`` is called before this returns.
        :param deviceNameOrPortNumber: the device, such as ``/dev/ttyUSB0``.
        :param reactor: what watches it (``IReactorFDSet``).
        :param baudrate: the speed, in bits per second.
        :param bytesize: how many bits a character has; one of the constants here, as the next two.
        :param parity: what is added to each character to find errors.
        :param stopbits: what ends each character.
        :param timeout: for pyserial's own reads, in seconds; none are made here.
        :param xonxoff: whether either side may stop the other by XOFF.
        :param rtscts: whether either side may stop the other by its control lines.
        :raises serial.SerialException: if there is no such device, or it may not be used.
        """
        super().__init__(reactor)
        self._serial = serial.serial_for_url(
            deviceNameOrPortNumber,
            baudrate=baudrate,
            bytesize=bytesize,
            parity=parity,
            stopbits=stopbits,
            timeout=timeout,
            xonxoff=bool(xonxoff),
            rtscts=bool(rtscts),
        )
        self.protocol = protocol
        self.flushInput()
        self.flushOutput()
        protocol.makeConnection(self)
        self.startReading()

    def fileno(self) -> int:
        """Return the descriptor, or -1 once the line is closed."""
        return int(self._serial.fileno()) if self._serial.is_open else -1

    def doRead(self) -> Any:
        """Read what has arrived, for the reactor."""
        return readFromFD(self.fileno(), self.protocol.dataReceived)

    def writeSomeData(self, data: bytes) -> Any:
        """Write some of *data*, for the reactor."""
        return writeToFD(self.fileno(), data)

    def connectionLost(self, reason: Failure) -> None:
        """Close the line, and tell the protocol why."""
        if not self.disconnected:
            super().connectionLost(reason)
            self._serial.close()
            self.protocol.connectionLost(reason)
