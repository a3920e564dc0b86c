"""Bytes to answers, whatever they are and however they are cut."""

import pytest
from mutations import case

from dispatcher.transport import known_heads
from dispatcher.transport.reader import (
    FIELDS_LIMIT,
    FRAMING_LIMIT,
    HEAD_LIMIT,
    AnswerReader,
    Incomplete,
    NotHttp,
)

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture
def reader():
    one = AnswerReader(10_000, lambda: 1.0)
    one.begin(head_only=False)
    return one


def read(reader, data, size=None):
    """The answer; all at once, or in pieces."""
    pieces = [data[i : i + size] for i in range(0, len(data), size)] if size else [data]
    for piece in pieces:
        if reader.feed(piece):
            break
    assert reader.complete
    return reader.take()


ANSWERS = {
    "a length": (OK, (200, {"Content-Length": "2"}, b"ok")),
    "no body": (b"HTTP/1.1 204 No\r\nX: \r\n\r\n", (204, {"X": ""}, b"")),
    "not modified": (b"HTTP/1.1 304 No\r\nContent-Length: 9\r\n\r\n",
                     (304, {"Content-Length": "9"}, b"")),
    "chunks and a trailer": (CHUNKED + b"1;a=b\r\no\r\n1\r\nk\r\n0\r\nX-Late: c\r\n\r\n",
                             (200, {"Transfer-Encoding": "chunked"}, b"ok")),
    "interim answers": (b"HTTP/1.1 100 C\r\n\r\nHTTP/1.1 103 E\r\nLink: a\r\n\r\n" + OK,
                        (200, {"Content-Length": "2"}, b"ok")),
    "repeated headers": (b"HTTP/1.1 200 OK\r\nA: 1\r\nContent-Length: 0\r\na: 2\r\nA: 3\r\n\r\n",
                         (200, {"A": "1, 2, 3", "Content-Length": "0"}, b"")),
    "bare line feeds": (OK.replace(b"\r\n", b"\n"), (200, {"Content-Length": "2"}, b"ok")),
    "empty lines before": (b"\r\n\r\n" + OK, (200, {"Content-Length": "2"}, b"ok")),
    "no reason": (b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
                  (200, {"Content-Length": "0"}, b"")),
}  # fmt: skip


