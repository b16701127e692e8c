from __future__ import annotations

import json
import runpy
import tracemalloc
from decimal import Decimal
from io import BytesIO
from tempfile import TemporaryFile
from typing import Any

import msgspec
import pytest

from tap_ozonetel_cdr.api import body as body_module
from tap_ozonetel_cdr.api.body import CHUNK, Details, Envelope, Reading, read_envelope
from tap_ozonetel_cdr.records.decode import records

SUCCESS = b'"status": "success", "message": "success"'


def envelope_of(body: bytes, **options: int) -> Envelope:
    """Read a body that lies in memory."""
    return read_envelope(BytesIO(body), **options)


def records_of(body: bytes, **options: int) -> list[dict[str, Any]]:
    """Read all records of a body that is a response."""
    envelope = envelope_of(body, **options)
    assert envelope.reading is Reading.RESPONSE
    found = [record for chunk in envelope.chunks() for record in records(chunk)[0]]
    assert len(found) == envelope.count
    return found


def response(*values: bytes) -> bytes:
    """Make a response of records that each hold one of these JSON texts as ``V``."""
    return b'{"details":[%b],%b}' % (b",".join(b'{"V":%b}' % value for value in values), SUCCESS)


@pytest.mark.parametrize(
    ("body", "reading"),
    [
        (b"", Reading.NOT_WHOLE),
        (b" \t\r\n", Reading.NOT_WHOLE),
        (b"\xef\xbb\xbf", Reading.NOT_WHOLE),
        (b"\xef\xbb", Reading.NOT_WHOLE),
        (b"<html><body>502</body></html>", Reading.NOT_WHOLE),
        (b"Unauthorized", Reading.NOT_WHOLE),
        (b'say "hello"', Reading.NOT_WHOLE),
        (b"\x00\xff\xfe", Reading.NOT_WHOLE),
        (b"\x0b{}", Reading.NOT_WHOLE),
        (b"]", Reading.NOT_WHOLE),
        (b"{1: 2}", Reading.NOT_WHOLE),
        (b"{'status': 1}", Reading.NOT_WHOLE),
        (b'{"status" "success"}', Reading.NOT_WHOLE),
        (b'{"status"X"success"}', Reading.NOT_WHOLE),
        (b'{"status": "success"X"message": ""}', Reading.NOT_WHOLE),
        (b'{"status": success}', Reading.NOT_WHOLE),
        (b'{"status": "\\x"}', Reading.NOT_WHOLE),
        (b'{"status": "\\u12G4"}', Reading.NOT_WHOLE),
        (b'{"status": "\\u12"}', Reading.NOT_WHOLE),
        (b'{"status": "\\u12', Reading.NOT_WHOLE),
        (b'{"status": "success",}', Reading.NOT_WHOLE),
        (b'{"status": "success"]', Reading.NOT_WHOLE),
        (b'{"status": 1.x}', Reading.NOT_WHOLE),
        (b'{"status": truth}', Reading.NOT_WHOLE),
        (b'{"status": -InfinitX}', Reading.NOT_WHOLE),
        (b'{"details": [{},], "status": "success"}', Reading.NOT_WHOLE),
        (b'{"details": [,{}], "status": "success"}', Reading.NOT_WHOLE),
        (b'{"details": [{} {}], "status": "success"}', Reading.NOT_WHOLE),
        (b'{"details": [{}X{}], "status": "success"}', Reading.NOT_WHOLE),
        (b'{"details": [{"V": 01}], "status": "success"}', Reading.NOT_WHOLE),
        (b'{"details": [{}}, "status": "success"}', Reading.NOT_WHOLE),
        (b'{"details": [], "status": "success"} x', Reading.NOT_WHOLE),
        (b'{"details": [], "status": "success"}}', Reading.NOT_WHOLE),
        (b'{"details": [], "status": "success"}{"details": []}', Reading.NOT_WHOLE),
        (b'{"status": "success"}\x00', Reading.NOT_WHOLE),
        (b'"{}" x', Reading.NOT_WHOLE),
        (b"{", Reading.NOT_WHOLE),
        (b"[", Reading.NOT_WHOLE),
        (b'"', Reading.NOT_WHOLE),
        (b'{"', Reading.NOT_WHOLE),
        (b'{"details": [{"V": 1}', Reading.NOT_WHOLE),
        (b'{"details": [{"V": 1}]', Reading.NOT_WHOLE),
        (b'{"details": [{"V": 1}], "status": "success"', Reading.NOT_WHOLE),
        (b'{"details": [1, 2', Reading.NOT_WHOLE),
        (b"[]", Reading.NOT_A_RESPONSE),
        (b'[{"details": []}]', Reading.NOT_A_RESPONSE),
        (b"5", Reading.NOT_A_RESPONSE),
        (b"-1.5e3", Reading.NOT_A_RESPONSE),
        (b"null", Reading.NOT_A_RESPONSE),
        (b"{}", Reading.NOT_A_RESPONSE),
        (b'{"token": "secret"}', Reading.NOT_A_RESPONSE),
        (b'{"status": null, "message": null}', Reading.NOT_A_RESPONSE),
        (b'{"details": null}', Reading.NOT_A_RESPONSE),
        (b'""', Reading.NOT_A_RESPONSE),
        (b'"Token Expired"', Reading.NOT_A_RESPONSE),
        (b'"[]"', Reading.NOT_A_RESPONSE),
        (b'"{\\"details\\": [{}"', Reading.NOT_A_RESPONSE),
        (b'{"details": []}', Reading.RESPONSE),
        (b'{"status": "fail"}', Reading.RESPONSE),
        (b'{"message": "No Data Found"}', Reading.RESPONSE),
        (b'{"details": null, "status": "success"}', Reading.RESPONSE),
        (b'\xef\xbb\xbf {"details": []} \r\n\t', Reading.RESPONSE),
        (b'"{\\"details\\": [{\\"V\\": \\"\\ud800\\"}]}"', Reading.RESPONSE),
    ],
)
@pytest.mark.parametrize("chunk", [1, CHUNK])
def test_a_body_reads_as_what_it_is(body: bytes, reading: Reading, chunk: int) -> None:
    """Each kind of body has its own reading, whatever is read at once."""
    assert envelope_of(body, chunk=chunk).reading is reading


