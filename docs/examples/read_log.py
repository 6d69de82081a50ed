#!/usr/bin/env python3
"""Reads a change log with nothing but Python's own library, as docs/change-log-format.md describes it.

    read_log.py DIRECTORY [POSITION]

Prints a line for each unit after POSITION (as in 0/16B3748; without one, for all that are held): where it ends, its
transaction id (- for a message outside of one), its records' tags, and their bytes. Every checksum that it passes is
compared, and the chain of segments. Exit code 1: the log is damaged, which is said after what is sound before it.
"""
import hashlib
import os
import re
import struct
import sys

HEADER, ANNOUNCEMENT, INDEX, DATA = 0x184D2A51, 0x184D2A52, 0x184D2A53, 0x184D2204
RELATIONS, BEGINS_INSIDE, ENDS_INSIDE, REPEATED = 1, 2, 4, 8


class Damage(Exception):
    """Bytes that are not what was written."""


def table():
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        yield byte


TABLE = list(table())


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def check(holds, path, offset, reason):
    if not holds:
        raise Damage(f"{path} is damaged at byte {offset}: {reason}")


def lz4_block(source):
    """One LZ4 block: tokens of literals and matches."""
    out, at = bytearray(), 0

    def length(nibble, at):
        if nibble == 15:
            while True:
                nibble, at = nibble + source[at], at + 1
                if source[at - 1] != 255:
                    break
        return nibble, at

    while at < len(source):
        token, at = source[at], at + 1
        count, at = length(token >> 4, at)
        out += source[at : at + count]
        at += count
        if at == len(source):
            break
        back, at = source[at] | source[at + 1] << 8, at + 2
        count, at = length(token & 15, at)
        for _ in range(count + 4):
            out.append(out[-back])
    return bytes(out)


def lz4_frame(frame):
    """One LZ4 frame of independent blocks. Its own checksums are left to the CRC around it."""
    flags, at = frame[4], 6
    at += 8 if flags & 0x08 else 0  # content size
    at += 1  # header checksum
    out = bytearray()
    while True:
        size = struct.unpack_from("<I", frame, at)[0]
        at += 4
        if size == 0:
            return bytes(out)
        block = frame[at : at + (size & 0x7FFFFFFF)]
        out += block if size & 0x80000000 else lz4_block(block)
        at += len(block) + (4 if flags & 0x10 else 0)  # block checksum


class Segment:
    """One file: its header, then its frames."""

    def __init__(self, directory, start):
        self.path = os.path.join(directory, f"{start:016X}.lz4")
        with open(self.path, "rb") as file:
            self.bytes = file.read()
        magic, length = self.prefix(0)
        check(magic == HEADER and self.bytes[8:16] == b"XFADELOG", self.path, 0, "no segment header")
        version = struct.unpack_from(">I", self.bytes, 16)[0]
        if version != 1:
            raise Damage(f"{self.path} has format version {version}; this reader knows version 1")
        payload = self.bytes[8 : 8 + length]
        check(crc32c(payload[:-4]) == struct.unpack(">I", payload[-4:])[0], self.path, 0, "header checksum")
        self.start, self.system, self.timeline, self.database, self.creation = struct.unpack_from(
            ">QQIIQ", payload, 16
        )
        check(self.start == start, self.path, 24, "its name is not its start")
        self.previous = payload[48:80]
        self.first = 8 + length

    def prefix(self, at):
        return struct.unpack_from("<II", self.bytes, at) if at + 8 <= len(self.bytes) else (0, 0)

    def index(self):
        """The index of a sealed segment, found by its last eight bytes; None of one that is being written."""
        if len(self.bytes) < 128:
            return None
        length = struct.unpack_from(">I", self.bytes, len(self.bytes) - 8)[0]
        at = len(self.bytes) - length
        if at < self.first or self.prefix(at) != (INDEX, length - 8) or self.bytes[at + 8 : at + 16] != b"XFADEIDX":
            return None
        payload = self.bytes[at + 8 :]
        check(crc32c(payload[:-4]) == struct.unpack(">I", payload[-4:])[0], self.path, at, "index checksum")
        watermark, body = struct.unpack_from(">Q", payload, 24)[0], struct.unpack_from(">Q", payload, 64)[0]
        check(body == at, self.path, at, "the index belongs elsewhere")
        check(hashlib.sha256(self.bytes[:body]).digest() == payload[72:104], self.path, at, "digest")
        positions, relations = struct.unpack_from(">II", payload, 104)
        entries = [struct.unpack_from(">QQ", payload, 112 + 16 * i) for i in range(positions)]
        offsets = [struct.unpack_from(">Q", payload, 112 + 16 * positions + 8 * i)[0] for i in range(relations)]
        return {"at": at, "watermark": watermark, "entries": entries, "relations": offsets}

    def frames(self, at, end):
        """Announcements from `at` on: offset, where the next one stands, fields, and a way to the records."""
        while at < end:
            magic, length = self.prefix(at)
            if at + 72 > len(self.bytes):
                return  # a write that is under way, or was torn
            check(magic == ANNOUNCEMENT and length == 64, self.path, at, "no announcement")
            payload = self.bytes[at + 8 : at + 72]
            check(crc32c(payload[:60]) == struct.unpack(">I", payload[60:])[0], self.path, at, "announcement checksum")
            stored, plain, _, last, watermark, _, records, _, _, flags, crc = struct.unpack(">IIQQQQIIIII", payload[:60])
            if at + 72 + stored > len(self.bytes):
                return
            yield at, at + 72 + stored, (stored, plain, last, watermark, records, flags, crc)
            at += 72 + stored

    def records(self, at, fields):
        """What the data frame after an announcement holds: (whole record, payload) each."""
        stored, plain, _, _, count, _, crc = fields
        data = self.bytes[at + 72 : at + 72 + stored]
        check(crc32c(data) == crc, self.path, at, "data checksum")
        content = lz4_frame(data)
        check(len(content) == plain, self.path, at, "uncompressed length")
        place, found = 0, 0
        while place < plain:
            size = struct.unpack_from(">I", content, place)[0]
            check(place + 12 + size <= plain, self.path, at, "a record that spans frames")
            yield content[place : place + 12 + size], content[place + 12 : place + 12 + size]
            place, found = place + 12 + size, found + 1
        check(found == count, self.path, at, "records")


