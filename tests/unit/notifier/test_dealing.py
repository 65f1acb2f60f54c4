"""How capacity is dealt: by owner first, then by receiver, with some kept free; and which receivers are watched."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from services.notifier.delivery.due_receivers import MOST_RECEIVERS, SHARE, DueReceivers, ReceiverKey, Rotation, deal

CAPACITY = 64
owners = st.sampled_from(["acme", "bolt", "crest"])
keys = st.builds(ReceiverKey, owners, st.sampled_from([f"http://{number}:80" for number in range(4)]))
rooms_of_receivers = st.dictionaries(keys, st.integers(0, 20))
busy_owners = st.dictionaries(owners, st.integers(0, 20))


def by_owner(dealt: dict[ReceiverKey, int]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for receiver, count in dealt.items():
        counts[receiver.owner] += count
    return counts


def silent(owner: str, count: int, room: int = 8) -> dict[ReceiverKey, int]:
    return {ReceiverKey(owner, f"http://127.0.0.1:{6100 + number}"): room for number in range(count)}


@given(st.integers(0, 100), busy_owners, rooms_of_receivers)
def test_no_receiver_gets_more_than_its_room_and_nothing_is_kept_back_without_need(
    free: int, busy: dict[str, int], rooms: dict[ReceiverKey, int]
) -> None:
    dealt = deal(free, busy, rooms)
    left = free - sum(dealt.values())
    assert left >= 0
    assert all(0 < count <= rooms[receiver] for receiver, count in dealt.items())
    for owner in {receiver.owner for receiver in rooms}:
        wants = sum(room for receiver, room in rooms.items() if receiver.owner == owner)
        has = busy.get(owner, 0) + by_owner(dealt)[owner]
        assert by_owner(dealt)[owner] == wants or has >= SHARE * left


@given(st.integers(0, 100), rooms_of_receivers)
def test_owners_take_turns_and_so_do_the_receivers_of_each(free: int, rooms: dict[ReceiverKey, int]) -> None:
    dealt = deal(free, {}, rooms)
    for owner in {receiver.owner for receiver in rooms}:
        some = {receiver: room for receiver, room in rooms.items() if receiver.owner == owner}
        short = [dealt.get(receiver, 0) for receiver in some if dealt.get(receiver, 0) < some[receiver]]
        most = max((dealt.get(receiver, 0) for receiver in some), default=0)
        assert not short or most <= min(short) + 1, "none gets two more than one that waits"
    got = by_owner(dealt)
    waits = [got[one.owner] for one, room in rooms.items() if dealt.get(one, 0) < room]
    assert not waits or max(got.values(), default=0) <= min(waits) + 1


def test_an_owner_with_200_silent_receivers_leaves_capacity_for_the_next_one() -> None:
    taken = by_owner(deal(CAPACITY, {}, silent("greedy", 200)))
    assert taken["greedy"] == CAPACITY * 3 // 4
    left = CAPACITY - taken["greedy"]
    assert deal(left, taken, silent("greedy", 200)) == {}
    assert by_owner(deal(left, taken, silent("greedy", 200) | silent("modest", 1, room=1))) == {"modest": 1}


def test_with_a_capacity_of_one_each_owner_gets_it_in_its_turn() -> None:
    assert sum(deal(1, {}, silent("greedy", 3)).values()) == 1
    assert by_owner(deal(1, {"greedy": 3}, silent("greedy", 3) | silent("modest", 1))) == {"modest": 1}


def test_the_earliest_time_of_a_receiver_counts_and_what_is_claimed_is_forgotten() -> None:
    due, a, b = DueReceivers(), ReceiverKey("acme", "a"), ReceiverKey("bolt", "b")
    due.hint(a, 5.0)
    due.hint(a, 9.0)
    due.correct({b: 3.0, a: 7.0})
    assert due.ready(5.0) == [b, a]
    due.forget([b])
    assert due.ready(5.0) == [a]
    assert due.next_due(4.0) == 5.0
    assert due.next_due(6.0) is None


def test_an_owner_has_a_bounded_number_of_receivers_watched_and_all_have_their_turn() -> None:
    every = sorted(silent("greedy", 3 * MOST_RECEIVERS - 7))
    due, rotation, seen = DueReceivers(), Rotation(), set[ReceiverKey]()
    for _ in range(3):
        names, after = rotation.after
        begin = dict(zip(names, after, strict=True)).get("greedy", "")
        found = [one for one in every if one.origin > begin][:MOST_RECEIVERS]
        rotation.turn(found)
        due.correct(dict.fromkeys(found, 1.0))
        for receiver in every:
            due.hint(receiver, 1.0)
        seen |= set(due.ready(1.0))
        assert len(due.ready(1.0)) == MOST_RECEIVERS
    assert seen == set(every)
    assert rotation.after == ([], [])