@pytest.mark.parametrize(
    ("details", "kind"),
    [
        (b'"no calls"', Details.OTHER),
        (b"5", Details.OTHER),
        (b"false", Details.OTHER),
        (b"{}", Details.OTHER),
        (b"[1]", Details.OTHER),
        (b"[null]", Details.OTHER),
        (b"[[]]", Details.OTHER),
        (b'[{"V": 1}, "text"]', Details.OTHER),
        (b'["text", {"V": 1}]', Details.OTHER),
        (b'[{"V": 1}, {"V": 2}, 3, {"V": 4}, {"V": 5}]', Details.OTHER),
        (b'[{}], "details": [{}]', Details.OTHER),
        (b'null, "details": [{}]', Details.OTHER),
        (b'[{}], "details": null', Details.OTHER),
        (b'[{}], "d\\u0065tails": [{}]', Details.OTHER),
        (b'null, "details": null, "details": [{}]', Details.OTHER),
    ],
)
@pytest.mark.parametrize("chunk", [1, CHUNK])
def test_details_that_hold_no_records_are_no_response(
    details: bytes, kind: Details, chunk: int
) -> None:
    """Details that are not one list of objects are no response, though its words can be judged."""
    body = b'{"details": %b, "status": "error", "message": "Token Expired"}' % details
    assert envelope_of(body, chunk=chunk) == Envelope(
        Reading.NOT_A_RESPONSE, "error", "Token Expired", kind
    )


@pytest.mark.parametrize(
    ("details", "kind"),
    [(b"", Details.ABSENT), (b'"details": null,', Details.NULL), (b'"details":[],', Details.LIST)],
)
def test_a_response_may_have_no_records(details: bytes, kind: Details) -> None:
    """Details that are absent, null or empty are told apart."""
    assert envelope_of(b"{%b%b}" % (details, SUCCESS)) == Envelope(
        Reading.RESPONSE, "success", "success", kind
    )


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b'"false"', "false"),
        (b"false", "false"),
        (b"0", "0"),
        (b"1.50", "1.50"),
        (b"null", None),
        (b'""', ""),
        (b'{"code": [5]}', '{"code": [5]}'),
        (b'["\xc3\xa9"]', '["\u00e9"]'),
        (b'"caf\xc3\xa9 \\u20ac"', "caf\u00e9 \u20ac"),
        (b'"caf\xe9"', "caf\ufffd"),
        (b'["\xe9"]', '["\ufffd"]'),
        (b'"first", "status": "last"', "last"),
    ],
)
def test_status_and_message_are_text(sent: bytes, status: str | None) -> None:
    """A status that is not text is given as its JSON, and so is a message."""
    assert envelope_of(b'{"message": "m", "status": %b}' % sent).status == status
    swapped = sent.replace(b'"status"', b'"message"')
    assert envelope_of(b'{"status": "s", "message": %b}' % swapped).message == status


