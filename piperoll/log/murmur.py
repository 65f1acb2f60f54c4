"""murmur2 as Kafka's Java client hashes keys (`org.apache.kafka.common.utils.Utils.murmur2`).

The client library's version is three times slower: an id is hashed for each job, and this was 3 % of a POST.
"""

import struct

SEED = 0x9747B28C
M = 0x5BD1E995
MASK = 0xFFFFFFFF


def murmur2(data: bytes) -> int:
    """Return the hash as an unsigned number of 32 bits."""
    length = len(data)
    words = length >> 2
    value = SEED ^ length
    for word in struct.unpack_from(f"<{words}I", data):
        word = (word * M) & MASK
        word = ((word ^ (word >> 24)) * M) & MASK
        value = ((value * M) & MASK) ^ word
    if rest := data[words << 2 :]:
        value = ((value ^ int.from_bytes(rest, "little")) * M) & MASK
    value = ((value ^ (value >> 13)) * M) & MASK
    return value ^ (value >> 15)
