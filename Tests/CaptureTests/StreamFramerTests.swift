import PGOutput
import Testing

@testable import Capture

@Suite("The framer") struct StreamFramerTests {
  @Test("a transaction goes to the log whole and in order, whatever it holds")
  func whole() throws {
    let stream = "B20 R7 I7 U7 D7 T7 Y8 R9 I9 Mapp/hello C20:30 B40 I7 C40:50"
    #expect(try framed(stream) == stream)
  }

  @Test("a foreign origin stays between the begin and the relations, and there may be several")
  func foreignOrigin() throws {
    #expect(try framed("B20 Oelsewhere R7 I7 C20:30") == "B20 Oelsewhere R7 I7 C20:30")
    #expect(try framed("B20 Oa Ob I7 C20:30") == "B20 Oa Ob I7 C20:30")
    #expect(
      try framed("B20 Oour I7 C20:30 B40 Oourss I7 C40:50") == "B20 Oour I7 C20:30 B40 Oourss I7 C40:50")
    #expect(try framed("B20 Oour.s I7 C20:30 B40 O I7 C40:50") == "B20 Oour.s I7 C20:30 B40 O I7 C40:50")
  }

  @Test("a transaction with our origin leaves its end only, also behind a foreign one")
  func ownOrigin() throws {
    #expect(try framed("B20 Oours I7 U7 Mapp/x T7 C20:30") == "-30")
    #expect(try framed("B20 Oours.backfill I7 C20:30") == "-30")
    #expect(try framed("B20 Oelsewhere Oours I7 C20:30 B40 I7 C40:50") == "-30 B40 I7 C40:50")
  }

  @Test("a transaction that begins with our message leaves its end only, also behind a foreign origin")
  func ownMessage() throws {
    #expect(try framed("B20 Mcrossfade/slot I7 U7 C20:30") == "-30")
    #expect(try framed("B20 Oelsewhere Mcrossfade/slot I7 C20:30") == "-30")
    #expect(try framed("B20 Mcrossfade/slot C20:30") == "-30")
  }

  @Test(
    "a message that is not ours to the byte, or not the first record, does not hide a transaction",
    arguments: [
      "B20 Mcrossfade/slots I7 C20:30", "B20 Mcrossfade/slo I7 C20:30", "B20 Mcrossfad/slot I7 C20:30",
      "B20 Mcrossfades/lot I7 C20:30", "B20 M/slot I7 C20:30", "B20 Mcrossfade/ I7 C20:30",
      "B20 I7 Mcrossfade/slot C20:30", "B20 R7 Mcrossfade/slot I7 C20:30",
    ])
  func othersMessage(_ stream: String) throws {
    #expect(try framed(stream) == stream)
  }

  @Test(
    "relations first sent inside our own transactions stand before the first change of the next foreign one")
  func carriedRelations() throws {
    #expect(
      try framed("B20 Oours R7 I7 C20:30 B40 Mcrossfade/slot Y8 R9 I9 C40:50 B60 I7 C60:70 B80 I9 C80:90")
        == "-30 -50 B60 Y8 R7 R9 I7 C60:70 B80 I9 C80:90")
    #expect(
      try framed("B20 Oours R7 I7 C20:30 B40 Oelsewhere R7 I7 C40:50")
        == "-30 B40 Oelsewhere R7 I7 C40:50")
  }

  @Test("carried relations wait through empty transactions and messages outside of any")
  func carriedPastEmpty() throws {
    #expect(
      try framed("B20 Oours R7 I7 C20:30 B40 C40:50 Napp/x B60 Oelsewhere C60:70 B80 D7 C80:90")
        == "-30 -50 Napp/x -70 B80 R7 D7 C80:90")
  }

  @Test("an empty transaction leaves its end only")
  func empty() throws {
    #expect(try framed("B20 C20:30 B40 Oelsewhere C40:50 B60 I7 C60:70") == "-30 -50 B60 I7 C60:70")
  }

  @Test("a message outside transactions goes to the log at once, ours too, wherever it comes")
  func outside() throws {
    #expect(
      try framed("Napp/x B20 I7 C20:30 Ncrossfade/slot B40 I7 C40:50")
        == "Napp/x B20 I7 C20:30 Ncrossfade/slot B40 I7 C40:50")
    #expect(try framed("B20 I7 Napp/x C20:30") == "B20 I7 Napp/x C20:30")
    #expect(try framed("B20 Ncrossfade/slot I7 C20:30") == "B20 Ncrossfade/slot I7 C20:30")
  }

  @Test("an unsolicited stream abort is nothing, inside and outside of transactions")
  func abort() throws {
    #expect(try framed("A B20 A Oelsewhere A I7 A C20:30 A") == "B20 Oelsewhere I7 C20:30")
    #expect(try framed("B20 A Oours A I7 C20:30") == "-30")
  }

  @Test("positions past the middle of 64 bits are read as they are")
  func largePositions() throws {
    let stream = "B\(UInt64.max - 9) I7 C\(UInt64.max - 9):\(UInt64.max)"
    #expect(try framed(stream) == stream)
  }

  @Test(
    "what breaks the order of a stream is refused with its place",
    arguments: [
      ("I7", "0/1: a change outside a transaction"),
      ("B20 I7 C20:30 U7", "0/4: a change outside a transaction"),
      ("R7", "0/1: a change outside a transaction"),
      ("Mapp/x", "0/1: a change outside a transaction"),
      ("C20:30", "0/1: a commit outside a transaction"),
      ("Oelsewhere", "0/1: an origin outside a transaction"),
      ("B20 B40", "0/2: a begin inside a transaction"),
      ("B20 I7 B40", "0/3: a begin inside a transaction"),
      ("B20 Oours I7 B40", "0/4: a begin inside a transaction"),
      ("B32 I7 C33:48", "0/3: a commit at 0/21 of a transaction announced for 0/20"),
      ("B32 C33:48", "0/2: a commit at 0/21 of a transaction announced for 0/20"),
      ("B32 Oours I7 C31:48", "0/4: a commit at 0/1F of a transaction announced for 0/20"),
    ])
  func order(stream: String, problem: String) {
    #expect(violation(stream) == problem)
  }
}