@pytest.mark.parametrize(
    "body",
    [
        b'{"status":"s","message":"m","details":[{"V":1},{"V":2}]}',
        b'{"details":[{"V":1},{"V":2}],"message":"m","status":"s"}',
        b'{"status":"s","x":[{"details":[{"V":9}]},5],"details":[{"V":1},{"V":2}],"message":"m"}',
        b'{"x":{"details":[5],"status":"x"},"status":"s","details":[{"V":1},{"V":2}],"message":"m"}',
        b'{"":[[]],"message":"m","details":[{"V":1},{"V":2}],"y":"]}","status":"s","z":null}',
        b' {\n "status" : "s" ,\r\n\t"details" : [ { "V" : 1 } , {"V":2} ] , "message" : "m" } ',
        b'\xef\xbb\xbf{"\\u0064etails":[{"V":1},{"V":2}],"message":"m","status":"s"}',
        b'"{\\"status\\":\\"s\\",\\"message\\":\\"m\\",\\"details\\":[{\\"V\\":1},{\\"V\\":2}]}"',
        b'"\\ufeff{\\"status\\":\\"s\\",\\"details\\":[{\\"V\\":1},{\\"V\\":2}],\\"message\\":\\"m\\"}"\n',
    ],
)
@pytest.mark.parametrize("chunk", [1, 9, CHUNK])
def test_a_response_is_found_wherever_its_parts_stand(body: bytes, chunk: int) -> None:
    """Order, white space, unknown keys, escaped keys and a wrapping string change nothing."""
    envelope = envelope_of(body, chunk=chunk)
    assert (envelope.reading, envelope.status, envelope.message) == (Reading.RESPONSE, "s", "m")
    assert (envelope.details, envelope.count) == (Details.LIST, 2)
    assert records_of(body, chunk=chunk) == [{"V": 1}, {"V": 2}]


@pytest.mark.parametrize("body", [b"12345", b"        12345", b"12345 ", b"  [1, 2]", b"-1e9"])
@pytest.mark.parametrize("chunk", [1, 4, 9, CHUNK])
def test_a_value_at_the_files_end_is_read_to_its_end(body: bytes, chunk: int) -> None:
    """What is read last is passed once, whatever was held when the file ended."""
    assert envelope_of(body, chunk=chunk).reading is Reading.NOT_A_RESPONSE
    assert envelope_of(body + b"x", chunk=chunk).reading is Reading.NOT_WHOLE


@pytest.mark.parametrize("chunk", [1, 7, 20, CHUNK])
@pytest.mark.parametrize("space", [b"", b" ", b" \n\t" * 5])
def test_places_are_the_files_own(chunk: int, space: bytes) -> None:
    """Each begins with a record and ends with one, wherever a piece of the file was held."""
    between = space + b"," + space
    values = between.join(b'{"V":"\xe9 %d"}' % n for n in range(9))
    body = space + b'{"details":[' + space + values + space + b'],"status":"success"}' + space
    envelope = envelope_of(body, chunk=chunk)
    places = list(zip(envelope.places[::2], envelope.places[1::2], strict=True))
    pieces = [body[start:end] for start, end in places]
    assert all(piece.startswith(b'{"V"') and piece.endswith(b"}") for piece in pieces)
    assert between.join(pieces) == values
    assert list(envelope.chunks()) == [b"[%b]" % piece for piece in pieces]


