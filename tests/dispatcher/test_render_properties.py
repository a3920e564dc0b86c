"""Whatever is configured and whatever a call holds: what a server reads is what was meant."""

import json
import re
from decimal import Decimal
from urllib.parse import parse_qsl, urlsplit
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatcher.render import Unsendable, compile_action
from schemas import binary, placeholders
from schemas.blocks import CAKE, LEADFLOW, NAMED, SOURCETRAK
from schemas.released import current

ANY = st.text(max_size=30)
CLEAN = st.text(st.characters(codec="utf-8"), max_size=30)
PRINTABLE = st.text(st.characters(codec="ascii", exclude_characters=" #"), max_size=30).map(
    lambda text: re.sub(r"[\x00-\x1f\x7f]", "", text)
)
PLACEHOLDERS = st.sampled_from(["sid", "first_action", "netget_status", "click_id"])
PARAMETERS = st.dictionaries(CLEAN.filter(bool), PLACEHOLDERS, max_size=5)
CALLS = st.fixed_dictionaries(
    {"sid": CLEAN, "first_action": CLEAN, "netget_status": CLEAN, "click_id": CLEAN}
)


def pairs(query):
    return parse_qsl(query, keep_blank_values=True, strict_parsing=False, max_num_fields=None)


@settings(deadline=None)
@given(PARAMETERS, CALLS)
def test_what_was_built_is_read_back_as_names_and_values_in_order(request_for, parameters, call):
    request = request_for("http://h/p?a=1", parameters, **call)
    expected = [(name, call[placeholder]) for name, placeholder in parameters.items()]
    assert pairs(urlsplit(request.url).query) == [("a", "1"), *expected]


@settings(deadline=None)
@given(PARAMETERS, CALLS)
def test_d22_d23_get_and_post_carry_the_same_pairs(request_for, parameters, call):
    get = request_for("http://h/p", parameters, "GET", **call)
    post = request_for("http://h/p", parameters, "POST", **call)
    assert pairs(urlsplit(get.url).query) == pairs(post.body.decode())


@settings(deadline=None)
@given(PRINTABLE, PARAMETERS, CALLS)
def test_d21_whatever_is_typed_as_query_stays(request_for, query, parameters, call):
    url = f"http://h/p?{query}"
    assert request_for(url, parameters, **call).url.startswith(url)


@settings(deadline=None)
@given(PRINTABLE, CALLS)
def test_d29_a_dynamic_parameter_is_never_joined_to_a_static_one(request_for, query, call):
    url = request_for(f"http://h/p?{query}", {"dynamic": "sid"}, **call).url
    assert pairs(urlsplit(url).query)[-1] == ("dynamic", call["sid"])


def any_of(type_):
    """Whatever can stand in a record of that Avro type."""
    if isinstance(type_, list):
        return st.one_of(any_of(one) for one in type_)
    if isinstance(type_, str):
        return {
            "null": st.none(),
            "string": CLEAN | st.sampled_from(["", "ppc", "+13125550123", "12.5", "a;b&c=d+e%20f"]),
            "long": st.integers(-10, 10**6) | st.integers(-(2**63), 2**63 - 1),
            "boolean": st.booleans(),
        }[type_]
    if type_["type"] == "array":
        return st.lists(any_of(type_["items"]), max_size=3)
    if type_["type"] == "record":
        return st.fixed_dictionaries({f["name"]: any_of(f["type"]) for f in type_["fields"]})
    return any_of(type_["type"])


ANY_CALL = any_of(current("CallCompleted").definition)
ANY_ACCOUNT = st.fixed_dictionaries(
    {
        "reverse_lookup_enabled": st.booleans(),
        "sourcetrak_enabled": st.booleans(),
        "leadflow_enabled": st.booleans(),
        "phone_label": CLEAN,
    }
)
OURS = {"sourcetrak", "leadflow"}
ANY_PARAMETERS = st.dictionaries(
    CLEAN.filter(lambda name: name and name not in OURS),
    st.fixed_dictionaries(
        {
            "placeholder": st.sampled_from(sorted(placeholders.PLACEHOLDERS)),
            "omit_empty": st.booleans(),
        }
    ),
    max_size=6,
)
FLAGS = st.fixed_dictionaries(
    {
        "omit_empty": st.booleans(),
        "include_sourcetrak": st.booleans(),
        "include_leadflow": st.booleans(),
    }
)


