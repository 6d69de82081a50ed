import PGOutput
import Testing

@Suite("Decode errors") struct DecodeErrorTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let bytes: String
    let says: String
    var format = StreamFormat.any
    var testDescription: String { says }
  }

  @Test(
    "says the message, the byte and the field",
    arguments: [
      Case(bytes: "", says: "message 0x00, byte 0: the message is empty"),
      Case(bytes: "5a00", says: "message 'Z', byte 0: no such message"),
      Case(bytes: "0a", says: "message 0x0A, byte 0: no such message"),
      Case(
        bytes: "53 00000001 01",
        says: "Stream Start ('S'), byte 0: needs protocol 2, but protocol 1 was spoken",
        format: .v1),
      Case(bytes: "42 00", says: "Begin ('B'), byte 1: final LSN needs 8 bytes, 1 left"),
      Case(
        bytes: "43 01 0000000000000000 0000000000000000 0000000000000000",
        says: "Commit ('C'), byte 1: flags is 0x01, not one of 0"),
      Case(bytes: "4f 0000000000000000 6f6e65", says: "Origin ('O'), byte 9: origin name has no end"),
      Case(bytes: "4f 0000000000000000 ff00", says: "Origin ('O'), byte 9: origin name is not UTF-8"),
      Case(
        bytes: "52 00004001 00 7400 78 0000",
        says: "Relation ('R'), byte 8: replica identity is 'x', not one of d, n, f, i"),
      Case(
        bytes: "52 00004001 00 7400 64 0002 00 6100 00000014 ffffffff 00 6200 0000",
        says: "Relation ('R'), byte 25, column 1: type needs 4 bytes, 2 left"),
      Case(bytes: "49 00004001 4b", says: "Insert ('I'), byte 5: new row is 'K', not one of N"),
      Case(
        bytes: "49 00004001 4e 0002 6e 78",
        says: "Insert ('I'), byte 9, column 1: kind is 'x', not one of n, u, t, b"),
      Case(
        bytes: "49 00004001 4e 0001 74 00000005 61",
        says: "Insert ('I'), byte 13, column 0: value needs 5 bytes, 1 left"),
      Case(
        bytes: "49 00004001 4e 0001 74 ffffffff", says: "Insert ('I'), byte 9, column 0: length is -1"),
      Case(
        bytes: "49 00004001 4e 0003 6e 74 0000",
        says: "Insert ('I'), byte 10, column 1: length needs 4 bytes, 2 left"),
      Case(
        bytes: "55 00004001 44", says: "Update ('U'), byte 5: old or new row is 'D', not one of K, O, N"),
      Case(
        bytes: "55 00004001 4b 0000 4b 0000", says: "Update ('U'), byte 8: new row is 'K', not one of N"),
      Case(bytes: "44 00004001 4e 0000", says: "Delete ('D'), byte 5: old row is 'N', not one of K, O"),
      Case(bytes: "54 ffffffff 00", says: "Truncate ('T'), byte 1: relation count is -1"),
      Case(
        bytes: "54 7fffffff 00 00004001", says: "Truncate ('T'), byte 10: relation id needs 4 bytes, 0 left"),
      Case(
        bytes: "4d 00 0000000000000000 00 00000002 61",
        says: "Message ('M'), byte 15: content needs 2 bytes, 1 left"),
      Case(
        bytes: "53 00000001 02", says: "Stream Start ('S'), byte 5: first segment is 0x02, not one of 0, 1"),
      Case(bytes: "45 00", says: "Stream Stop ('E'), byte 1: 1 byte too many"),
    ])
  func describes(_ sample: Case) {
    let error = #expect(throws: DecodeError.self) { try dump(hex(sample.bytes), format: sample.format) }
    #expect(error?.description == sample.says)
  }
}