@pytest.mark.parametrize("wrap", [0, 1, 2], ids=["object", "in a string", "in two strings"])
@pytest.mark.parametrize(
    ("body", "token"),
    [
        ('{"token": "eyJ.a-b_c", "message": ""}', "eyJ.a-b_c"),
        ('{"token": " \\n\\teyJ \\r\\n"}', "eyJ"),
        ('{"message": "Max limit exceeded", "token": "eyJ", "details": 5}', "eyJ"),
        ('{"token": "eyJ", "token": "eyK"}', "eyK"),
        ('{"token": ""}', None),
        ('{"token": " \\n"}', None),
        ('{"token": null}', None),
        ('{"token": 5}', None),
        ('{"token": ["eyJ"]}', None),
        ('{"data": {"token": "eyJ"}}', None),
        ('{"Token": "eyJ"}', None),
        ('[{"token": "eyJ"}]', None),
    ],
)
def test_a_token_is_the_text_under_its_name(body: str, token: str | None, wrap: int) -> None:
    """Blanks and line ends around it are cut; nothing else is a token. It is in no repr."""
    for _ in range(wrap):
        body = json.dumps(body)
    envelope = envelope_of(body.encode())
    assert envelope.token == token
    assert "ey" not in repr(envelope)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('"Token Expired"', "Token Expired"),
        (r'"\"Token Expired\""', "Token Expired"),
        ('""', None),
        ('"{Token Expired}"', None),
        ('"[Token Expired"', None),
        (json.dumps("x" * 200), "x" * 200),
        (json.dumps("x" * 201), None),
    ],
)
def test_the_words_of_a_json_string_are_a_message(body: str, message: str | None) -> None:
    """A refusal may come as text within a JSON string, but cut JSON there is no refusal."""
    assert envelope_of(body.encode()) == Envelope(Reading.NOT_A_RESPONSE, message=message)


@pytest.mark.parametrize("broken", [b"<html>", b'{"a": truth,', b'{"details":[{"V":01},', b"[1 2"])
def test_what_is_no_json_is_not_read_on(broken: bytes) -> None:
    """Whatever follows a broken value is neither read nor held."""
    file = BytesIO(broken + b" " * 100_000)
    assert read_envelope(file, chunk=100).reading is Reading.NOT_WHOLE
    assert file.tell() < 1000


ODD_BODY = (
    '\n{"status":"s","x":[{"a":[1.5e+3,-2E-1,true]},-0.25,[],null],"o":{"n":{}},"details":['
    '{"CallID":31733467784618213,"N":"\u0928\u092e \\"},{\\"","T":true,"F":1.10},'
    '{"CallID":1e+9,"N":"\\\\","X":NaN,"I":-Infinity} , '
    '{"CallID":0,"N":"\\ud800\\u0041 \\ud83d\\ude00]}"},\n{},{"L":[{"CallID":"{"},{"CallID":"}"}]}'
    '],"message":"m","e":12.5}'
).encode()


@pytest.mark.parametrize(
    "body",
    [ODD_BODY, json.dumps(ODD_BODY.decode()).encode()],
    ids=["object", "object in a string"],
)
@pytest.mark.parametrize("chunk", [1, 2, 5, 64, CHUNK])
def test_a_cut_anywhere_is_seen(body: bytes, chunk: int) -> None:
    """A body reads as cut at every offset but the last, and as a response of all records there."""
    body = body.strip()
    readings = {envelope_of(body[:cut], chunk=chunk).reading for cut in range(1, len(body))}
    assert readings == {Reading.NOT_WHOLE}
    assert envelope_of(body, chunk=chunk).count == 5


@pytest.mark.parametrize("chunk", range(1, 420))
def test_every_chunk_size_gives_the_same_records(chunk: int) -> None:
    """Wherever the chunks are cut, each is an array of whole records, in order, none empty."""
    whole = json.loads(ODD_BODY, parse_float=Decimal, parse_constant=Decimal)["details"]
    pieces = [records(piece)[0] for piece in envelope_of(ODD_BODY, chunk=chunk).chunks()]
    assert all(pieces)
    assert repr([record for piece in pieces for record in piece]) == repr(whole)


@pytest.mark.parametrize("chunk", range(1, 60))
def test_a_number_is_never_taken_for_two(chunk: int) -> None:
    """Wherever a chunk is cut, the number there is read to its end."""
    body = b'{"status":"s","details":[1,-23456,{},1.5,12.75e-10,34567,true,1234567890]}'
    assert envelope_of(body, chunk=chunk) == Envelope(
        Reading.NOT_A_RESPONSE, "s", None, Details.OTHER
    )