def typed(placeholder, record):
    """What JSON holds of a placeholder, worked out from what a form holds."""
    text = placeholder.value(record)
    if placeholder.items:
        return placeholder.items(record) if text else None
    kinds = {"integer": int, "decimal": Decimal, "flag": {"1": True, "0": False}.get, "text": str}
    return kinds[placeholder.format.kind](text) if text else None


def included(flags, record):
    """The blocks that the request must hold, D51, D52."""
    wanted = [SOURCETRAK] * flags["include_sourcetrak"]
    wanted += [LEADFLOW, CAKE] * flags["include_leadflow"]
    return [block for block in wanted if block.applies(record)]


def expected_pairs(parameters, flags, record, value):
    """(name, value) in the order of D20, without those that are omitted when empty."""
    chosen = [
        (name, placeholders.PLACEHOLDERS[p["placeholder"]], p["omit_empty"])
        for name, p in parameters.items()
    ]
    chosen += [(p.id, p, False) for block in included(flags, record) for p in block.parameters]
    return [
        (name, value(p, record))
        for name, p, omit in chosen
        if p.value(record) or not (omit or flags["omit_empty"])
    ]


def text_of(placeholder, record):
    return placeholder.value(record)


@settings(deadline=None, max_examples=150)
@given(PRINTABLE, ANY_PARAMETERS, FLAGS, ANY_CALL, ANY_ACCOUNT)
def test_d20_to_d25_any_action_and_call_are_read_back_in_order_from_query_and_form(
    action, dispatch, static, parameters, flags, call, account
):
    url = f"http://h/p?{static}"
    read = {}
    for method in ("GET", "POST", "PUT"):
        one = action(url, parameters=parameters, method=method, **flags)
        record = dispatch(call, one, **account)
        expected = expected_pairs(parameters, flags, record, text_of)
        try:
            request = compile_action(one).request(record, 0)
        except Unsendable as refused:
            if (method, refused.error) != ("GET", "url_too_long"):
                raise
            continue
        assert request.url.startswith(url)
        sent = (request.body or b"").decode()
        if method == "GET":
            sent = request.url[len(url) :]
            sent = sent.removeprefix("&") if static and not static.endswith("&") else sent
        read[method] = pairs(sent)
        assert read[method] == expected
    assert read["POST"] == read["PUT"] == read.get("GET", read["POST"])


@settings(deadline=None, max_examples=150)
@given(ANY_PARAMETERS, FLAGS, ANY_CALL, ANY_ACCOUNT)
def test_a_json_body_is_the_typed_object(action, dispatch, parameters, flags, call, account):
    one = action(parameters=parameters, method="POST", body="json", **flags)
    record = dispatch(call, one, **account)
    body = compile_action(one).request(record, 0).body
    sent = json.loads(body, parse_float=Decimal)
    expected = dict(expected_pairs(parameters, flags | NO_BLOCKS, record, typed))
    blocks = included(flags, record)
    for name, members in (("sourcetrak", [SOURCETRAK]), ("leadflow", [LEADFLOW, CAKE])):
        if members[0] in blocks:
            both = [p for block in members if block in blocks for p in block.parameters]
            expected[name] = {
                p.id: typed(p, record) for p in both
                if p.value(record) or not flags["omit_empty"]
            }  # fmt: skip
    assert sent == expected
    assert list(sent) == list(expected)


NO_BLOCKS = {"include_sourcetrak": False, "include_leadflow": False}


@settings(deadline=None)
@given(st.lists(st.sampled_from(sorted(NAMED)), max_size=8), ANY_CALL, ANY_ACCOUNT)
def test_a_json_template_stays_valid_whatever_the_values(action, dispatch, names, call, account):
    members = ",".join(f'{{"{name}":"<{{{{ {name} }}}}>"}}' for name in names)
    text = f"[{members}]"
    one = action(method="PUT", body="template", template=text, content_type="application/json")
    record = dispatch(call, one, **account)
    sent = json.loads(compile_action(one).request(record, 0).body)
    assert sent == [{name: f"<{NAMED[name](record)}>"} for name in names]