def lsn(value):
    return f"{value >> 32:X}/{value & 0xFFFFFFFF:X}"


def units(directory, position):
    """The units that end after `position`: (end, xid or None, tags, bytes)."""
    names = [n[:16] for n in os.listdir(directory) if re.fullmatch("[0-9A-F]{16}[.]lz4", n)]
    starts = sorted(int(name, 16) for name in names)
    if not starts:
        raise Damage(f"no change log in {directory}")
    position = starts[0] if position is None else position
    if position < starts[0]:
        raise Damage(f"{lsn(position)} is no longer held; the first position held is {lsn(starts[0])}")
    start = max(s for s in starts if s <= position)
    previous, relations = None, {}
    while True:
        segment = Segment(directory, start)
        check(previous in (None, segment.previous), segment.path, 56, "the chain is broken")
        index = segment.index()
        at, end = segment.first, index["at"] if index else len(segment.bytes)
        if previous is None and index:
            for offset in index["relations"]:
                at = max([o for p, o in index["entries"] if p <= position], default=at)
                if offset < at:
                    _, _, fields = next(segment.frames(offset, end))
                    note(relations, segment.records(offset, fields))
        frames = list(segment.frames(at, end))
        if index is None:
            while frames and frames[-1][2][5] & ENDS_INSIDE:
                frames.pop()  # what follows the last frame without flag 4 may be cut
        unit = None
        for at, _, fields in frames:
            stored, _, last, _, _, flags, _ = fields
            if stored == 0:
                continue
            check(bool(flags & BEGINS_INSIDE) == (unit is not None), segment.path, at, "flag 2")
            for record, payload in segment.records(at, fields):
                tag = chr(payload[0])
                if tag in "RY":
                    relations[tag, struct.unpack_from(">I", payload, 1)[0]] = payload
                if flags & REPEATED or unit is None and tag in "RY":
                    continue
                if unit is None:
                    check(tag == "B" or tag == "M" and payload[1] & 1 == 0, segment.path, at, "no unit begins")
                    xid = struct.unpack_from(">I", payload, 17)[0] if tag == "B" else None
                    unit = [0 if tag == "B" else struct.unpack_from(">Q", payload, 2)[0] + 1, xid, "", 0]
                unit[2] += tag
                unit[3] += len(record)
                if tag == "C":
                    unit[0] = struct.unpack_from(">Q", payload, 10)[0]
                if tag == "C" or unit[1] is None:
                    if unit[0] > position:
                        yield tuple(unit)
                    check(unit[0] <= last, segment.path, at, "a unit ends after its frame says")
                    unit = None
        if index is None:
            return
        previous = hashlib.sha256(segment.bytes).digest()
        if index["watermark"] not in starts:
            return  # the next segment is not made yet
        start = index["watermark"]


def note(relations, records):
    for _, payload in records:
        if payload[:1] in (b"R", b"Y"):
            relations[chr(payload[0]), struct.unpack_from(">I", payload, 1)[0]] = payload


def main(arguments):
    if len(arguments) not in (1, 2):
        sys.exit(__doc__)
    position = None
    if len(arguments) == 2:
        high, low = arguments[1].split("/")
        position = int(high, 16) << 32 | int(low, 16)
    try:
        for end, xid, tags, size in units(arguments[0], position):
            print(lsn(end), "-" if xid is None else xid, tags, size)
    except Damage as damage:
        print(damage, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