@pytest.mark.parametrize("in_a_string", [False, True])
def test_chunks_are_as_large_as_asked_for(in_a_string: bool) -> None:
    """Chunks fill the size asked for, and pass it by their last record at most."""
    sizes = [10] * 40 + [500] + [10] * 40
    body = response(*(b'"%b"' % (b"x" * size) for size in sizes))
    if in_a_string:
        body = json.dumps(body.decode()).encode()
    chunks = list(envelope_of(body, chunk=200).chunks())
    lengths = [len(chunk) - len("[]") for chunk in chunks]
    assert sum(len(records(chunk)[0]) for chunk in chunks) == len(sizes)
    assert [length for length in lengths if length > 200] == [len('{"V":""}') + 500]
    assert len(lengths) < 14


def test_chunks_of_records_that_all_differ_are_no_larger() -> None:
    """Where each record begins in a way of its own, chunks pass their size by one at most too."""
    each = [b'{"%d":"xxxxxxxxxx"}' % number for number in range(100, 200)]
    body = b'{"details":[%b]}' % b",".join(each)
    nine = len(b",".join(each[:9]))
    for chunk in (nine - 1, nine, nine + 1):
        lengths = [len(piece) - len("[]") for piece in envelope_of(body, chunk=chunk).chunks()]
        assert max(lengths) <= chunk + len(each[0])


@pytest.mark.parametrize("chunk", range(1, 64))
def test_records_that_hold_their_like(chunk: int) -> None:
    """Objects within a record are not taken for records, wherever the chunks are cut."""
    body = b'{"details":[{"A":1},{"A":[{"A":2},{"A":3},{"A":4}]},{"A":5}]}'
    assert records_of(body, chunk=chunk) == json.loads(body)["details"]


def test_chunks_can_be_read_again() -> None:
    """The chunks of an envelope are the same however often they are read."""
    envelope = envelope_of(ODD_BODY, chunk=30)
    assert list(envelope.chunks()) == list(envelope.chunks())


@pytest.mark.parametrize(
    ("sent", "value", "lenient"),
    [
        (b'"plain"', "plain", False),
        (b'"\\u0000"', "\x00", False),
        (b'"\\ud83d\\ude00"', "\U0001f600", False),
        (b"31733467784618213", 31733467784618213, False),
        (b"18446744073709551616", 2**64, False),
        (b"-123456789012345678901234567890", -123456789012345678901234567890, False),
        (b"1.10", Decimal("1.10"), False),
        (b"0.1000000000000000055", Decimal("0.1000000000000000055"), False),
        (b"-0.0", Decimal("-0.0"), False),
        (b"1e2", Decimal("1E+2"), False),
        (b"1e999", Decimal("1E+999"), False),
        (b"1e9999999999999999999", "1e9999999999999999999", False),
        (b"[1.5,{}]", [Decimal("1.5"), {}], False),
        (b"9" * 5000, Decimal("9" * 5000), True),
        (b"NaN", Decimal("NaN"), True),
        (b"Infinity", Decimal("Infinity"), True),
        (b"-Infinity", Decimal("-Infinity"), True),
        (b'"\\ud800"', "\ud800", True),
        (b'"\\udc00\\ud800"', "\udc00\ud800", True),
        (b'"\xed\xa0\x80"', "\ufffd\ufffd\ufffd", True),
        (b'"caf\xe9"', "caf\ufffd", True),
        (b'"a\tb\x00"', "a\tb\x00", True),
        (
            b'["\xff",1.10,1e9999999999999999999]',
            ["\ufffd", Decimal("1.10"), "1e" + "9" * 19],
            True,
        ),
    ],
)
@pytest.mark.parametrize("chunk", [1, CHUNK])
def test_every_value_is_kept_as_it_was_sent(
    sent: bytes, value: object, lenient: bool, chunk: int
) -> None:
    """Numbers keep their digits, and what is no strict JSON is read as well and said to be so."""
    body = response(b'"before"', sent, b'"after"')
    envelope = envelope_of(body, chunk=chunk)
    read = [records(piece) for piece in envelope.chunks()]
    found = [record["V"] for piece, _ in read for record in piece]
    assert repr(found) == repr(["before", value, "after"])
    assert [type(found[1]), any(flag for _, flag in read)] == [type(value), lenient]


