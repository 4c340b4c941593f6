"""The fuzz target under hypothesis: bytes that are often nearly right."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tools.fuzz import converse
from turnchat.core.frame import encode

frames = st.binary(max_size=100).map(encode) | st.just(encode(b"BYEBYE"))
received = (frames | st.binary(max_size=127)).map(lambda data: bytes([len(data)]) + data)
said = st.binary(max_size=0x6F).map(lambda data: bytes([0x80 + len(data)]) + data)
recipes = st.builds(
    lambda role, orders: role + b"".join(orders),
    st.sampled_from([b"\x00", b"\xff"]),
    st.lists(received | said | st.just(b"\xff")),
)


@settings(max_examples=500, deadline=None)
@given(recipes | st.binary(max_size=500))
def test_only_what_the_protocol_knows_comes_out_of_any_bytes(recipe: bytes) -> None:
    converse(recipe)