@settings(deadline=None)
@given(CLEAN)
def test_an_xml_template_stays_well_formed_whatever_the_value(action, dispatch, value):
    one = action(
        method="POST", body="template", content_type="text/xml",
        template="<r a='{{sid}}'>{{sid}}</r>",
    )  # fmt: skip
    root = ET.fromstring(compile_action(one).request(dispatch({"sid": value}, one), 0).body)
    shown = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "\ufffd", value)
    assert (root.get("a"), root.text or "") == (shown, shown)


@settings(deadline=None)
@given(ANY_CALL, ANY_ACCOUNT)
def test_no_call_that_can_be_decoded_is_unrenderable(action, dispatch, call, account):
    every = {f"p_{id_}": id_ for id_ in placeholders.PLACEHOLDERS}
    for body in ("form", "json"):
        one = action(
            method="POST", body=body, parameters=every,
            include_sourcetrak=True, include_leadflow=True,
        )  # fmt: skip
        compile_action(one).request(dispatch(call, one, **account), 0)


def cleaned(text):
    return text.encode("utf-8", "replace").decode()


HEADERS = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.sampled_from(["X-Key", "webhook-id", "Host", "user-agent"]) | ANY,
            "value": ANY,
        }
    ),
    max_size=3,
)


@settings(deadline=None, max_examples=200)
@given(
    ANY, st.dictionaries(ANY, PLACEHOLDERS, max_size=3), CALLS, HEADERS, ANY,
    st.sampled_from(["GET", "POST", "PUT"]), st.sampled_from(["form", "json", "template"]),
)  # fmt: skip
def test_no_line_break_or_nul_reaches_the_wire_whatever_was_saved(
    action, dispatch, text, parameters, call, headers, content_type, method, body
):
    one = action(
        "http://" + cleaned(text),
        parameters={cleaned(n): p for n, p in parameters.items()},
        headers=[{n: cleaned(v) for n, v in header.items()} for header in headers],
        method=method, body=body, template="{{sid}}", content_type=cleaned(content_type),
    )  # fmt: skip
    record = dispatch(call, one)
    try:
        request = compile_action(one).request(record, 0)
    except Unsendable:
        return
    line = request.url + "".join(f"{name}{value}" for name, value in request.headers.items())
    assert not re.search(r"[\x00-\x20\x7f]", request.url)
    assert not re.search(r"[\r\n\0]", line)
    assert request.url.isascii()
    assert request.headers["webhook-id"] == record["dispatch_id"]


CHOSEN = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["a", "b", "c"]),
        "placeholder": st.sampled_from(sorted(placeholders.PLACEHOLDERS)),
        "transform": st.sampled_from(["", "mask", "sha256"]),
        "omit_empty": st.booleans(),
    }
)


@settings(deadline=None)
@given(st.lists(CHOSEN, max_size=4), st.sampled_from(["form", "json"]), FLAGS, ANY_CALL,
       ANY_ACCOUNT)  # fmt: skip
def test_what_is_read_of_a_call_is_all_that_the_request_needs(
    action, dispatch, parameters, body, flags, call, account
):
    one = action(method="POST", body=body, **flags) | {"parameters": parameters}
    compiled = compile_action(one)
    encoded = current("CallCompleted").encode(call)
    some, end = binary.read(compiled.call, encoded)
    assert end == len(encoded)
    record = dispatch(action=one) | account
    whole = compiled.request(record | {"call": call}, 0)
    assert compiled.request(record | {"call": some}, 0).body == whole.body


@pytest.mark.parametrize("transform", ["", "mask", "sha256"])
@pytest.mark.parametrize("placeholder", placeholders.PLACEHOLDERS)
def test_each_placeholder_needs_few_fields_of_a_call(action, placeholder, transform):
    chosen = {"name": "x", "placeholder": placeholder, "transform": transform, "omit_empty": False}
    compiled = compile_action(action() | {"parameters": [chosen]})
    assert 1 <= sum(not field.skipped for field in compiled.call.inner) <= 2