def test_only_a_chunk_that_is_not_strict_is_said_to_be_so() -> None:
    """The chunks around one that is no strict JSON are read as any other."""
    envelope = envelope_of(response(b"1", b"NaN", b"2"), chunk=1)
    assert [records(piece)[1] for piece in envelope.chunks()] == [False, True, False]


def test_an_exact_number_is_written_as_it_was_sent() -> None:
    """A number that is no integer encodes as the same JSON number."""
    [record] = records_of(response(b"[1.10,0.1000000000000000055,-0.0,100.0,1E+2]"))
    encode = msgspec.json.Encoder(decimal_format="number").encode
    assert encode(record["V"]) == b"[1.10,0.1000000000000000055,-0.0,100.0,1E+2]"


def nested(depth: int) -> bytes:
    """Make a value of lists and objects in each other, so that its record is ``depth`` deep."""
    opened = [b"[", b'{"V":'] * (depth // 2)
    closed = {b"[": b"]", b'{"V":': b"}"}
    return b"%b1%b" % (
        b"".join(opened[: depth - 1]),
        b"".join(closed[part] for part in reversed(opened[: depth - 1])),
    )


@pytest.mark.parametrize("also", [b"1", b"NaN"], ids=["strict", "lenient"])
@pytest.mark.parametrize(
    ("value", "reading"),
    [
        (nested(200), Reading.RESPONSE),
        (nested(202), Reading.NOT_WHOLE),
        (nested(900), Reading.NOT_WHOLE),
        (nested(100_000), Reading.NOT_WHOLE),
        (b"[%b]" % b",".join([nested(150)] * 3), Reading.RESPONSE),
        (b"[%b]" % b",".join([nested(150), nested(200), nested(3)]), Reading.NOT_WHOLE),
        (b"[%b]" % b",".join([b'{"[":"\\"]"}'] * 300), Reading.RESPONSE),
        (b'"%b"' % (b"{[" * 300), Reading.RESPONSE),
        (b'["%b",%b]' % (b"]" * 300, nested(300)), Reading.NOT_WHOLE),
    ],
)
def test_values_that_are_nested_too_deeply_are_refused(
    value: bytes, also: bytes, reading: Reading
) -> None:
    """Two hundred levels are read, more are not, and text that looks like levels does not count."""
    body = response(b"0", value, also, b"2", b"3", value)
    assert envelope_of(body).reading is reading
    if reading is Reading.RESPONSE:
        assert len(records_of(body)) == 6


@pytest.mark.parametrize("beside", [b"1", b"NaN", b"[[],[]]"])
@pytest.mark.parametrize("within", [b"[%b]", b"[NaN,%b]", b"[[],%b,[]]"])
def test_two_hundred_levels_is_the_limit_to_the_level(within: bytes, beside: bytes) -> None:
    """A record of 200 levels is read, and one of 201 is not, whatever is beside them."""
    values = [within % (b"[" * more + b"]" * more) for more in (198, 199)]
    readings = [envelope_of(response(value, beside, beside)).reading for value in values]
    assert readings == [Reading.RESPONSE, Reading.NOT_WHOLE]


@pytest.mark.parametrize(
    "body",
    [b'{"x":%b}', b'{"status":%b}', b'{"details":%b}', b"%b", b'"%b"'],
)
def test_depth_without_end_raises_nothing(body: bytes) -> None:
    """No depth anywhere in a body lets an error out."""
    assert envelope_of(body % (b"[" * 100_000 + b"]" * 100_000)).reading in {
        Reading.NOT_WHOLE,
        Reading.NOT_A_RESPONSE,
    }


class Counted:
    """What the first pass gives its decoders to read: how often, and how much."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Load the module a second time, over decoders that count."""
        self.calls = 0
        self.size = 0
        decoder = msgspec.json.Decoder
        counted = self

        class Scanner(json.JSONDecoder):
            def raw_decode(self, s: str, idx: int = 0) -> tuple[object, int]:
                """Count and decode the value that starts there; at worst all is read in vain."""
                counted.calls += 1
                end = len(s)
                try:
                    value, end = super().raw_decode(s, idx)
                finally:
                    counted.size += end - idx
                return value, end

        class Decoder:
            def __init__(self, kind: object) -> None:
                self._decoder: msgspec.json.Decoder[object] = decoder(kind)

            def decode(self, text: bytes) -> object:
                """Count and decode a whole text."""
                counted.calls += 1
                counted.size += len(text)
                return self._decoder.decode(text)

        monkeypatch.setattr(json, "JSONDecoder", Scanner)
        monkeypatch.setattr(msgspec.json, "Decoder", Decoder)
        self.read_envelope = runpy.run_path(body_module.__file__)["read_envelope"]
        monkeypatch.undo()


PLAIN = b'{"CallID":1,"Comments":"fine"}'
NESTED_SAME = b'{"CallID":1,"L":[%b]}' % b",".join([b'{"CallID":2}'] * 60)


@pytest.mark.parametrize(
    ("first", "rest"),
    [
        (PLAIN, PLAIN),
        (b'{"CallID":NaN}', PLAIN),
        (b'{"CallID":NaN}', b'{"CallID":NaN}'),
        (PLAIN, b'{"CallID":1,"C":"},{\\"CallID\\"' + b'},{"' * 9 + b":1}"),
        (PLAIN, NESTED_SAME),
        (PLAIN, b'{"CallID":1,"C":"%b"}' % (b"}" * 500)),
        (b'{"CallID":"%b"}' % (b"}" * 100_000), PLAIN),
        (b"{}", b"{}"),
        (b'{"CallID":01}', PLAIN),
        (b'{"CallID":"', b"no quotes"),
    ],
    ids=[
        "plain",
        "one refused in front",
        "all refused",
        "strings like records",
        "nested like records",
        "strings of braces",
        "a large one in front",
        "empty",
        "malformed in front",
        "open in front",
    ],
)
def test_reading_takes_linear_time(
    first: bytes, rest: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A body twice as long costs twice the decoding at most, whatever its records look like."""
    costs = []
    for size in (400_000, 800_000):
        counted = Counted(monkeypatch)
        body = b'{"details":[%b%b],"status":""}' % (first, (b"," + rest) * (size // len(rest)))
        counted.read_envelope(BytesIO(body), chunk=4096)
        assert counted.size < 10 * len(body)
        costs.append(counted.calls)
    assert 0 < costs[1] <= 2 * costs[0] + 10


def test_values_that_begin_like_records_are_stepped_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few nested objects that begin as the records do leave the fast decoder its chunks."""
    record = b'{"CallID":1,"L":[%b]}' % b",".join([b'{"CallID":2}'] * 3)
    counted = Counted(monkeypatch)
    body = b'{"details":[%b]}' % b",".join([record] * 1000)
    envelope = counted.read_envelope(BytesIO(body), chunk=4096)
    assert (envelope.reading.name, envelope.count) == ("RESPONSE", 1000)
    assert 10 < counted.calls < 40


@pytest.mark.parametrize(
    "record",
    [
        b'{"CallID":"%d","Comments":"\xe0\xa4\xa8 %b"}' % (10**16, b"x" * 1000),
        b'{"CallID":"%d","Comments":"\xe9 %b"}' % (10**16, b"x" * 1000),
        b'{"CallID":NaN,"Comments":"%b"}' % (b"x" * 1000),
    ],
    ids=["strict", "not UTF-8", "NaN"],
)
def test_memory_does_not_grow_with_the_body(record: bytes) -> None:
    """Both passes over 20 MB hold a few chunks of it, never more."""
    with TemporaryFile() as file:
        file.write(b'{"details":[' + record)
        for _ in range(200):
            file.write((b"," + record) * 100)
        file.write(b"],%b}" % SUCCESS)
        tracemalloc.start()
        try:
            envelope = read_envelope(file)
            count = sum(len(records(chunk)[0]) for chunk in envelope.chunks())
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert (envelope.count, count) == (20_001, 20_001)
    assert peak < 2_000_000


def test_a_record_larger_than_the_chunk_is_read_whole() -> None:
    """One comment of 5 MB does no harm, wherever it stands."""
    comment = 'say \\"},{\\" ' * 400_000
    body = response(b"1", f'"{comment}"'.encode(), b"2")
    assert records_of(body) == [{"V": 1}, {"V": json.loads(f'"{comment}"')}, {"V": 2}]
