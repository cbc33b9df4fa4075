"""Receivers of lines: what is delivered, when, and what hooks may do meanwhile."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torsion.internet.testing import StringTransport
from torsion.protocols.basic import LineOnlyReceiver, LineReceiver


class Recording:
    """Writes down what is delivered, and does what the test wants then."""

    delimiter = b"\n"

    def __init__(self, **does):
        self.seen = []
        self.does = does  # the name of a hook, or a line, and what is to be called with the protocol

    def hook(self, kind, data):
        self.seen.append((kind, data))
        does = self.does.get(kind) or self.does.get(data.decode("latin-1"))
        return does(self) if does else None

    def lineReceived(self, line):
        return self.hook("line", line)

    @property
    def lines(self):
        return [data for kind, data in self.seen if kind == "line"]


class Lines(Recording, LineReceiver):
    def rawDataReceived(self, data):
        return self.hook("raw", data)


class Watching(Lines):
    def lineLengthExceeded(self, line):
        return self.hook("long", line)


class OnlyLines(Recording, LineOnlyReceiver):
    pass


class WatchingOnlyLines(OnlyLines):
    def lineLengthExceeded(self, line):
        return self.hook("long", line)


def connected(protocol):
    protocol.makeConnection(StringTransport())
    return protocol


BOTH = pytest.mark.parametrize("kind", [Lines, OnlyLines])


@BOTH
class TestBoth:
    def test_the_usual_settings(self, kind):
        assert (LineReceiver.delimiter, LineReceiver.MAX_LENGTH) == (b"\r\n", 16384)
        assert (LineOnlyReceiver.delimiter, LineOnlyReceiver.MAX_LENGTH) == (b"\r\n", 16384)

    def test_lines_without_their_delimiter(self, kind):
        protocol = connected(kind())
        assert protocol.dataReceived(b"one\ntwo\n\n") is None
        assert protocol.lines == [b"one", b"two", b""]

    @given(data=st.lists(st.sampled_from([b"a", b"\r", b"\n"]), max_size=30).map(b"".join), size=st.integers(1, 9))
    def test_data_may_be_cut_anywhere(self, kind, data, size):
        protocol = connected(kind())
        protocol.delimiter = b"\r\n"
        for begin in range(0, len(data), size):
            protocol.dataReceived(data[begin : begin + size])
        assert protocol.lines == data.split(b"\r\n")[:-1]

    def test_a_protocol_that_is_not_connected_may_be_fed(self, kind):
        protocol = kind()
        protocol.dataReceived(b"one\ntwo\nthr")
        protocol.dataReceived(b"ee\n")
        assert protocol.lines == [b"one", b"two", b"three"]

    @pytest.mark.parametrize("data", [b"one\n", b"one\ntw"])
    def test_lines_are_bytes(self, kind, data):
        protocol = connected(kind())
        protocol.dataReceived(bytearray(data))
        assert [type(line) for line in protocol.lines] == [bytes]

    def test_sent_in_one_piece(self, kind):
        protocol = connected(kind())
        written = []
        protocol.transport.write = written.append
        protocol.sendLine(b"one")
        assert written == [b"one\n"]

    def test_lineReceived_must_be_there(self, kind):
        base = LineReceiver if kind is Lines else LineOnlyReceiver
        with pytest.raises(NotImplementedError, match="lineReceived"):
            base().lineReceived(b"")

    @pytest.mark.parametrize("data", [b"", b"one", b"one\n", b"one\ntwo\n"])
    def test_an_empty_delimiter_is_refused(self, kind, data):
        protocol = connected(kind())
        protocol.delimiter = b""
        with pytest.raises(ValueError, match="delimiter is empty"):
            protocol.dataReceived(data)

    def test_a_new_delimiter_holds_at_once(self, kind):
        protocol = connected(kind(one=lambda self: setattr(self, "delimiter", b";")))
        protocol.dataReceived(b"one\ntwo\nthree;4u4")
        assert protocol.lines == [b"one", b"two\nthree"]
        protocol.delimiter = b"u"
        protocol.dataReceived(b"")
        assert protocol.lines == [b"one", b"two\nthree", b"4"]

    def test_settings_may_be_properties(self, kind):
        class Fixed(kind):
            MAX_LENGTH = property(lambda self: 3)
            delimiter = property(lambda self: b";")

        protocol = connected(Fixed())
        protocol.dataReceived(b"one;two;four;")
        assert protocol.lines == [b"one", b"two"]
        assert protocol.transport.disconnecting

    def test_a_new_limit_holds_at_once(self, kind):
        protocol = connected(kind(one=lambda self: setattr(self, "MAX_LENGTH", 3)))
        protocol.dataReceived(b"fourteen\none\ntwo\nfour\n")
        assert protocol.lines == [b"fourteen", b"one", b"two"]
        assert protocol.transport.disconnecting

    def test_a_limit_may_be_raised(self, kind):
        protocol = connected(kind(one=lambda self: setattr(self, "MAX_LENGTH", 30)))
        protocol.MAX_LENGTH = 3
        protocol.dataReceived(b"one\nfourteen\n")
        assert protocol.lines == [b"one", b"fourteen"]

    @pytest.mark.parametrize("tail", [b"\n", b"\nmore\n", b"y"])
    def test_a_line_that_is_too_long_closes(self, kind, tail):
        protocol = connected(kind())
        protocol.MAX_LENGTH = 10
        protocol.dataReceived(b"x" * 10 + b"\n" + b"x" * 10)
        assert not protocol.transport.disconnecting
        protocol.dataReceived(b"x" + tail)
        assert protocol.transport.disconnecting
        assert protocol.lines == [b"x" * 10]

    def test_nothing_is_delivered_after_closing(self, kind):
        protocol = connected(kind(two=lambda self: self.transport.loseConnection()))
        protocol.dataReceived(b"one\ntwo\nthree\nfour\n")
        assert protocol.lines == [b"one", b"two"]

    def test_data_fed_by_a_hook_comes_behind(self, kind):
        protocol = connected(kind(one=lambda self: self.dataReceived(b"ree\nfo")))
        protocol.dataReceived(b"one\ntwo\nth")
        protocol.dataReceived(b"ur\n")
        assert protocol.lines == [b"one", b"two", b"three", b"four"]

    def test_a_single_line_s_hook_may_feed_too(self, kind):
        protocol = connected(kind(one=lambda self: self.dataReceived(b"two\nth")))
        protocol.dataReceived(b"one\n")
        protocol.dataReceived(b"ree\n")
        assert protocol.lines == [b"one", b"two", b"three"]

    def test_a_hook_may_feed_and_close(self, kind):
        def feed_and_close(self):
            self.dataReceived(b"two\n")
            self.transport.loseConnection()

        protocol = connected(kind(one=feed_and_close))
        protocol.dataReceived(b"one\n")
        assert protocol.lines == [b"one"]

    @pytest.mark.parametrize("data", [b"one\n", b"one\ntwo\n", b"one\ntwo\nthr"])
    def test_an_exception_gets_out_and_costs_no_data(self, kind, data):
        def fail(self):
            raise RuntimeError("oops")

        protocol = connected(kind(one=fail))
        with pytest.raises(RuntimeError):
            protocol.dataReceived(data)
        assert protocol.lines == [b"one"]
        protocol.dataReceived(b"ee\n")
        assert b"\n".join(protocol.lines) + b"\n" == data + b"ee\n"

    def test_a_hook_may_be_replaced_in_the_middle(self, kind):
        second = []
        protocol = connected(kind(one=lambda self: setattr(self, "lineReceived", second.append)))
        protocol.dataReceived(b"one\ntwo\nthree\n")
        assert (protocol.lines, second) == ([b"one"], [b"two", b"three"])

    def test_protocols_do_not_share_data(self, kind):
        one, other = connected(kind()), connected(kind())
        one.dataReceived(b"one")
        other.dataReceived(b"other\n")
        one.dataReceived(b"\n")
        assert (one.lines, other.lines) == ([b"one"], [b"other"])

    def test_much_data(self, kind):
        lines = [b"%d" % number for number in range(50_000)]
        protocol = connected(kind())
        protocol.dataReceived(b"\n".join([*lines, b"tail"]))
        assert protocol.lines == lines
        protocol.dataReceived(b"\n")
        assert protocol.lines[-1] == b"tail"


class TestLineReceiver:
    def test_what_a_hook_returns_stops_delivery(self):
        protocol = connected(Lines(one=lambda self: "why"))
        assert protocol.dataReceived(b"one\ntwo\n") == "why"
        assert protocol.lines == [b"one"]
        assert protocol.dataReceived(b"") is None
        assert protocol.lines == [b"one", b"two"]

    @pytest.mark.parametrize("nothing", [None, False, 0, ""])
    def test_what_is_false_does_not(self, nothing):
        protocol = connected(Lines(one=lambda self: nothing))
        assert protocol.dataReceived(b"one\n") is None
        assert protocol.dataReceived(b"one\ntwo\n") is None
        assert protocol.lines == [b"one", b"one", b"two"]

    @pytest.mark.parametrize("data", [b"one\n", b"one\nmore\n"])
    def test_a_single_line_s_hook_may_return(self, data):
        protocol = connected(Lines(one=lambda self: "why"))
        assert protocol.dataReceived(data) == "why"

    def test_closing_leaves_the_rest_buffered(self):
        protocol = connected(Lines(one=lambda self: self.transport.loseConnection()))
        protocol.dataReceived(b"one\ntwo\nthr")
        assert protocol.clearLineBuffer() == b"two\nthr"

    class TestRawMode:
        def test_the_rest_is_raw(self):
            protocol = connected(Lines(one=LineReceiver.setRawMode))
            protocol.dataReceived(b"one\ntwo\nthr")
            protocol.dataReceived(b"ee\n")
            assert protocol.seen == [("line", b"one"), ("raw", b"two\nthr"), ("raw", b"ee\n")]
            assert not protocol.line_mode

        def test_without_a_rest_nothing_is_delivered(self):
            protocol = connected(Lines(one=LineReceiver.setRawMode))
            protocol.dataReceived(b"zero\none\n")
            assert protocol.seen == [("line", b"zero"), ("line", b"one")]
            protocol.dataReceived(b"")
            assert protocol.seen == [("line", b"zero"), ("line", b"one")]

        def test_and_back(self):
            protocol = connected(Lines(one=LineReceiver.setRawMode, raw=lambda self: self.setLineMode(b"two\nth")))
            protocol.dataReceived(b"one\nraw\n")
            protocol.dataReceived(b"ree\n")
            assert protocol.seen == [("line", b"one"), ("raw", b"raw\n"), ("line", b"two"), ("line", b"three")]

        def test_back_from_outside(self):
            protocol = connected(Lines(two=lambda self: "why"))
            protocol.setRawMode()
            assert protocol.setLineMode() is None
            protocol.setRawMode()
            assert protocol.setLineMode(b"one\ntwo\nthree\n") == "why"
            assert protocol.lines == [b"one", b"two"]

        def test_the_mode_may_be_set_by_hand(self):
            protocol = connected(Lines(one=lambda self: setattr(self, "line_mode", 0)))
            protocol.dataReceived(b"one\ntwo\n")
            assert protocol.seen == [("line", b"one"), ("raw", b"two\n")]

        def test_a_class_may_begin_raw(self):
            class Raw(Lines):
                line_mode = 0

            protocol = connected(Raw())
            protocol.dataReceived(b"one\n")
            assert protocol.seen == [("raw", b"one\n")]

        def test_what_a_hook_returns_is_returned(self):
            protocol = connected(Lines(one=LineReceiver.setRawMode, raw=lambda self: "why"))
            assert protocol.dataReceived(b"one\ntwo\n") == "why"

        def test_rawDataReceived_must_be_there(self):
            with pytest.raises(NotImplementedError, match="rawDataReceived"):
                LineReceiver().rawDataReceived(b"")

        def test_a_mode_for_each_byte_needs_no_stack(self):
            class Flipping(Lines):
                def lineReceived(self, line):
                    super().lineReceived(line)
                    self.setRawMode()

                def rawDataReceived(self, data):
                    self.setLineMode(data[1:])

            protocol = connected(Flipping())
            protocol.dataReceived(b"x\nx" * 3000)
            assert protocol.lines == [b"x"] * 3000

    class TestPausing:
        def test_delivery_stops_and_goes_on(self):
            protocol = connected(Lines(two=LineReceiver.pauseProducing))
            protocol.dataReceived(b"one\ntwo\nthree\n")
            protocol.dataReceived(b"four\n")
            assert protocol.lines == [b"one", b"two"]
            assert (protocol.paused, protocol.transport.producerState) == (True, "paused")
            protocol.resumeProducing()
            assert protocol.lines == [b"one", b"two", b"three", b"four"]
            assert (protocol.paused, protocol.transport.producerState) == (False, "producing")

        def test_a_pause_within_a_hook(self):
            def breathe(self):
                self.pauseProducing()
                self.resumeProducing()
                self.seen.append(("breathed", b""))

            protocol = connected(Lines(one=breathe))
            protocol.dataReceived(b"one\ntwo\n")
            assert protocol.seen == [("line", b"one"), ("breathed", b""), ("line", b"two")]

        def test_a_pause_for_each_line(self):
            protocol = connected(Lines(line=LineReceiver.pauseProducing))
            protocol.dataReceived(b"".join(b"%d\n" % number for number in range(5000)))
            for number in range(1, 5000):
                assert len(protocol.lines) == number
                protocol.resumeProducing()
            assert protocol.lines == [b"%d" % number for number in range(5000)]

        def test_raw_data_waits(self):
            protocol = connected(Lines(raw=LineReceiver.pauseProducing))
            protocol.setRawMode()
            for data in (b"one", b"two", b"three"):
                protocol.dataReceived(data)
            assert protocol.seen == [("raw", b"one")]
            protocol.resumeProducing()
            assert protocol.seen == [("raw", b"one"), ("raw", b"twothree")]
            protocol.resumeProducing()
            assert len(protocol.seen) == 2

        def test_stopping(self):
            protocol = connected(Lines(one=LineReceiver.stopProducing))
            protocol.dataReceived(b"one\ntwo\n")
            assert protocol.lines == [b"one"]
            assert protocol.transport.producerState == "stopped"

        def test_resuming_may_close(self):
            protocol = connected(Lines(one=LineReceiver.pauseProducing, two=lambda self: "why"))
            protocol.dataReceived(b"one\ntwo\n")
            protocol.resumeProducing()
            assert protocol.lines == [b"one", b"two"]

    class TestClearing:
        def test_from_outside(self):
            protocol = connected(Lines())
            assert protocol.clearLineBuffer() == b""
            protocol.dataReceived(b"one\ntw")
            assert protocol.clearLineBuffer() == b"tw"
            assert protocol.clearLineBuffer() == b""
            protocol.dataReceived(b"o\n")
            assert protocol.lines == [b"one", b"o"]

        def test_from_a_hook(self):
            protocol = connected(Lines(one=lambda self: self.seen.append(self.clearLineBuffer())))
            protocol.dataReceived(b"one\ntwo\nthr")
            protocol.dataReceived(b"four\n")
            assert protocol.seen == [("line", b"one"), b"two\nthr", ("line", b"four")]

        def test_after_changing_the_delimiter(self):
            def clear(self):
                self.delimiter = b";;"
                self.seen.append(self.clearLineBuffer())

            protocol = connected(Lines(one=clear))
            protocol.dataReceived(b"one\ntwo\nthr")
            assert protocol.seen == [("line", b"one"), b"two\nthr"]

        def test_and_failing(self):
            def clear(self):
                self.clearLineBuffer()
                raise RuntimeError

            protocol = connected(Lines(one=clear))
            with pytest.raises(RuntimeError):
                protocol.dataReceived(b"one\ntwo\nthr")
            assert protocol.clearLineBuffer() == b""

    class TestLength:
        def test_the_hook_is_given_all_that_is_there(self):
            protocol = connected(Watching())
            protocol.MAX_LENGTH = 5
            protocol.dataReceived(b"one\nxxxxxx\ntwo\nthr")
            assert protocol.seen == [("line", b"one"), ("long", b"xxxxxx\ntwo\nthr")]
            protocol.dataReceived(b"ee\n")
            assert protocol.seen[2:] == [("line", b"ee")]

        def test_the_hook_may_give_back_the_rest(self):
            class Skipping(Lines):
                def lineLengthExceeded(self, line):
                    _, _, rest = line.partition(b"\n")
                    return self.setLineMode(rest)

            protocol = connected(Skipping())
            protocol.MAX_LENGTH = 5
            protocol.dataReceived(b"one\nxxxxxx\ntwo\nthr")
            assert protocol.lines == [b"one", b"two"]

        def test_what_the_hook_returns_is_returned(self):
            protocol = connected(Watching(long=lambda self: "why"))
            protocol.MAX_LENGTH = 5
            assert protocol.dataReceived(b"xxxxxx\ntwo\n") == "why"

        def test_the_hook_may_pause(self):
            def pause(self):
                self.pauseProducing()
                self.setLineMode(b"two\n")

            protocol = connected(Watching(long=pause))
            protocol.MAX_LENGTH = 5
            protocol.dataReceived(b"xxxxxx\n")
            assert protocol.lines == []
            protocol.resumeProducing()
            assert protocol.lines == [b"two"]

        def test_the_hook_may_close_and_give_back_the_rest(self):
            def close(self):
                self.transport.loseConnection()
                self.setLineMode(b"two\n")

            protocol = connected(Watching(long=close))
            protocol.MAX_LENGTH = 5
            protocol.dataReceived(b"xxxxxx\n")
            assert protocol.lines == []

        def test_the_hook_may_change_modes(self):
            protocol = connected(Watching(long=LineReceiver.setRawMode))
            protocol.MAX_LENGTH = 5
            protocol.dataReceived(b"xxxxxx\n")
            protocol.dataReceived(b"raw\n")
            assert protocol.seen == [("long", b"xxxxxx\n"), ("raw", b"raw\n")]

        def test_raw_data_has_no_limit(self):
            protocol = connected(Watching())
            protocol.MAX_LENGTH = 5
            protocol.setRawMode()
            protocol.dataReceived(b"x" * 100)
            assert protocol.seen == [("raw", b"x" * 100)]


class TestLineOnlyReceiver:
    def test_what_a_hook_returns_has_no_meaning(self):
        protocol = connected(OnlyLines(one=lambda self: "why"))
        assert protocol.dataReceived(b"one\ntwo\n") is None
        assert protocol.lines == [b"one", b"two"]

    def test_nothing_is_delivered_once_it_closes(self):
        protocol = connected(OnlyLines())
        protocol.transport.loseConnection()
        protocol.dataReceived(b"one\n")
        assert protocol.lines == []

    def test_a_line_that_is_too_long_may_be_skipped(self):
        protocol = connected(WatchingOnlyLines())
        protocol.MAX_LENGTH = 5
        protocol.dataReceived(b"one\nxxxxxx\ntwo\nthr")
        assert protocol.seen == [("line", b"one"), ("long", b"xxxxxx"), ("line", b"two")]

    def test_an_unfinished_one_is_given_once(self):
        protocol = connected(WatchingOnlyLines())
        protocol.MAX_LENGTH = 5
        protocol.dataReceived(b"xxxxxx")
        assert protocol.seen == [("long", b"xxxxxx")]
        protocol.dataReceived(b"x\ntwo\n")
        assert protocol.seen == [("long", b"xxxxxx"), ("line", b"x"), ("line", b"two")]

    def test_what_the_hook_returns_is_returned(self):
        protocol = connected(WatchingOnlyLines(long=lambda self: "why"))
        protocol.MAX_LENGTH = 5
        assert protocol.dataReceived(b"xxxxxx\ntwo\n") == "why"
        assert protocol.dataReceived(b"") is None
        assert protocol.lines == [b"two"]
