"""An action: what is refused, at which path, and in which words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from refused import analytics, call_detail, parameters, refused

from schemas.blocks import CAKE, LEADFLOW, SOURCETRAK
from schemas.codec import decode_body
from schemas.configuration import Action, ActionDocument
from schemas.headers import is_secret
from schemas.placeholders import PLACEHOLDERS
from schemas.released import current

TEMPLATE = {"method": "POST", "body": "template", "template": "{{sid}}", "content_type": "text/csv"}


def sound(**fields) -> Action:
    return Action.model_validate(call_detail(**fields))


def header(name: str, value: str = "x") -> dict:
    return {"headers": [{"name": name, "value": value}]}


# D30, D31


def test_d30_two_dynamic_parameters_of_one_name_are_refused_at_the_second():
    fault = refused(Action, call_detail(parameters=parameters("id", "from", "id")))
    assert fault == {"parameters[2].name": "is the name of another one too; rename one"}


@pytest.mark.parametrize("query", ["id=1", "x=&id", "x=1&id=", "%69d=1"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_d30_a_dynamic_name_equal_to_a_static_one_is_refused(query, method):
    url = f"https://example.com/?{query}"
    fields = call_detail(target_url=url, method=method, parameters=parameters("a", "id"))
    assert refused(Action, fields) == {
        "parameters[1].name": "is the name of a static parameter in target_url too; rename one"
    }


def test_d30_a_plus_in_a_static_name_is_a_space():
    fields = call_detail(target_url="https://example.com/?a+b=1", parameters=parameters("a b"))
    assert "static" in refused(Action, fields)["parameters[0].name"]


def test_names_that_differ_in_case_are_two_names():
    assert sound(parameters=parameters("id", "ID"))


SENT = [("include_sourcetrak", p.id) for p in SOURCETRAK.parameters]
SENT += [("include_leadflow", p.id) for p in (*LEADFLOW.parameters, *CAKE.parameters)]


@pytest.mark.parametrize(("block", "name"), SENT)
def test_d31_a_name_that_an_included_block_sends_is_refused_only_while_it_is_included(block, name):
    fault = refused(Action, call_detail(parameters=parameters(name), **{block: True}))
    assert fault == {
        "parameters[0].name": f"is sent by {block} too; rename it, or leave {block} out"
    }
    assert sound(parameters=parameters(name))
    other = {"include_sourcetrak", "include_leadflow"} - {block}
    assert sound(parameters=parameters(name), **dict.fromkeys(other, True))


@pytest.mark.parametrize("name", ["sid", "caller_id", "phone_label", "talk_minutes",
                                  "call_duration", "st_rank"])  # fmt: skip
def test_d31_the_names_of_the_decisions_are_among_them(name):
    assert name in {sent for _, sent in SENT}


def test_d31_in_a_json_body_the_object_of_a_block_has_a_name_too():
    fields = {"method": "POST", "body": "json", "include_sourcetrak": True}
    fault = refused(Action, call_detail(parameters=parameters("sourcetrak"), **fields))
    assert list(fault) == ["parameters[0].name"]
    assert sound(parameters=parameters("sourcetrak"), include_sourcetrak=True)


def test_all_faults_are_told_at_once():
    fields = call_detail(
        target_url="https://e.com/?a", parameters=parameters("a", "b", "b"), **header("Host")
    )
    assert list(refused(Action, fields)) == ["headers[0].name"]
    fields |= header("Content-Type") | {"method": "POST"}
    assert list(refused(Action, fields)) == [
        "parameters[2].name", "parameters[0].name", "headers[0].name",
    ]  # fmt: skip


# single fields


def test_an_unknown_placeholder_is_refused_with_all_that_are_allowed():
    fields = call_detail(parameters=parameters("a", placeholder="caller"))
    reason = refused(Action, fields)["parameters[0].placeholder"]
    assert reason == f"is no placeholder; allowed are {', '.join(PLACEHOLDERS)}"


@pytest.mark.parametrize("name", ["", "a\n", "\x00", "a" * 201])
def test_a_parameter_name_that_no_form_can_carry_is_refused(name):
    assert list(refused(Action, call_detail(parameters=parameters(name)))) == ["parameters[0].name"]


def test_an_unknown_transform_is_refused_with_those_allowed():
    fields = call_detail(parameters=[{"name": "a", "placeholder": "sid", "transform": "md5"}])
    assert refused(Action, fields) == {
        "parameters[0].transform": "Input should be 'mask' or 'sha256'"
    }


@pytest.mark.parametrize("transform", ["mask", "sha256"])
def test_every_placeholder_may_be_transformed(transform):
    every = [{"name": id_, "placeholder": id_, "transform": transform} for id_ in PLACEHOLDERS]
    assert sound(parameters=every)


@pytest.mark.parametrize(
    ("fields", "path", "reason"),
    [
        ({"scope": "some"}, "scope",
         "Input should be 'all_calls' or 'configured_numbers_only'"),
        ({"method": "PATCH"}, "method", "Input should be 'GET', 'POST' or 'PUT'"),
        ({"option": "ga"}, "option",
         "Input should be 'call_detail' or 'google_analytics'"),
        ({"active": "yes"}, "active", "Input should be a valid boolean"),
        ({"colour": "red"}, "colour", "is not a field that exists here"),
        ({"name": ""}, "name", "String should have at least 1 character"),
        ({"target_url": None}, "target_url",
         "is missing: option call_detail needs it"),
        ({"google_analytics": analytics()["google_analytics"]}, "google_analytics",
         "belongs to option google_analytics; leave it out"),
    ],
)  # fmt: skip
def test_a_wrong_action_is_refused_with_what_is_allowed(fields, path, reason):
    assert refused(Action, call_detail(**fields)) == {path: reason}


# bodies


@pytest.mark.parametrize("body", ["json", "template"])
def test_a_body_needs_a_method_that_has_one(body):
    fields = (TEMPLATE if body == "template" else {}) | {"method": "GET", "body": body}
    assert refused(Action, call_detail(**fields)) == {
        "body": "needs a method that has one; allowed with POST or PUT"
    }


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_post_and_put_may_have_any_body(method):
    assert sound(method=method, body="json")
    assert sound(**TEMPLATE | {"method": method})


@pytest.mark.parametrize("field", ["template", "content_type"])
def test_body_template_needs_its_fields(field):
    fields = {name: value for name, value in TEMPLATE.items() if name != field}
    assert refused(Action, call_detail(**fields)) == {field: "is missing: body 'template' needs it"}


@pytest.mark.parametrize("body", ["form", "json"])
@pytest.mark.parametrize("field", ["template", "content_type"])
def test_fields_of_a_template_belong_to_it(body, field):
    fields = {"method": "POST", "body": body, field: TEMPLATE[field]}
    assert refused(Action, call_detail(**fields)) == {
        field: f"belongs to body 'template', not {body!r}; leave it out"
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [("parameters", parameters("a")), ("include_sourcetrak", True), ("include_leadflow", True)],
)
def test_what_a_template_would_never_send_is_refused(field, value):
    reason = refused(Action, call_detail(**TEMPLATE | {field: value}))[field]
    assert reason.startswith("has no place in body 'template'; write {{sid}}")


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        (
            "{{caller}}",
            "names 'caller' in line 1, which is no placeholder; did you mean 'caller_id",
        ),
        ("a\nb {{zzz}}", "names 'zzz' in line 2, which is no placeholder; Allowed are date_time,"),
        ("{{}}", "holds {{ in line 1 that begins no placeholder; write {{sid}}"),
        ("{{sid}", "holds {{ in line 1 that begins no placeholder"),
        ("{{sid", "holds {{ in line 1 that begins no placeholder"),
        ("{{a b}}", "holds {{ in line 1 that begins no placeholder"),
        ("{{{sid}}}", "holds {{ in line 1 that begins no placeholder"),
        ("{{sid|upper}}", "holds {{ in line 1 that begins no placeholder"),
        ("a\0", "holds a NUL character"),
        ("a" * 32_001, "String should have at most 32000 characters"),
    ],
)
def test_a_template_that_cannot_be_filled_in_is_refused(template, reason):
    fault = refused(Action, call_detail(**TEMPLATE | {"template": template}))
    assert fault["template"].startswith(reason)


@pytest.mark.parametrize(
    "template",
    [
        '{"from": "{{caller_id}}", "inner": {"rank": "{{ st_rank }}"}}',
        "<call id='{{sid}}'>{{destination_price_per_call}} {{cake_offer_id}}</call>",
        "no placeholder, } } {x} %sid%",
        "{{sid}}{{sid}}\r\n\t",
    ],
)
def test_a_template_is_kept_as_typed(template):
    assert sound(**TEMPLATE | {"template": template}).template == template


@pytest.mark.parametrize(
    "content_type",
    ["", "json", "text/", "/x", "a b/c", "text/plain;", "text/plain; charset", "text/plain\r\nX: y",
     "text/plain; charset=latin-1", 'text/plain; charset="iso-8859-1"', "text/é"],
)  # fmt: skip
def test_what_is_no_media_type_is_refused(content_type):
    fault = refused(Action, call_detail(**TEMPLATE | {"content_type": content_type}))
    assert list(fault) == ["content_type"]


@pytest.mark.parametrize(
    "content_type",
    ["application/xml", "text/plain; charset=utf-8", 'text/x; a="b; c"; charset="UTF-8"',
     "application/vnd.acme.call+json;v=1"],
)  # fmt: skip
def test_a_media_type_is_taken(content_type):
    assert sound(**TEMPLATE | {"content_type": content_type}).content_type == content_type


# headers


@pytest.mark.parametrize("name", ["", "a b", "a:", "é", "a\r\n", "(a)", "a" * 101])
def test_what_is_no_header_name_is_refused(name):
    assert list(refused(Action, call_detail(**header(name)))) == ["headers[0].name"]


@pytest.mark.parametrize("name", ["Host", "content-length", "Transfer-Encoding", "CONNECTION", "TE",
                                  "Upgrade", "webhook-id", "Webhook-Anything"])  # fmt: skip
def test_headers_of_the_connection_and_ours_are_refused(name):
    assert "headers[0].name" in refused(Action, call_detail(**header(name)))


@pytest.mark.parametrize(
    "value", ["a\r\nb", "a\nb", "\0", "é", " a", "a ", "\ta", "\x7f", "a" * 2001]
)
def test_what_is_no_header_value_is_refused(value):
    assert list(refused(Action, call_detail(**header("X-A", value)))) == ["headers[0].value"]


@pytest.mark.parametrize("value", ["", "a", "a b\tc", '"q" ; v=1', "Bearer x.y-z"])
def test_a_header_value_is_kept_as_typed(value):
    assert sound(**header("X-A", value)).headers[0].value == value


def test_a_header_written_twice_is_refused_whatever_its_case():
    two = [{"name": "X-A", "value": "1"}, {"name": "x-a", "value": "2"}]
    assert refused(Action, call_detail(headers=two)) == {
        "headers[1].name": "stands here twice; remove one"
    }


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_the_body_decides_its_content_type(method):
    fault = refused(Action, call_detail(method=method, **header("content-type", "text/x")))
    assert fault["headers[0].name"].startswith("is decided by the body; leave it out")


def test_authorization_is_said_once():
    fields = call_detail(target_url="https://u:p@example.com/@", **header("Authorization"))
    assert refused(Action, fields)["headers[0].name"].startswith(
        "is made of the user in target_url"
    )
    for url in ("https://example.com/@", "https://example.com?a=@"):
        assert sound(target_url=url, **header("Authorization", "Bearer x"))


@pytest.mark.parametrize(
    ("name", "secret"),
    [("Authorization", True), ("Proxy-Authorization", True), ("Cookie", True), ("Set-Cookie", True),
     ("X-Api-Key", True), ("x-access-TOKEN", True), ("Client-Secret", True), ("apikey", True),
     ("Accept", False), ("X-Account", False), ("User-Agent", False)],
)  # fmt: skip
def test_a_headers_name_says_whether_it_is_a_secret(name, secret):
    assert is_secret(name) == secret


# conditions


@pytest.mark.parametrize(
    ("conditions", "path"),
    [
        ({"call_types": [""]}, "conditions.call_types[0]"),
        ({"call_types": ["Inbound", "inbound"]}, "conditions.call_types[1]"),
        ({"pool_ids": ["a", "b", "a"]}, "conditions.pool_ids[2]"),
        ({"pool_ids": ["a\n"]}, "conditions.pool_ids[0]"),
        ({"tags": ["x", "x"]}, "conditions.tags[1]"),
        ({"tags": [1]}, "conditions.tags[0]"),
        ({"qualified": "any"}, "conditions.qualified"),
        ({"minimum_talk_seconds": -1}, "conditions.minimum_talk_seconds"),
        ({"minimum_talk_seconds": 1.5}, "conditions.minimum_talk_seconds"),
        ({"maximum": 1}, "conditions.maximum"),
    ],
)
def test_a_wrong_condition_is_refused_at_its_path(conditions, path):
    assert list(refused(Action, call_detail(conditions=conditions))) == [path]


def test_tags_and_pools_differ_by_case():
    assert sound(conditions={"tags": ["a", "A"], "pool_ids": ["a", "A"]})


# records


@pytest.mark.parametrize(
    "fields",
    [
        call_detail(),
        call_detail(parameters=parameters("a"), conditions={"tags": ["x"]}, revisions=True),
        call_detail(**TEMPLATE, **header("X-Key", "k")),
        analytics(parameters=parameters("a")),
    ],
)
def test_an_action_becomes_a_record(fields):
    record = Action.model_validate(fields).to_avro("a-1", 7)
    read = decode_body(current("Action").encode(record), 0, current("Action"))
    assert (read["action_id"], read["version"]) == ("a-1", 7)
    assert read["headers"] == fields.get("headers", [])


def test_an_action_of_a_file_becomes_the_same_bytes():
    plain = Action.model_validate(call_detail()).to_avro("a-1", 7)
    of_file = ActionDocument.model_validate(call_detail(id="a-1")).to_avro("a-1", 7)
    assert current("Action").encode(of_file) == current("Action").encode(plain)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(list(Action.model_fields)), JSON, max_size=6))
def test_whatever_is_given_is_taken_or_refused_with_a_path(fields):
    try:
        Action.model_validate(call_detail(**fields))
    except ValueError:
        assert all(refused(Action, call_detail(**fields)))
