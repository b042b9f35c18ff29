"""Sessions end by themselves, and their tokens are nobody else's."""

from reconciler.http.pages.sessions import IDLE, LASTS, Sessions


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_session_ends_when_it_is_not_used_for_long() -> None:
    clock = Clock()
    sessions = Sessions(clock)
    session_id = sessions.begin("a key")
    clock.now += IDLE - 1
    assert sessions.credential(session_id) == "a key"
    clock.now += IDLE - 1
    assert sessions.credential(session_id) == "a key"
    clock.now += IDLE + 1
    assert sessions.credential(session_id) is None


def test_a_session_ends_however_much_it_is_used() -> None:
    clock = Clock()
    sessions = Sessions(clock)
    session_id = sessions.begin("a key")
    while clock.now < 1000.0 + LASTS:
        assert sessions.credential(session_id) == "a key"
        clock.now += IDLE / 2
    clock.now += 1
    assert sessions.credential(session_id) is None


def test_one_that_has_ended_is_over_and_others_go_on() -> None:
    sessions = Sessions()
    first, second = sessions.begin("first"), sessions.begin("second")
    sessions.end(first)
    assert (sessions.credential(first), sessions.credential(second)) == (None, "second")
    assert sessions.credential("") is None


def test_a_token_is_good_for_its_holder_alone() -> None:
    sessions = Sessions()
    assert sessions.is_token("ann", sessions.token("ann"))
    assert not sessions.is_token("eve", sessions.token("ann"))
    assert not sessions.is_token("", sessions.token(""))
    assert not Sessions().is_token("ann", sessions.token("ann"))


def test_what_was_signed_in_with_is_in_no_repr() -> None:
    sessions = Sessions()
    sessions.begin("a secret key")
    assert "a secret key" not in repr(vars(sessions))
