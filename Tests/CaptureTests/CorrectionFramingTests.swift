import PGOutput
import Testing

@testable import Capture

@Suite("Our corrections, framed") struct CorrectionFramingTests {
  private let c = "Mcrossfade.correction/"

  @Test(
    "of a transaction of ours they alone go to the log, in order, behind our origin",
    arguments: ["Oours", "Oours.replay", "Mcrossfade/slot", "Oelsewhere Mcrossfade/slot", "Oelsewhere Oours"])
  func own(_ mark: String) throws {
    #expect(
      try framed("B20 \(mark) R7 I7 \(c)1 Mapp/x U7 T7 \(c)2 C20:30 B40 I7 C40:50")
        == "B20 Oours \(c)1 \(c)2 C20:30 B40 R7 I7 C40:50")
    #expect(try framed("B20 \(mark) \(c)1 C20:30 B40 \(mark) I7 C40:50") == "B20 Oours \(c)1 C20:30 -50")
  }

  @Test(
    "what is no correction to the byte leaves nothing",
    arguments: ["Mcrossfade.corrections/1", "Mcrossfade.correctio/n1", "Mcrossfade/correction", "M/", "Nx/1"])
  func near(_ message: String) throws {
    #expect(try framed("B20 Oours I7 \(message) C20:30") == "-30")
  }

  @Test("one outside of our transactions stands in the log as any message does, without our origin")
  func forged() throws {
    for stream in [
      "B20 \(c)1 C20:30", "B20 Oelsewhere \(c)1 C20:30", "B20 I7 Mcrossfade/slot \(c)1 C20:30",
      "B20 I7 Ncrossfade.correction/1 C20:30",
    ] {
      #expect(try framed(stream) == stream)
    }
    #expect(try framed("B20 Oours Ncrossfade.correction/1 C20:30") == "-30")
  }

  @Test("a streamed transaction of ours leaves them, whatever is rolled back to a savepoint")
  func streamed() throws {
    let mark = "Mcrossfade/slot@3"
    #expect(
      try framed(
        "S3 \(mark) R7@3 I7@3 \(c)1@3 I7@4 E A3:4 s3 \(c)2@3 U7@5 \(c)no@5 E c3:20:30 B40 I7 C40:50")
        == "B20 Oours \(c)1 \(c)2 C20:30 B40 R7 I7 C40:50")
    #expect(try framed("S3 Oours I7@3 \(c)1@3 E c3:20:30") == "B20 Oours \(c)1 C20:30")
    #expect(try framed("S3 \(mark) I7@3 E c3:20:30") == "-30")
    #expect(try framed("S3 \(mark) I7@3 \(c)1@3 E A3:3") == "")
    #expect(try framed("S3 R7@3 I7@3 \(c)1@3 E c3:20:30") == "B20 R7 I7 \(c)1 C20:30")
  }

  @Test("a prepared one leaves them, whichever way it came, also when another connection commits it")
  func prepared() throws {
    #expect(
      try framed("b3:20:30 Mcrossfade/slot R7 I7 \(c)1 P3:20:30 K3:40:50 B60 I7 C60:70")
        == "=30 -30 B40 Oours \(c)1 C40:50 B60 R7 I7 C60:70")
    #expect(
      try framed("S3 Mcrossfade/slot@3 R7@3 I7@3 \(c)1@3 E p3:20:30 K3:40:50 B60 I7 C60:70")
        == "=30 -30 B40 Oours \(c)1 C40:50 B60 R7 I7 C60:70")
    var log = FramedLog()
    try log.take("b3:20:30 Mcrossfade/slot R7 I7 \(c)1 P3:20:30")
    log.framer = StreamFramer(
      ownOrigin: "ours", ownPrefix: "crossfade", ownContent: "slot", ownCorrections: "crossfade.correction",
      prepared: log.framer.pending)
    try log.take("B32 R7 I7 C32:35 K3:40:50 B60 I7 C60:70")
    #expect(log.text == "=30 -30 B32 R7 I7 C32:35 B40 Oours \(c)1 C40:50 B60 R7 I7 C60:70")
  }

  @Test("where none is asked for, a transaction of ours leaves its end only")
  func unasked() throws {
    var log = FramedLog()
    log.framer = StreamFramer(ownOrigin: "ours", ownPrefix: "crossfade", ownContent: "slot")
    try log.take("B20 Oours I7 \(c)1 C20:30 S3 Oours I7@3 \(c)1@3 E c3:40:50")
    #expect(log.text == "-30 -50")
  }
}