@pytest.mark.parametrize("size", [None, 1, 2, 3, 7])
@pytest.mark.parametrize(("data", "expected"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_is_the_same_however_it_is_cut(reader, data, expected, size):
    assert read(reader, data, size) == expected
    assert reader.reusable


@pytest.fixture
def unknown():
    """No head was read before."""
    known_heads._heads.clear()


@pytest.mark.parametrize(("data", "expected"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_that_comes_again_is_read_in_the_same_way(reader, data, expected):
    for size in (None, None, 1, None):
        assert read(reader, data, size) == expected
        assert reader.reusable
        assert reader.first_byte_at == 1.0
        reader.begin(head_only=False)


FAMILIAR = {
    "a length": (OK, True),
    "no body": (b"HTTP/1.1 204 No\r\n\r\n", True),
    "a length of nothing": (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", True),
    "chunks": (CHUNKED + b"2\r\nok\r\n0\r\n\r\n", False),
    "an interim answer": (b"HTTP/1.1 100 C\r\n\r\n" + OK, False),
    "lines that end otherwise": (
        b"HTTP/1.1 200 OK\nContent-Length: 6\n\na\r\n\r\nb", False,
    ),
    "a connection that ends": (OK.replace(b"\r\n", b"\r\nConnection: close\r\n", 1), False),
    "more than was asked for": (OK + b"HTTP/1.1", False),
    "a very long head": (OK.replace(b"\r\n", b"\r\nX: " + b"y" * 1100 + b"\r\n", 1), False),
}  # fmt: skip


@pytest.mark.usefixtures("unknown")
@pytest.mark.parametrize(("data", "familiar"), FAMILIAR.values(), ids=FAMILIAR)
def test_only_a_head_that_says_all_about_its_answer_is_kept(reader, data, familiar):
    first = read(reader, data)
    reusable = reader.reusable
    another = AnswerReader(10_000, lambda: 1.0)
    another.begin(head_only=False)
    assert (read(another, data), another.reusable) == (first, reusable)
    assert bool(known_heads._heads) == familiar


@pytest.mark.usefixtures("unknown")
def test_a_known_head_with_another_body_has_that(reader):
    assert read(reader, OK)[2] == b"ok"
    reader.begin(head_only=False)
    assert read(reader, OK[:-2] + b"no")[2] == b"no"


@pytest.mark.usefixtures("unknown")
def test_a_known_head_whose_body_is_still_to_come_waits_for_it(reader):
    assert read(reader, OK)[2] == b"ok"
    reader.begin(head_only=False)
    assert not reader.feed(OK[:-1])
    assert reader.feed(b"k")
    assert (reader.take()[2], reader.reusable) == (b"ok", True)


@pytest.mark.usefixtures("unknown")
def test_what_follows_a_known_answer_spoils_the_connection(reader):
    assert read(reader, OK)[2] == b"ok"
    reader.begin(head_only=False)
    assert read(reader, OK + b"HTTP/1.1 200")[2] == b"ok"
    assert not reader.reusable


@pytest.mark.usefixtures("unknown")
def test_a_known_head_means_nothing_to_a_request_whose_answer_has_no_body(reader):
    assert read(reader, OK)[2] == b"ok"
    reader.begin(head_only=True)
    assert read(reader, OK[:-2]) == (200, {"Content-Length": "2"}, b"")
    assert not reader.reusable


@pytest.mark.usefixtures("unknown")
def test_a_smaller_cap_holds_for_a_known_head_too(reader):
    assert read(reader, OK)[2] == b"ok"
    small = AnswerReader(1, lambda: 1.0)
    small.begin(head_only=False)
    read(small, OK)
    assert not small.reusable


def came_of(answers):
    """All that the reader of one connection says of answers that come one after the other."""
    reader, said = AnswerReader(10_000, lambda: 1.0), []
    for answer in answers:
        reader.begin(head_only=False)
        try:
            complete = reader.feed(answer)
        except NotHttp as error:
            return [*said, str(error)]
        said.append((complete, reader.reusable, reader.first_byte_at))
        if not (complete and reader.reusable):
            return said
        said.append(reader.take())
    return said


@pytest.mark.usefixtures("unknown")
def test_whatever_a_server_says_is_read_alike_whether_or_not_heads_are_known():
    answers = [case(7, n).answer for n in range(3000)]
    connections = [[*three, three[0]] for three in zip(*[iter(answers)] * 3, strict=True)]
    expected = []
    for answered in connections:
        known_heads._heads.clear()
        expected.append(came_of(answered))
    assert sum(len(said) > 2 for said in expected) > 100
    for _ in range(2):  # heads of all are known together, and so is much that goes on otherwise
        assert [came_of(answered) for answered in connections] == expected


@pytest.mark.usefixtures("unknown")
def test_not_more_heads_are_kept_than_there_is_room_for(reader):
    for n in range(known_heads._MOST + 10):
        reader.begin(head_only=False)
        read(reader, b"HTTP/1.1 204 No\r\nX: %d\r\n\r\n" % n)
    assert len(known_heads._heads) == 10


def test_one_answer_after_another_is_read(reader):
    for _ in range(3):
        assert read(reader, OK)[2] == b"ok"
        reader.begin(head_only=False)


def test_an_answer_without_length_ends_with_the_connection(reader):
    assert not reader.feed(b"HTTP/1.1 200 OK\r\n\r\nall")
    reader.end()
    assert reader.take() == (200, {}, b"all")
    assert not reader.reusable


@pytest.mark.parametrize(
    "start", [b"", b"HTTP/1.1 2", OK[:-1], CHUNKED + b"2\r\nok\r\n", b"HTTP/1.1 100 C\r\n\r\n"]
)
def test_any_other_answer_is_incomplete_when_the_connection_ends(reader, start):
    if start:
        assert not reader.feed(start)
    with pytest.raises(Incomplete):
        reader.end()


def test_an_answer_to_head_has_no_body_whatever_it_says(reader):
    reader.begin(head_only=True)
    status, _, body = read(reader, b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n")
    assert (status, body, reader.reusable) == (200, b"", False)


@pytest.mark.parametrize(
    "surplus", [b"x", b"HT", OK, b"\x16\x03\x01"], ids=["a byte", "a start", "an answer", "TLS"]
)
def test_what_follows_an_answer_spoils_the_connection_only(reader, surplus):
    assert read(reader, OK + surplus) == (200, {"Content-Length": "2"}, b"ok")
    assert not reader.reusable


NOT_HTTP = {
    "words": b"hello?\r\n\r\n",
    "RTSP": b"RTSP/1.0 200 OK\r\n\r\n",
    "HTTP/2.0": b"HTTP/2.0 200 OK\r\n\r\n",
    "a status of two digits": b"HTTP/1.1 99 X\r\n\r\n",
    "101": b"HTTP/1.1 101 X\r\nUpgrade: a\r\nConnection: upgrade\r\n\r\n",
    "101 without more": b"HTTP/1.1 101 X\r\n\r\n",
    "a length and chunks": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n"
                           b"Transfer-Encoding: chunked\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n",
    "NUL": b"HTTP/1.1 200 OK\r\nA: b\0c\r\nContent-Length: 0\r\n\r\n",
    "a chunk that is none": CHUNKED + b"zz\r\n",
}  # fmt: skip


@pytest.mark.parametrize("data", NOT_HTTP.values(), ids=NOT_HTTP)
def test_what_is_no_http_is_refused(reader, data):
    with pytest.raises(NotHttp):
        reader.feed(data)


def fed(reader, pieces):
    """How many pieces were taken before it was too much."""
    for number, piece in enumerate(pieces):
        try:
            reader.feed(piece)
        except NotHttp:
            return number
    raise AssertionError("all were taken")


def test_a_head_has_32_kib(reader):
    near = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: %b\r\n\r\n" % (b"y" * (HEAD_LIMIT - 50))
    assert read(reader, near)[0] == 200
    reader.begin(head_only=False)
    with pytest.raises(NotHttp, match="longer"):
        reader.feed(near.replace(b"X: ", b"X: " + b"y" * 100))


def test_a_head_has_128_fields(reader):
    fields = [b"X-%d: y\r\n" % number for number in range(FIELDS_LIMIT)]
    assert read(reader, b"HTTP/1.1 204 OK\r\n%b\r\n" % b"".join(fields))[0] == 204
    reader.begin(head_only=False)
    with pytest.raises(NotHttp, match="128"):
        reader.feed(b"HTTP/1.1 204 OK\r\nOne: more\r\n%b\r\n" % b"".join(fields))


def test_a_head_that_never_ends_is_given_up(reader):
    start = [b"HTTP/1.1 200 OK\r\nX: "]
    assert fed(reader, start + [b"y" * 1024] * 100) == 32


def test_interim_answers_share_one_limit(reader):
    assert fed(reader, [b"HTTP/1.1 100 Continue\r\n\r\n"] * 10_000) < 4000
    reader = AnswerReader(10_000, lambda: 1.0)
    reader.begin(head_only=False)
    early = b"HTTP/1.1 103 Early\r\n" + b"Link: a\r\n" * 16 + b"\r\n"
    assert fed(reader, [early] * 100) == 8


@pytest.mark.parametrize("start", [b"1;a=", b"0\r\nX: "], ids=["extension", "trailer"])
def test_what_stands_between_chunks_has_a_limit(start):
    reader = AnswerReader(1_000_000, lambda: 1.0)
    reader.begin(head_only=False)
    assert fed(reader, [CHUNKED, start] + [b"y" * 1024] * 100) <= 2 + FRAMING_LIMIT // 1024


def test_so_it_has_where_it_comes_with_the_head():
    """With more than the cap in one piece it was an answer that was cut."""
    reader = AnswerReader(2 * FRAMING_LIMIT, lambda: 1.0)
    reader.begin(head_only=False)
    with pytest.raises(NotHttp, match="chunk headers"):
        reader.feed(CHUNKED + b"1;a=" + b"y" * 3 * FRAMING_LIMIT)


def test_chunks_count_with_what_is_around_them(reader):
    reader.feed(CHUNKED)
    pieces = 1
    while not reader.feed(b"1;a=" + b"y" * 993 + b"\r\n" + b"x\r\n"):
        pieces += 1
    assert (pieces, reader.take()[2], reader.reusable) == (10, b"x" * 10, False)


def test_chunks_that_come_with_the_head_count_too(reader):
    extended = b"1;a=" + b"y" * 993 + b"\r\n" + b"x\r\n"
    assert not reader.feed(CHUNKED + extended * 9)
    assert reader.feed(extended)


def test_a_body_is_read_up_to_the_cap(reader):
    assert not reader.feed(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 10_000)
    assert reader.feed(b"x")
    assert reader.take()[2] == b"x" * 4096
    assert not reader.reusable


def test_the_first_byte_is_of_the_final_answer():
    times = iter([1.0, 2.0])
    reader = AnswerReader(10, lambda: next(times))
    reader.begin(head_only=False)
    reader.feed(b"HTTP/1.1 100 C\r\n\r\n")
    assert reader.first_byte_at == 0
    reader.feed(OK)
    assert reader.first_byte_at == 2.0
