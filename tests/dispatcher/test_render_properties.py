"""Whatever is configured and whatever a call holds: what a server reads is what was meant."""

import re
from urllib.parse import parse_qsl, urlsplit

from hypothesis import given, settings
from hypothesis import strategies as st

from dispatcher.render import Unsendable, compile_action

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


@settings(deadline=None)
@given(ANY, st.dictionaries(ANY, PLACEHOLDERS, max_size=3), CALLS, st.sampled_from(["GET", "POST"]))
def test_no_line_break_or_nul_reaches_the_wire_whatever_was_saved(
    action, dispatch, text, parameters, call, method
):
    text = text.encode("utf-8", "replace").decode()
    parameters = {n.encode("utf-8", "replace").decode(): p for n, p in parameters.items()}
    one = action("http://" + text, parameters=parameters, method=method)
    try:
        request = compile_action(one).request(dispatch(call, one))
    except Unsendable:
        return
    line = request.url + "".join(f"{name}{value}" for name, value in request.headers.items())
    assert not re.search(r"[\x00-\x20\x7f]", request.url)
    assert not re.search(r"[\r\n\0]", line)
    assert request.url.isascii()
