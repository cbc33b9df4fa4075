"""Framers cut a stream into frames, give them in batches, and take back what was not used."""

import struct
import time
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torsion.wire import LimitExceeded, RemoteProtocolError
from torsion.wire.framing import LineFramer, NetstringFramer, PrefixFramer
from wire import laws

SHORT = struct.Struct("!B")
WIDE = struct.Struct("!I")


def bound(framer, *rules):
    """Return the class *framer* with its rules built in."""

    class Bound(framer):
        def feed(self, data):
            return super().feed(data, *rules)

    return Bound


def lines(delimiter, longest):
    letters = st.sampled_from([bytes([each]) for each in b"abc" + delimiter])
    return laws.of_framer(
        laws.Subject(
            new=bound(LineFramer, delimiter, longest),
            encode=lambda line: line + delimiter,
            # A line may end with the delimiter's beginning, but then it would end elsewhere.
            events=st.binary(max_size=longest).filter(lambda line: (line + delimiter).find(delimiter) == len(line)),
            noise=st.lists(letters, max_size=3 * longest).map(b"".join),
            longest=longest + len(delimiter) - 1,
        )
    )


def prefixed(prefix, longest):
    return laws.of_framer(
        laws.Subject(
            new=bound(PrefixFramer, prefix, longest),
            encode=lambda string: prefix.pack(len(string)) + string,
            events=st.binary(max_size=longest),
            noise=st.binary(max_size=3 * longest),
            longest=prefix.size + longest,
        )
    )


def netstrings(longest):
    return laws.of_framer(
        laws.Subject(
            new=bound(NetstringFramer, longest),
            encode=lambda string: b"%d:%b," % (len(string), string),
            events=st.binary(max_size=longest),
            noise=st.lists(st.sampled_from([b"0", b"1", b"2", b"9", b":", b",", b"a"]), max_size=20).map(b"".join),
            longest=len(str(longest)) + longest + 2,
        )
    )


TestLines = lines(b"\n", 40)
TestLinesWithAWideDelimiter = lines(b"aba", 7)
TestLongLines = lines(b"\r\n", 30_000)
TestShortStrings = prefixed(SHORT, 100)
TestLongStrings = prefixed(WIDE, 30_000)
TestNetstrings = netstrings(50)
TestLongNetstrings = netstrings(30_000)

FRAMERS = pytest.mark.parametrize(
    ("make", "frame"),
    [
        pytest.param(bound(LineFramer, b"\n", 16_384), b"x" * 39 + b"\n", id="lines"),
        pytest.param(bound(PrefixFramer, WIDE, 99_999), WIDE.pack(36) + b"x" * 36, id="prefixed"),
        pytest.param(bound(NetstringFramer, 99_999), b"36:" + b"x" * 36 + b",", id="netstrings"),
    ],
)


def cpu(work):
    """Return how many seconds of the processor *work* takes, at its best."""
    best = []
    for _ in range(5):
        begin = time.process_time()
        work()
        best.append(time.process_time() - begin)
    return min(best)


def read(make, data, size):
    """Have a new framer read *data* in chunks of *size*, and return how many frames there were."""
    framer = make()
    count = 0
    for begin in range(0, len(data), size):
        count += len(framer.feed(data[begin : begin + size]))
        while framer.more:
            count += len(framer.feed(b""))
    return count


