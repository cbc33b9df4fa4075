"""``SerialPort`` on a pseudo-terminal, which is as near to a serial line as any machine has."""

from __future__ import annotations

import os

import pytest

from contract.harness import Recorder, pause

serialport = pytest.importorskip("torsion.internet.serialport", exc_type=ImportError)


def test_a_line(reactor, run):
    async def scenario():
        master, slave = os.openpty()
        protocol = Recorder({"dataReceived": lambda self: self.transport.write(b"heard " + self.received)})
        port = serialport.SerialPort(protocol, os.ttyname(slave), reactor, baudrate=19200)
        os.write(master, b"line\n")
        await protocol.bytes(5)
        await pause(reactor, 0.01)
        assert b"heard line" in os.read(master, 100)
        assert port.inWaiting() == 0
        port.flushInput()
        port.flushOutput()
        port.setBaudRate(9600)
        port.loseConnection()
        await protocol.lost
        assert port.fileno() == -1
        os.close(master)
        os.close(slave)

    run(scenario)


def test_the_other_end_goes(reactor, run):
    async def scenario():
        master, slave = os.openpty()
        protocol = Recorder()
        serialport.SerialPort(protocol, os.ttyname(slave), reactor)
        os.close(slave)
        os.close(master)
        await protocol.lost

    run(scenario)


def test_a_device_that_is_not_there(reactor):
    with pytest.raises(serialport.serial.SerialException, match="nothing-here"):
        serialport.SerialPort(Recorder(), "/dev/nothing-here", reactor)