@FRAMERS
def test_a_great_chunk_costs_no_more_than_small_ones(make, frame):
    data = frame * (1_000_000 // len(frame))
    assert read(make, data, len(data)) == read(make, data, 1000) == 1_000_000 // len(frame)
    assert cpu(partial(read, make, data, len(data))) < 1.5 * cpu(partial(read, make, data, 1000))


@pytest.mark.parametrize(
    ("make", "framed"),
    [
        pytest.param(bound(LineFramer, b"\n", 2_000_000), lambda data: data + b"\n", id="lines"),
        pytest.param(bound(PrefixFramer, WIDE, 2_000_000), lambda data: WIDE.pack(len(data)) + data, id="prefixed"),
        pytest.param(bound(NetstringFramer, 2_000_000), lambda data: b"%d:%b," % (len(data), data), id="netstrings"),
    ],
)
def test_a_long_frame_may_trickle_in(make, framed):
    def trickle(length):
        assert read(make, framed(b"x" * length), 250) == 1

    assert cpu(partial(trickle, 1_600_000)) < 24 * cpu(
        partial(trickle, 200_000)
    )  # 8 times the work; 64 if it were copied


@FRAMERS
def test_taking_one_frame_at_a_time_is_not_quadratic(make, frame):
    def pick(count):
        framer = make()
        batch = framer.feed(frame * count)
        taken = 1
        while framer.more or len(batch) > 1:
            framer.requeue(batch[1:])
            batch = framer.feed(b"")
            taken += 1
        assert taken == count

    assert cpu(partial(pick, 16_000)) < 24 * cpu(partial(pick, 2_000))  # 8 times the work; 64 if the rest were copied


class TestLineFramer:
    def test_whole_lines_leave_nothing(self):
        framer = LineFramer()
        assert framer.feed(b"one\r\ntwo\r\n", b"\r\n", 100) == [b"one", b"two"]
        assert (framer.more, framer.buffered) == (False, 0)

    def test_an_unfinished_line_waits(self):
        framer = LineFramer()
        assert framer.feed(b"one\r\ntw", b"\r\n", 100) == [b"one"]
        assert (framer.more, framer.buffered) == (False, 2)
        assert framer.feed(b"o\r", b"\r\n", 100) == []
        assert framer.feed(b"\n\r\n", b"\r\n", 100) == [b"two", b""]

    @pytest.mark.parametrize("kind", [bytearray, memoryview])
    def test_other_buffers_become_bytes(self, kind):
        framer = LineFramer()
        given = [*framer.feed(kind(b"one\ntw"), b"\n", 100), *framer.feed(kind(b"o\n"), b"\n", 100)]
        framer.hold(kind(b"three\n"))
        given += framer.feed(b"", b"\n", 100)
        assert given == [b"one", b"two", b"three"]
        assert {type(line) for line in given} == {bytes}

    def test_the_caller_may_reuse_its_memory(self):
        framer = LineFramer()
        memory = bytearray(b"one")
        framer.feed(memory, b"\n", 100)
        memory[:] = b"two"
        assert framer.feed(b"\n", b"\n", 100) == [b"one"]

    def test_neither_do_held_bytes_change(self):
        framer = LineFramer()
        memory = bytearray(b"one\n")
        framer.hold(memory)
        memory[:] = b"two\n"
        assert framer.more
        assert framer.feed(b"", b"\n", 100) == [b"one"]

    def test_bytes_in_pieces_become_bytes(self):
        framer = LineFramer()
        for piece in (b"one", b"\ntw", b"o\nthree"):
            framer.hold(piece)
        for limit in (5, 100):  # cut where it stands, or taken out
            batch = framer.feed(b"", b"\n", limit)
            assert batch == [b"one", b"two"]
            assert {type(line) for line in batch} == {bytes}
            framer.requeue(batch)
        rest = framer.take_rest()
        assert (rest, type(rest)) == (b"one\ntwo\nthree", bytes)

    def test_the_rest_is_bytes(self):
        framer = LineFramer()
        framer.hold(b"one")
        framer.hold(b"two")
        assert type(framer.take_rest()) is bytes

    @pytest.mark.parametrize("limit", [100, 2_000_000])
    def test_a_great_chunk_is_given_a_part_at_a_time(self, limit):
        framer = LineFramer()
        batch = framer.feed(b"\n" * 1_000_000, b"\n", limit)
        assert 0 < len(batch) < 20_000
        assert framer.more
        assert framer.buffered == 1_000_000 - len(batch)

    @pytest.mark.parametrize("before", [b"", b"short\n"])
    def test_a_line_of_more_than_is_cut_at_once(self, before):
        framer = LineFramer()
        long = b"x" * 50_000
        assert read(bound(LineFramer, b"\n", 50_000), before + long + b"\nshort\n", 200_000) == before.count(b"\n") + 2
        batch = framer.feed(long + b"\nshort\n", b"\n", 50_000)
        assert batch[0] == long

    def test_nothing_is_remembered_of_what_was_taken_out(self):
        framer = LineFramer()
        assert framer.feed(b"x" * 50, b"\n", 100) == []
        assert framer.feed(b"x" * 60, b"\n", 200_000) == []
        assert framer.feed(b"x" * 20_000, b"\n", 200_000) == []
        framer.take_rest()
        assert framer.feed(b"one\n" + b"x" * 20_000, b"\n", 200_000) == [b"one"]

    def test_text_is_refused(self):
        with pytest.raises(TypeError):
            LineFramer().feed("one\n", b"\n", 100)

    @pytest.mark.parametrize("data", [b"", b"a line\n", b"x" * 200])
    def test_an_empty_delimiter_is_refused(self, data):
        with pytest.raises(ValueError, match="delimiter is empty"):
            LineFramer().feed(data, b"", 100)

    @pytest.mark.parametrize("before", [b"", b"ok\n"])
    def test_the_longest_line(self, before):
        framer = LineFramer()
        assert framer.feed(before + b"x" * 10 + b"\n", b"\n", 10)[-1] == b"x" * 10

    @pytest.mark.parametrize("after", [b"\n", b"\nok\n", b""])
    def test_a_line_that_is_too_long(self, after):
        framer = LineFramer()
        assert framer.feed(b"ok\n" + b"x" * 11 + after, b"\n", 10) == [b"ok"]
        assert framer.more
        for _ in range(2):
            with pytest.raises(LimitExceeded) as caught:
                framer.feed(b"", b"\n", 10)
            assert (caught.value.what, caught.value.size, caught.value.limit) == ("line", 11, 10)
        assert framer.take_rest() == b"x" * 11 + after
        assert framer.feed(b"ok\n", b"\n", 10) == [b"ok"]

    def test_an_unfinished_line_may_have_a_part_of_the_delimiter(self):
        framer = LineFramer()
        assert framer.feed(b"x" * 10 + b"\r", b"\r\n", 10) == []
        with pytest.raises(LimitExceeded):
            framer.feed(b"x", b"\r\n", 10)

    def test_a_higher_limit_lets_the_line_pass(self):
        framer = LineFramer()
        with pytest.raises(LimitExceeded):
            framer.feed(b"x" * 11 + b"\nok\n", b"\n", 10)
        assert framer.feed(b"", b"\n", 11) == [b"x" * 11, b"ok"]

    def test_a_new_delimiter_holds_for_what_is_buffered(self):
        framer = LineFramer()
        assert framer.feed(b"one;tw", b"\n", 100) == []
        assert framer.feed(b"o;three", b";", 100) == [b"one", b"two"]
        assert framer.feed(b"\n", b"\n", 100) == [b"three"]

    @pytest.mark.parametrize("padding", [0, 40_000])
    def test_a_new_delimiter_holds_for_what_was_put_back(self, padding):
        framer = LineFramer()
        filler = [b"x" * 9] * (padding // 10)
        data = b"one\ntwo;three\nfour" + b"\n" + b"\n".join(filler)
        batch = framer.feed(data, b"\n", 100)
        assert batch[:3] == [b"one", b"two;three", b"four"]
        framer.requeue(batch[1:])
        assert framer.feed(b"", b";", 100_000) == [b"two"]
        assert framer.take_rest() == data[len(b"one\ntwo;") :]

    def test_putting_nothing_back_changes_nothing(self):
        framer = LineFramer()
        framer.feed(b"one\ntw", b"\n", 100)
        framer.requeue([])
        assert (framer.more, framer.buffered) == (False, 2)

    def test_holding_nothing_changes_nothing(self):
        framer = LineFramer()
        framer.hold(b"")
        assert (framer.more, framer.buffered) == (False, 0)

    def test_what_is_held_comes_behind_what_is_put_back(self):
        framer = LineFramer()
        batch = framer.feed(b"one\ntwo\nthr", b"\n", 100)
        framer.hold(b"ee\nfour")
        framer.requeue(batch[1:])
        assert framer.more
        assert framer.feed(b"\n", b"\n", 100) == [b"two", b"three", b"four"]

    @given(st.lists(st.binary(max_size=12).map(lambda part: part.replace(b"\n", b"")), max_size=30))
    def test_it_cuts_as_split_does(self, parts):
        data = b"\n".join(parts)
        framer = LineFramer()
        *lines, tail = data.split(b"\n")
        assert framer.feed(data, b"\n", 100) == lines
        assert framer.take_rest() == tail


class TestPrefixFramer:
    def test_strings(self):
        framer = PrefixFramer()
        assert framer.feed(b"\3one\0\3tw", SHORT, 10) == [b"one", b""]
        assert (framer.more, framer.buffered) == (False, 3)
        assert framer.feed(b"o\1", SHORT, 10) == [b"two"]
        assert framer.buffered == 1

    def test_the_prefix_is_the_caller_s(self):
        assert PrefixFramer().feed(b"\3\0one", struct.Struct("<H"), 10) == [b"one"]

    def test_a_string_that_is_too_long(self):
        framer = PrefixFramer()
        assert framer.feed(b"\1a\13bc", SHORT, 10) == [b"a"]
        assert framer.more
        for _ in range(2):
            with pytest.raises(LimitExceeded) as caught:
                framer.feed(b"", SHORT, 10)
            assert (caught.value.what, caught.value.size, caught.value.limit) == ("string", 11, 10)
        assert framer.take_rest() == b"\13bc"

    def test_a_higher_limit_lets_the_string_pass(self):
        framer = PrefixFramer()
        with pytest.raises(LimitExceeded):
            framer.feed(b"\13" + b"x" * 11, SHORT, 10)
        assert framer.feed(b"", SHORT, 11) == [b"x" * 11]

    def test_a_string_of_more_than_is_looked_at_at_once(self):
        framer = PrefixFramer()
        long = b"x" * 50_000
        data = WIDE.pack(1) + b"a" + WIDE.pack(len(long)) + long + WIDE.pack(1) + b"b" + WIDE.pack(1)
        assert framer.feed(data[:1000], WIDE, 99_999) == [b"a"]
        assert framer.feed(data[1000:40_000], WIDE, 99_999) == []
        given = framer.feed(data[40_000:], WIDE, 99_999)
        while framer.more:
            given += framer.feed(b"", WIDE, 99_999)
        assert given == [long, b"b"]
        assert framer.buffered == 4

    def test_a_great_chunk_is_given_a_part_at_a_time(self):
        framer = PrefixFramer()
        batch = framer.feed(b"\0" * 1_000_000, SHORT, 100)
        assert 0 < len(batch) < 20_000
        assert framer.more
        assert framer.buffered == 1_000_000 - len(batch)

    def test_a_negative_length_is_refused(self):
        with pytest.raises(LimitExceeded):
            PrefixFramer().feed(b"\xffabc", struct.Struct("!b"), 10)

    def test_a_lower_limit_is_noticed_while_a_string_trickles_in(self):
        framer = PrefixFramer()
        assert framer.feed(WIDE.pack(1000) + b"x" * 100, WIDE, 1000) == []
        with pytest.raises(LimitExceeded):
            framer.feed(b"x", WIDE, 999)

    def test_a_new_prefix_holds_for_what_was_put_back(self):
        framer = PrefixFramer()
        batch = framer.feed(b"\1a\0\1b", struct.Struct("!B"), 10)
        assert batch == [b"a", b"", b"b"]
        framer.requeue(batch[1:])
        assert framer.feed(b"", struct.Struct("!H"), 10) == [b"b"]

    @pytest.mark.parametrize("kind", [bytearray, memoryview])
    def test_other_buffers_become_bytes(self, kind):
        framer = PrefixFramer()
        given = [*framer.feed(kind(b"\1a\2b"), SHORT, 10), *framer.feed(kind(b"c"), SHORT, 10)]
        assert given == [b"a", b"bc"]
        assert {type(string) for string in given} == {bytes}


class TestNetstringFramer:
    def test_strings(self):
        framer = NetstringFramer()
        assert framer.feed(b"5:hello,0:,3:1:a,2", 10) == [b"hello", b"", b"1:a"]
        assert (framer.more, framer.buffered) == (False, 1)
        assert framer.feed(b":ab", 10) == []
        assert framer.feed(b",", 10) == [b"ab"]

    @pytest.mark.parametrize(
        "data",
        [b"x", b":", b",", b"00:", b"01:a,", b"+1:a,", b" 1:a,", b"1 :a,", b"1_0:", b"1:ab", b"0:a", b"-1:", b"1x"],
    )
    def test_what_is_no_netstring(self, data):
        framer = NetstringFramer()
        assert framer.feed(b"1:a," + data, 99) == [b"a"]
        assert framer.more
        with pytest.raises(RemoteProtocolError, match="netstring"):
            framer.feed(b"", 99)
        assert framer.take_rest() == data

    @pytest.mark.parametrize("data", [b"11", b"11:", b"100", b"99999999999999999999999999999999999999"])
    def test_a_string_that_is_too_long(self, data):
        with pytest.raises(LimitExceeded):
            NetstringFramer().feed(data, 10)

    def test_a_number_may_be_cut(self):
        framer = NetstringFramer()
        assert framer.feed(b"1", 10) == framer.feed(b"0", 10) == framer.feed(b":", 10) == []
        assert framer.feed(b"x" * 10 + b",", 10) == [b"x" * 10]
